"""The smallest rectangle around a mask, turned as it may be."""

import numpy as np
from numpy.typing import NDArray

from masktrail.masks.components import largest
from masktrail.types import Corners

ENOUGH = 100
"""Pieces of no more pixels have no direction that would tell anything."""


def rotated_box(mask: NDArray[np.bool_]) -> Corners:
    """The smallest rectangle around the largest piece of a mask (H, W), corners joining pixels.

    That around the middles of its pixels, a side of which lies along one of their convex hull
    (Freeman and Shapira, CACM 1975), and half a pixel more. Around a piece of no more than `ENOUGH`
    pixels it is upright, as SiamMask's published code has it.

    Returns:
        Its corners, (0, 0) being that of the picture; none of an empty mask.
    """
    piece = largest(mask, corners=True)
    rows = np.flatnonzero(piece.any(1))
    if not len(rows):
        return ()
    hull, sides = _outline(piece, rows), np.array([[1.0, 0.0]])
    if np.count_nonzero(piece) > ENOUGH:
        hull = _hull(hull)
        sides = np.roll(hull, -1, 0) - hull
    along = sides / np.linalg.norm(sides, axis=1, keepdims=True)  # (E, 2)
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    near, far = hull @ along.T, hull @ across.T  # (P, E)
    low, high = np.stack([near.min(0), far.min(0)]), np.stack([near.max(0), far.max(0)])
    best = int((high - low).prod(0).argmin())
    axes = np.stack([along[best], across[best]])
    (u0, v0), (u1, v1) = low[:, best] - 0.5, high[:, best] + 0.5
    corners = np.array([(u0, v0), (u1, v0), (u1, v1), (u0, v1)]) @ axes
    return tuple((float(x), float(y)) for x, y in corners)


def _outline(piece: NDArray[np.bool_], rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Middles (P, 2) of the outermost pixels of each row: down on the left, up on the right."""
    lefts = piece[rows].argmax(1)
    rights = piece.shape[1] - 1 - piece[rows, ::-1].argmax(1)
    xs, ys = np.concatenate([lefts, rights[::-1]]), np.concatenate([rows, rows[::-1]])
    return np.stack([xs, ys], 1) + 0.5


def _hull(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The corners of the convex hull of an outline, around it.

    What lies between its two neighbours, or to their inner side, is no corner, whatever else is
    left out with it.

    Args:
        points: of more than one place.
    """
    points = points[(points != np.roll(points, 1, 0)).any(1)]  # a row of one pixel has it twice
    while True:
        to, since = np.roll(points, -1, 0) - points, points - np.roll(points, 1, 0)
        turn, ahead = since[:, 0] * to[:, 1] - since[:, 1] * to[:, 0], (since * to).sum(1)
        corner = (turn < 0) | ((turn == 0) & (ahead < 0))  # or the end of a line
        if corner.all() or np.count_nonzero(corner) < 2:
            return points
        points = points[corner]
