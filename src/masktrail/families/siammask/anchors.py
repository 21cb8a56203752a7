"""The boxes that SiamMask's region proposals start from, and what it says of them.

Positions are in pixels of the search region, from its middle; boxes are centre and size. Source:
SiamRPN (Li et al., CVPR 2018), section 3.2, with the sizes of SiamMask's published code.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from masktrail.families.siammask.config import ANCHORS, STRIDE

RATIOS = (0.33, 0.5, 1, 2, 3)
"""Heights over widths."""

SCALE = 8
"""Side of a square anchor in strides."""

MOST = 4.0
"""Of the logarithm of a ratio of sides, which else might be no finite number."""

Floats = NDArray[np.float32]


def sizes() -> Floats:
    """Widths and heights (ANCHORS, 2); rounded down twice, as the published weights know them."""
    widths = [int((STRIDE**2 / ratio) ** 0.5) for ratio in RATIOS]
    pairs = [(w * SCALE, int(w * r) * SCALE) for w, r in zip(widths, RATIOS, strict=True)]
    return np.array(pairs, np.float32)


@cache
def centres(count: int) -> Floats:
    """Where responses lie along one side of a map of `count`."""
    return (np.arange(count, dtype=np.float32) - (count - 1) / 2) * np.float32(STRIDE)


@cache
def anchors(count: int) -> Floats:
    """All anchors (4, ANCHORS, count, count): x, y, width, height."""
    grid = np.empty((4, ANCHORS, count, count), np.float32)
    grid[0], grid[1] = centres(count), centres(count)[:, None]
    grid[2:] = sizes().T[..., None, None]
    grid.flags.writeable = False
    return grid


def decoded(said: Floats) -> Floats:
    """Boxes (4, ANCHORS, n, n) of what a network says of its anchors.

    Args:
        said: (4 * ANCHORS, n, n): shifts over the anchor's sides, logarithms of the sides' ratios.
    """
    count = said.shape[-1]
    shifts, base = said.reshape(4, ANCHORS, count, count), anchors(count)
    ratios = np.exp(shifts[2:].clip(-MOST, MOST))
    return np.concatenate([base[:2] + shifts[:2] * base[2:], base[2:] * ratios])
