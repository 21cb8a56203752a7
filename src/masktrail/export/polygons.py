"""Masks as polygons."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.masks import tight_box

Polygon = NDArray[np.float64]
"""Corners (x, y) in pixels, shape (N, 2); (0.5, 0.5) is the middle of the first pixel."""


def outlines(mask: NDArray[np.bool_], cv2: Any) -> list[Polygon]:
    """A polygon of three corners or more around every piece of a mask.

    Corners lie in the middle of the outermost pixels. Drawn at the mask's own size, borders
    included and by the even-odd rule (OpenCV's `fillPoly`, Pillow's `polygon`), they give the mask
    back. A hole is cut out along a line that leads to it and back, and so costs the line's pixels
    where it passes through another hole, else nothing.

    Args:
        mask: bool (H, W).
        cv2: OpenCV.
    """
    box = tight_box(mask)
    if box is None:
        return []
    x0, y0, x1, y1 = box
    part = np.ascontiguousarray(mask[y0:y1, x0:x1], np.uint8)
    borders, tree = cv2.findContours(part, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    middle = np.array([x0 + 0.5, y0 + 0.5])
    contours = [contour.reshape(-1, 2) + middle for contour in borders]
    around = tree.reshape(-1, 4)[:, 3]  # of a hole: the contour it lies in; -1: none
    pieces = np.flatnonzero(around < 0)
    holes = {i: [contours[h] for h in np.flatnonzero(around == i)] for i in pieces}
    return [joined([contours[i], *holes[i]]) for i in pieces]


def joined(polygons: list[Polygon]) -> Polygon:
    """One polygon of several, the nearest ones first linked by a line that leads there and back."""
    from scipy.spatial import cKDTree

    whole, rest = polygons[0], list(polygons[1:])
    while rest:
        distances, corners = cKDTree(whole).query(np.concatenate(rest))
        nearest = int(distances.argmin())
        owners = np.repeat(np.arange(len(rest)), [len(polygon) for polygon in rest])
        corner, chosen = int(corners[nearest]), int(owners[nearest])
        there = nearest - int(np.flatnonzero(owners == chosen)[0])
        rolled = np.roll(rest.pop(chosen), -there, axis=0)
        whole = np.concatenate([whole[: corner + 1], rolled, rolled[:1], whole[corner:]])
    return _with_three_corners(whole)


def _with_three_corners(polygon: Polygon) -> Polygon:
    """The polygon itself, or a piece of one or two pixels with its last corner repeated."""
    missing = max(0, 3 - len(polygon))
    return np.concatenate([polygon, np.repeat(polygon[-1:], missing, axis=0)])
