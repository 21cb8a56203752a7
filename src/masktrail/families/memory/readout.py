"""Reading values out of memory: anisotropic L2 similarity, softmax over the nearest.

Source: XMem (Cheng and Schwing, ECCV 2022), equation 2, divided by the root of the key's width:
`-s_m * sum_c e_qc (k_mc - k_qc)^2 / sqrt(C)`.
Multiplied out it is one inner product between a vector made of the memory pixel alone and one
made of the query pixel alone, so both sides are lifted once and compared by a single matmul.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from masktrail.devices import no_autocast

GROUP = 8
"""Columns that `_largest` looks at together."""


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


def read_nearest(memory: Tensor, query: Tensor, values: Tensor, top_k: int) -> Tensor:
    """Values averaged over the `top_k` most similar memory pixels alone, as at test time.

    Only those are touched, so that the number of objects hardly matters.

    Args:
        memory: (M, 2C+1), of one video.
        query: (2C+1, Q).
        values: (M, V).
        top_k: pixels that share the weight; all where there are fewer.

    Returns:
        (Q, V), float32.
    """
    compared = similarity(memory[None], query[None])[0]  # (Q, M)
    if torch.compiler.is_exporting():  # ONNX has no embedding bag, and engines have a fast top-k
        nearest, where = compared.topk(top_k, dim=1, sorted=False)
        return (nearest.softmax(1)[:, None] @ values[where])[:, 0]
    nearest, where = _largest(compared, min(top_k, compared.shape[1]))
    weights = nearest.softmax(1)
    return F.embedding_bag(where, values.float(), per_sample_weights=weights, mode="sum")


def _largest(x: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The `k` largest of every row (R, C), and where they are.

    They lie in the `k` groups of columns with the largest maxima, so that only those are sorted.
    """
    groups = x.shape[1] // GROUP
    if x.shape[1] % GROUP or groups <= k:
        return x.topk(k, dim=1, sorted=False)
    grouped = x.unflatten(1, (GROUP, groups))  # a group is every `groups`-th column
    chosen = grouped.amax(1).topk(k, dim=1, sorted=False).indices  # (R, k)
    candidates = grouped.gather(2, chosen[:, None].expand(-1, GROUP, -1)).flatten(1)
    largest, at = candidates.topk(k, dim=1, sorted=False)
    return largest, chosen.gather(1, at % k) + at // k * groups
