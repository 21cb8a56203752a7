"""What the user said with clicks holds, whatever a network or colours made of them."""

import numpy as np
from numpy.typing import NDArray

from masktrail.masks import tight_box
from masktrail.masks.components import components
from masktrail.prompts.kinds import Box, Points

RADIUS = 3
"""Around a click that the mask contradicts so much is taken or left, pixels."""


def enforce_clicks(mask: NDArray[np.bool_], clicks: Points) -> NDArray[np.bool_]:
    """A mask (H, W) that holds every positive click and no negative one.

    A piece of the mask with negative clicks alone is left out whole.
    """
    on, off = _pixels(clicks, True), _pixels(clicks, False)
    mask = mask.copy()
    for x, y in on:
        if not mask[y, x]:
            mask |= _disk(mask.shape, x, y)
    pieces, _ = components(mask)
    positive = {pieces[y, x] for x, y in on}
    negative = {pieces[y, x] for x, y in off} - positive - {0}
    mask &= ~np.isin(pieces, list(negative))
    for x, y in off:
        if mask[y, x]:
            mask &= ~_disk(mask.shape, x, y)
    for x, y in on:  # one may lie beside a negative click
        mask[y, x] = True
    return mask


def changed_at_clicks(
    before: NDArray[np.bool_], after: NDArray[np.bool_], clicks: Points
) -> NDArray[np.bool_]:
    """A mask (H, W) corrected only where it was clicked on: each piece that `after` adds or takes
    away counts if a click that `before` contradicts lies in it, and none that `after` contradicts.

    Source: progressive merge of FocalClick (Chen et al., CVPR 2022).
    """
    mask = before.copy()
    for label, change in ((True, after & ~before), (False, before & ~after)):
        pieces, _ = components(change)
        clicked = {pieces[y, x] for x, y in _pixels(clicks, label)} - {0}
        clicked -= {pieces[y, x] for x, y in _pixels(clicks, not label)}
        mask[np.isin(pieces, list(clicked))] = label
    return mask


def extent(clicks: Points, mask: NDArray[np.bool_] | None = None) -> Box:
    """The tight box, of whole pixels, of clicks, their box, and a mask that may be empty."""
    pixels = [*_pixels(clicks, True), *_pixels(clicks, False)]
    boxes = [(x, y, x + 1, y + 1) for x, y in pixels]
    if clicks.box is not None:
        box = clicks.box
        boxes.append((int(box.x0), int(box.y0), int(np.ceil(box.x1)), int(np.ceil(box.y1))))
    mask_box = None if mask is None else tight_box(mask)
    if mask_box is not None:
        boxes.append(mask_box)
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return Box(min(x0), min(y0), max(x1), max(y1))


def _pixels(clicks: Points, label: bool) -> list[tuple[int, int]]:
    """Column and row of the pixels clicked on with a label."""
    pairs = zip(clicks.points, clicks.labels, strict=True)
    return [(int(x), int(y)) for (x, y), on in pairs if on == label]


def _disk(shape: tuple[int, ...], x: int, y: int) -> NDArray[np.bool_]:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (rows - y) ** 2 + (columns - x) ** 2 <= RADIUS**2
