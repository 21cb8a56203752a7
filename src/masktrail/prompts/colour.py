"""Masks of boxes and clicks by colour alone, where there are no weights that do it better."""

import numpy as np
from numpy.typing import NDArray

from masktrail.masks.components import components
from masktrail.prompts.box import mask_from_box
from masktrail.prompts.clicks import enforce_clicks
from masktrail.prompts.kinds import Box, Points
from masktrail.types import Image

SPOT = 0.15
"""Half the side of the square looked at around a click, as a share of the picture's short side."""


def mask_by_colour(
    image: Image, prompt: Box | Points, previous: NDArray[np.float32] | None = None
) -> NDArray[np.bool_]:
    """Mask of what a box or clicks are about.

    Args:
        image: uint8 RGB (H, W, 3).
        prompt: in pixels, inside the image.
        previous: soft mask (H, W) that clicks alone go out from.

    Returns:
        bool (H, W), not empty unless all clicks are negative.
    """
    if isinstance(prompt, Box):
        return mask_from_box(image, prompt)
    mask = _start(image, prompt, previous)
    for point, on in zip(prompt.points, prompt.labels, strict=True):
        if on and not mask[_pixel(point)]:
            mask |= _spot(image, point)
        elif not on and mask[_pixel(point)]:
            mask &= ~_spot(image, point)
    return enforce_clicks(mask, prompt)


def _start(image: Image, clicks: Points, previous: NDArray[np.float32] | None) -> NDArray[np.bool_]:
    """What the clicks correct."""
    if clicks.mask is not None:
        return clicks.mask.mask.copy()
    if clicks.box is not None:
        return mask_from_box(image, clicks.box)
    return np.zeros(image.shape[:2], bool) if previous is None else previous > 0.5


def _spot(image: Image, point: tuple[float, float]) -> NDArray[np.bool_]:
    """The piece that a click lies in, of what a square around it holds."""
    (x, y), (height, width) = point, image.shape[:2]
    reach = max(2.0, SPOT * min(height, width))
    square = Box(
        max(0, x - reach), max(0, y - reach), min(width, x + reach), min(height, y + reach)
    )
    pieces, _ = components(mask_from_box(image, square))
    at = pieces[_pixel(point)]
    return (pieces == at) & (pieces > 0)


def _pixel(point: tuple[float, float]) -> tuple[int, int]:
    return int(point[1]), int(point[0])
