"""Masks as polygons."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.masks import tight_box

Polygon = NDArray[np.float64]
"""Corners (x, y) in pixels, shape (N, 2); (0.5, 0.5) is the middle of the first pixel."""

CHUNK = 2**16
"""So many distances are computed at once: what a processor keeps at hand."""


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
    sizes = [len(polygon) for polygon in polygons]
    whole, rest = polygons[0], np.concatenate(polygons)[sizes[0] :]
    owners = np.repeat(np.arange(len(polygons)), sizes)[sizes[0] :]
    away, corners = _nearest(rest, whole)  # of every corner that is left, in the whole
    while len(rest):
        nearest = int(away.argmin())
        corner, left = int(corners[nearest]), owners != owners[nearest]
        there = nearest - int(np.flatnonzero(~left)[0])
        rolled = np.roll(polygons[owners[nearest]], -there, axis=0)
        whole = np.concatenate([whole[: corner + 1], rolled, rolled[:1], whole[corner:]])
        rest, owners, away, corners = rest[left], owners[left], away[left], corners[left]
        corners[corners > corner] += len(rolled) + 2
        closer, places = _nearest(rest, rolled)
        better = closer < away
        away[better], corners[better] = closer[better], corner + 1 + places[better]
    return _with_three_corners(whole)


def _nearest(points: Polygon, others: Polygon) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Of each point (N, 2): the squared distance to the nearest of others (M, 2), and which it is.

    Both (N,).
    """
    squares, places = np.empty(len(points)), np.empty(len(points), np.intp)
    step = max(1, CHUNK // len(others))
    for start in range(0, len(points), step):
        part = slice(start, start + step)
        across, down = (points[part, None, i] - others[:, i] for i in (0, 1))
        pairs = across**2 + down**2
        places[part] = pairs.argmin(axis=1)
        squares[part] = pairs.min(axis=1)
    return squares, places


def _with_three_corners(polygon: Polygon) -> Polygon:
    """The polygon itself, or a piece of one or two pixels with its last corner repeated."""
    missing = max(0, 3 - len(polygon))
    return np.concatenate([polygon, np.repeat(polygon[-1:], missing, axis=0)])
