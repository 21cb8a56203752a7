"""Reading values out of memory: anisotropic L2 similarity, softmax over the nearest.

Source: XMem (Cheng and Schwing, ECCV 2022), equation 2, divided by the root of the key's width:
`-s_m * sum_c e_qc (k_mc - k_qc)^2 / sqrt(C)`.
Multiplied out it is one inner product between a vector made of the memory pixel alone and one
made of the query pixel alone, so both sides are lifted once and compared by a single matmul.
"""

import math

import torch
from torch import Tensor


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


def affinity(memory: Tensor, query: Tensor, top_k: int | None = None) -> Tensor:
    """Softmax over memory of the similarity to every query pixel.

    Args:
        memory: (B, M, 2C+1) from `lift_memory`.
        query: (B, 2C+1, Q) from `lift_query`.
        top_k: how many of the nearest memory pixels share the weight; all where None.

    Returns:
        (B, Q, M), rows sum to 1.
    """
    # the terms of the lifted product nearly cancel, which bfloat16 does not survive
    with torch.autocast(memory.device.type, enabled=False):
        similarity = query.float().transpose(1, 2) @ memory.float().transpose(1, 2)  # (B, Q, M)
    if top_k is None or top_k >= similarity.shape[2]:
        return similarity.softmax(2)
    nearest, where = similarity.topk(top_k, dim=2, sorted=False)
    return torch.zeros_like(similarity).scatter_(2, where, nearest.softmax(2))


def read(weights: Tensor, values: Tensor) -> Tensor:
    """Values averaged by affinity, all objects at once.

    Args:
        weights: (B, Q, M) from `affinity`.
        values: (B, M, N*V), the values of N objects side by side.

    Returns:
        (B, Q, N*V).
    """
    return weights @ values
