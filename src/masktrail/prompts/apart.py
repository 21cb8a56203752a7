"""Masks of several objects that overlap in one frame."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError

LEAST = 0.1
"""Share of a mask that must be left beside those that lie on it."""


def apart(masks: Mapping[int, NDArray[np.bool_]]) -> dict[int, NDArray[np.bool_]]:
    """Masks (H, W) by object id, none of which overlap: the smaller lies on the larger, of equal
    ones the higher id on the lower.

    Raises:
        InputError: of one hardly anything is left beside another.
    """
    sizes = {i: int(np.count_nonzero(mask)) for i, mask in masks.items()}
    placed: dict[int, NDArray[np.bool_]] = {}
    for object_id in sorted(masks, key=lambda i: (sizes[i], -i)):
        mask = masks[object_id].copy()
        for above in placed.values():
            mask &= ~above
        if np.count_nonzero(mask) < LEAST * sizes[object_id]:
            other = max(placed, key=lambda i: np.count_nonzero(placed[i] & masks[object_id]))
            first, second = sorted((object_id, other))
            raise InputError(
                f"The prompts of objects {first} and {second} mark the same pixels, so that "
                "nothing would be left of one; mark one of them otherwise, or leave it out."
            )
        placed[object_id] = mask
    return {i: placed[i] for i in masks}
