"""Pieces of a mask that cannot be the object: it does not jump, and it does not come back twice."""

import numpy as np
from numpy.typing import NDArray

from masktrail.geometry import Soft
from masktrail.masks.components import components, dilated, distances
from masktrail.tracking.competition import sigmoid

NEAR = 0.75
"""How far from the last mask any piece may be, in sides of a square of that mask's area."""

REACH = 2.0
"""How far one may be that shows what was hidden, in sides of a square of the usual area."""

ROOM = 0.8
"""The usual area times this is what all pieces may cover then."""

FADE = 0.98
"""What is left of the usual area after a frame in which the object shows less."""

DROPPED = -8.0
"""Logit of a pixel whose piece was dropped."""

BESIDE = 2
"""So many pixels around a dropped piece are dropped too: its soft edge."""


def usual_area(area: float, before: float) -> float:
    """The area an object usually has, in pixels, from that in a frame and what was usual before.

    An object that is hidden in part is still as large. One that was gone begins anew: where it
    returns it may stand at the edge, beside another.
    """
    return max(area, FADE * before) if area else 0.0


def without_strays(logits: Soft, before: NDArray[np.bool_], usual: float) -> Soft:
    """Logits in which the pieces that look like the object but are elsewhere are background.

    A piece counts where it lies near the mask of the frame before, and farther off where it may be
    the other side of an object that is hidden in part: as long as all pieces together are not
    larger than the object usually is. If none is near, the object was too fast for that and all
    count. Of an object that was lost the piece with the most probability counts, so that a
    look-alike beside it is left alone.

    Args:
        logits: (h, w), of one object.
        before: bool (h, w), its mask in the frame before; empty where it was lost.
        usual: area of the object, pixels, see `usual_area`.

    Returns:
        (h, w); `logits` itself where nothing was dropped.
    """
    pieces, count = components(logits > 0, corners=True)
    if count < 2:
        return logits
    near = before.any()
    labels = _near(pieces, count, before, usual) if near else _heaviest(pieces, count, logits)
    if len(labels) == count:
        return logits
    good = np.isin(pieces, labels)
    bad = dilated((pieces > 0) & ~good, BESIDE) & ~good
    return np.where(bad, np.minimum(logits, DROPPED), logits)


def _near(
    pieces: NDArray[np.int32], count: int, last: NDArray[np.bool_], usual: float
) -> list[int]:
    numbers = np.arange(1, count + 1)
    away = distances(pieces, count, last)
    areas = np.bincount(pieces.ravel())[1:]
    near = away <= max(1.0, NEAR * np.sqrt(np.count_nonzero(last)))
    if not near.any():
        return numbers.tolist()
    covered = areas[near].sum()
    for i in np.argsort(away):
        fits = away[i] <= REACH * np.sqrt(usual) and covered + areas[i] <= ROOM * usual
        if not near[i] and fits:
            near[i] = True
            covered += areas[i]
    return numbers[near].tolist()


def _heaviest(pieces: NDArray[np.int32], count: int, logits: Soft) -> list[int]:
    weights = np.bincount(pieces.ravel(), sigmoid(logits).ravel())
    return [int(np.argmax(weights[1:])) + 1]
