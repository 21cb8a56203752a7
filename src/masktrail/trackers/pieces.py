"""Pieces of a mask that cannot be the object: it does not jump, and it does not come back twice."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

MARGIN = 1.5
"""How far from the last mask a piece may be, in sides of a square of that mask's area."""

DROPPED = -8.0
"""Logit of a pixel whose piece was dropped."""

TOUCHING = np.ones((3, 3), bool)


def without_strays(logits: Tensor, before: Tensor) -> Tensor:
    """Logits in which the pieces that look like the object but are elsewhere are background.

    A piece counts where it lies near the mask of the frame before; if none does, the object was
    too fast for that and all count. Of an object that was lost the piece with the most probability
    counts, so that a look-alike beside it is left alone.

    Args:
        logits: (h, w), of one object.
        before: bool (h, w), its mask in the frame before; empty where it was lost.

    Returns:
        (h, w); `logits` itself where nothing was dropped.
    """
    pieces, count = ndimage.label((logits > 0).cpu().numpy(), TOUCHING)
    if count < 2:
        return logits
    last = before.cpu().numpy()
    kept = _near(pieces, count, last) if last.any() else _heaviest(pieces, count, logits)
    if len(kept) == count:
        return logits
    good = np.isin(pieces, kept)
    bad = ndimage.binary_dilation((pieces > 0) & ~good, TOUCHING, iterations=2) & ~good
    mask = torch.from_numpy(bad).to(logits.device)
    return torch.where(mask, logits.clamp(max=DROPPED), logits)


def _near(pieces: NDArray[np.int32], count: int, last: NDArray[np.bool_]) -> list[int]:
    numbers = np.arange(1, count + 1)
    away = ndimage.minimum(ndimage.distance_transform_edt(~last), pieces, numbers)
    near = numbers[np.asarray(away) <= max(1.0, MARGIN * np.sqrt(np.count_nonzero(last)))]
    return (near if near.size else numbers).tolist()


def _heaviest(pieces: NDArray[np.int32], count: int, logits: Tensor) -> list[int]:
    weights = np.bincount(pieces.ravel(), logits.float().sigmoid().cpu().numpy().ravel())
    return [int(np.argmax(weights[1:])) + 1]
