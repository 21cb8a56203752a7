"""The smallest rectangle around a mask, turned as it may be."""

import numpy as np
from numpy.typing import NDArray

from masktrail.masks.components import largest
from masktrail.types import Corners

ENOUGH = 100
"""Pieces of no more pixels have no direction that would tell anything."""


def rotated_box(mask: NDArray[np.bool_]) -> Corners:
    """The smallest rectangle around the largest piece of a mask (H, W).

    That around the middles of its pixels, a side of which lies along one of their convex hull
    (Freeman and Shapira, CACM 1975), and half a pixel more. Around a piece of no more than `ENOUGH`
    pixels it is upright, as SiamMask's published code has it.

    Returns:
        Its corners, (0, 0) being that of the picture; none of an empty mask.
    """
    piece = largest(mask)
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
    """Middles (P, 2) of the outermost pixels of each row, sorted by x, then y."""
    lefts = piece[rows].argmax(1)
    rights = piece.shape[1] - 1 - piece[rows, ::-1].argmax(1)
    points = np.stack([np.concatenate([lefts, rights]), np.concatenate([rows, rows])], 1)
    return np.unique(points, axis=0) + 0.5


def _hull(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The corners of the convex hull of sorted points, around it (Andrew's monotone chain)."""
    listed: list[tuple[float, float]] = points.tolist()
    return np.array(_chain(listed)[:-1] + _chain(listed[::-1])[:-1])


def _chain(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points on one side of the hull, from the first to the last."""
    chain: list[tuple[float, float]] = []
    for x, y in points:
        while len(chain) > 1:
            (x0, y0), (x1, y1) = chain[-2:]
            if (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) > 0:
                break
            chain.pop()
        chain.append((x, y))
    return chain
