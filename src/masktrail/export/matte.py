"""How much of a pixel belongs to the objects, and pictures made with that."""

import numpy as np
from numpy.typing import NDArray

from masktrail.masks.components import dilated
from masktrail.results import NOT_KEPT, Result
from masktrail.types import Image

HAZE = 0.1
"""Probabilities below this are background, those as near to 1 are object; between them lie soft
edges. Networks are never quite sure, and without it a veil would lie over the whole picture."""

MARGIN = 16
"""So far around the objects, in pixels, hidden pixels keep their colour: where a video is scaled
or compressed they mix with visible ones. All others are black, and so compress well."""


def opacity(result: Result) -> NDArray[np.uint8]:
    """All objects together, 0 to 255, uint8 (H, W); edges are soft where soft masks are there."""
    if result.soft is NOT_KEPT:
        return np.where(result.labels > 0, 255, 0).astype(np.uint8)
    total = np.zeros(result.labels.shape, np.float32)
    for mask in result.soft.values():
        total += mask
    certain = ((total - HAZE) / (1 - 2 * HAZE)).clip(0, 1)
    return np.round(certain * 255).astype(np.uint8)


def cut_out(image: Image, alpha: NDArray[np.uint8]) -> Image:
    """Objects on transparency, RGBA with straight alpha.

    Args:
        image: uint8 RGB (H, W, 3).
        alpha: what `opacity` gives, (H, W).

    Returns:
        uint8 (H, W, 4); colours are the image's where anything is seen and around it.
    """
    near = dilated(alpha > 0, MARGIN)
    return np.dstack([np.where(near[..., None], image, 0), alpha])


def over_colour(
    image: Image, alpha: NDArray[np.uint8], colour: tuple[int, int, int]
) -> NDArray[np.uint8]:
    """Objects before one colour, uint8 (H, W, 3); arguments as those of `cut_out`."""
    weight = alpha[..., None].astype(np.uint16)
    mixed = image * weight + np.array(colour, np.uint16) * (255 - weight)
    return ((mixed + 127) // 255).astype(np.uint8)
