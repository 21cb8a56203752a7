"""Which response is the object: scores, boxes, and what is held against a change of them.

Source: SiamRPN (Li et al., CVPR 2018), section 4.4, as in SiamMask's published code. Positions are
in pixels of the search region, from its middle.
"""

from functools import cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from masktrail.families.siammask.anchors import decoded
from masktrail.families.siammask.config import ANCHORS
from masktrail.tracking.competition import sigmoid

Floats = NDArray[np.float32]
Number = TypeVar("Number", float, Floats)


class Choice(NamedTuple):
    """The best response.

    Attributes:
        row: of it.
        column: of it.
        score: that it is the object, 0 to 1.
        penalty: share of it that is left for how the box has changed.
        box: x, y, width, height (4,); None without boxes.
    """

    row: int
    column: int
    score: float
    penalty: float
    box: Floats | None


def context(width: Number, height: Number) -> Number:
    """Side of the square that an object is shown in: its own and half its mean side around."""
    half = (width + height) / 2
    side: Any = (width + half) * (height + half)
    root: Number = side**0.5
    return root


def choose(
    scores: Floats,
    boxes: Floats | None,
    size: tuple[float, float],
    penalty: float,
    window: float,
) -> Choice:
    """The best response of a search region.

    Args:
        scores: as the network gave them (10, n, n), or (1, n, n) without boxes.
        boxes: as the network gave them (20, n, n).
        size: width and height of the object in the frame before.
        penalty: how much is held against another scale or shape.
        window: share of the score that is given for being near where it was.
    """
    likely = likelihoods(scores)  # (A, n, n)
    found = None if boxes is None else decoded(boxes)  # (4, A, n, n)
    left: Floats = np.ones_like(likely)
    if found is not None:
        grown = _change(context(found[2], found[3]) / np.float32(context(*size)))
        bent = _change((size[0] / size[1]) / (found[2] / found[3]))
        left = np.exp(np.float32(penalty) * (1 - bent * grown)).astype(np.float32)
    ranked = left * likely * (1 - window) + near(likely.shape[-1]) * window
    anchor, row, column = map(int, np.unravel_index(ranked.argmax(), ranked.shape))
    best = anchor, row, column
    box = None if found is None else found[:, anchor, row, column]
    return Choice(row, column, float(likely[best]), float(left[best]), box)


def likelihoods(scores: Floats) -> Floats:
    """That each anchor (A, n, n) is the object."""
    if len(scores) == 1:
        difference = scores
    else:
        against, for_it = scores.reshape(2, ANCHORS, *scores.shape[1:])
        difference = for_it - against
    return sigmoid(difference)


@cache
def near(count: int) -> Floats:
    """A bell over a map (count, count), 1 in its middle: Hann's window."""
    line = np.hanning(count).astype(np.float32)
    bell = line * line[:, None]
    bell.flags.writeable = False
    return bell


def _change(ratio: Floats) -> Floats:
    larger: Floats = np.maximum(ratio, np.float32(1) / ratio)
    return larger
