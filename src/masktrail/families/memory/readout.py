"""Reading values out of memory: anisotropic L2 similarity, softmax.

Source: XMem (Cheng and Schwing, ECCV 2022), equation 2, divided by the root of the key's width:
`-s_m * sum_c e_qc (k_mc - k_qc)^2 / sqrt(C)`.
Multiplied out it is one inner product between a vector made of the memory pixel alone and one
made of the query pixel alone, so both sides are lifted once and compared by a single matmul.
"""

import math

import torch
from torch import Tensor

from masktrail.devices import no_autocast


def lift_memory(key: Tensor, shrinkage: Tensor) -> Tensor:
    """Memory side of the similarity.

    Args:
        key: (B, C, H, W).
        shrinkage: (B, 1, H, W), at least 1.

    Returns:
        (B, H*W, 2C+1).
    """
    lifted = torch.cat([key.square(), key, torch.ones_like(shrinkage)], 1)
    lifted = lifted * (shrinkage / math.sqrt(key.shape[1]))
    return lifted.flatten(2).transpose(1, 2).contiguous()


def lift_query(key: Tensor, selection: Tensor) -> Tensor:
    """Query side of the similarity.

    Args:
        key: (B, C, H, W).
        selection: (B, C, H, W) in (0, 1).

    Returns:
        (B, 2C+1, H*W).
    """
    weighted = selection * key
    constant = (weighted * key).sum(1, keepdim=True)
    return torch.cat([-selection, 2 * weighted, -constant], 1).flatten(2)


def similarity(memory: Tensor, query: Tensor) -> Tensor:
    """Similarity of every query pixel to every memory pixel, at most 0.

    Args:
        memory: (B, M, 2C+1) from `lift_memory`.
        query: (B, 2C+1, Q) from `lift_query`.

    Returns:
        (B, Q, M), float32.
    """
    # the terms of the lifted product nearly cancel, which bfloat16 does not survive
    with no_autocast(memory.device):
        return query.float().transpose(1, 2) @ memory.float().transpose(1, 2)


def read(memory: Tensor, query: Tensor, values: Tensor) -> Tensor:
    """Values averaged over the whole memory by a softmax of similarity, as in training.

    Args:
        memory: (B, M, 2C+1).
        query: (B, 2C+1, Q).
        values: (B, M, V), or N*V for the values of N objects side by side.

    Returns:
        (B, Q, V).
    """
    return similarity(memory, query).softmax(2) @ values
