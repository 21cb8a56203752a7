"""Clicks as a user would set them, from the true mask of an object.

Source: RITM (Sofiiuk et al., ICIP 2022), which follows the evaluation of earlier work (Xu et al.,
"Deep Interactive Object Selection", CVPR 2016): a click goes into the middle of what is most wrong,
found by a distance transform.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


class Click(NamedTuple):
    """A click.

    Attributes:
        x: pixels, continuous; in the middle of a pixel.
        y: likewise.
        label: whether it lies on the object.
    """

    x: float
    y: float
    label: bool


def first_click(mask: NDArray[np.bool_], generator: np.random.Generator | None = None) -> Click:
    """A click on an object, in its middle.

    Args:
        mask: of the object, bool (H, W), not empty.
        generator: with one, the click lies anywhere in the object's inner half.
    """
    return _inside(depth(mask), True, generator)


def corrective_click(
    found: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    generator: np.random.Generator | None = None,
) -> Click | None:
    """A click in the deepest place where a mask is wrong; None where it is right.

    Args:
        found: bool (H, W).
        truth: bool (H, W).
        generator: with one, the click lies anywhere in the inner half of what is missing, or of
            what is too much, whichever goes deeper.
    """
    missing, surplus = depth(truth & ~found), depth(found & ~truth)
    label = bool(missing.max(initial=0) >= surplus.max(initial=0))
    depths = missing if label else surplus
    return _inside(depths, label, generator) if depths.any() else None


def depth(region: NDArray[np.bool_]) -> NDArray[np.integer]:
    """Distance of every pixel (H, W) of a region to what is not it, 0 outside.

    The picture's edge counts as outside. In steps of the chessboard: a quarter of the time of the
    Euclidean distance, and where the middle is hardly depends on it.
    """
    return ndimage.distance_transform_cdt(np.pad(region, 1), "chessboard")[1:-1, 1:-1]


def _inside(
    depths: NDArray[np.integer], label: bool, generator: np.random.Generator | None
) -> Click:
    """A click in the deepest place, or with a generator anywhere at least half as deep."""
    deepest = depths.max()
    if generator is None:
        rows, columns = np.nonzero(depths == deepest)
        # of several, that nearest to their middle
        chosen = int(np.argmin(np.hypot(rows - rows.mean(), columns - columns.mean())))
    else:
        rows, columns = np.nonzero(depths > deepest / 2)
        chosen = int(generator.integers(len(rows)))
    return Click(float(columns[chosen]) + 0.5, float(rows[chosen]) + 0.5, label)
