"""Values averaged over what is most similar, by torch; `engines/attention.py` does it by numpy."""

from torch import Tensor
from torch.nn import functional as F

GROUP = 8
"""Columns that `_largest` looks at together."""


def attended(similarity: Tensor, values: Tensor, k: int) -> Tensor:
    """Means of values, weighted by a softmax over the `k` most similar ones.

    Only those are touched, so that the number of objects hardly matters.

    Args:
        similarity: (Q, M).
        values: (M, V).
        k: how many count; all where there are fewer.

    Returns:
        (Q, V), float32.
    """
    nearest, where = _largest(similarity, min(k, similarity.shape[1]))
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
