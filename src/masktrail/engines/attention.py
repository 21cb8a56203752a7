"""Values averaged over what is most similar, by numpy.

To sort what is compared takes longer than to compare it. Here hardly anything is sorted: the `k`
largest of a row are not less than the `k`th of the largest of groups of it, and hardly more are
not less than that.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

ROWS = 96
"""So many are looked at together, about: what a processor keeps at hand."""

GROUP = 8
"""Columns of a group."""


def attended(similarity: Floats, values: Floats, k: int) -> Floats:
    """Means of values, weighted by a softmax over the `k` most similar ones.

    Args:
        similarity: (Q, M), not to be written to.
        values: (M, V).
        k: how many count; of several that are as similar as the last one, any.

    Returns:
        (Q, V).
    """
    out = np.empty((len(similarity), values.shape[1]), np.float32)
    for start in range(0, len(similarity), ROWS):
        part = slice(start, start + ROWS)
        nearest, where = largest(similarity[part], k)
        weights = np.exp(nearest - nearest.max(1, keepdims=True))
        weights /= weights.sum(1, keepdims=True)
        np.matmul(weights[:, None], values[where], out=out[part, None])
    return out


def largest(rows: Floats, k: int) -> tuple[Floats, NDArray[np.intp]]:
    """The `k` largest of each row (R, C), all where there are fewer, and where they are, (R, k)."""
    columns = rows.shape[1]
    if k >= columns:
        return rows, np.broadcast_to(np.arange(columns), rows.shape)
    maxima = _maxima(rows, k)
    floor = np.partition(maxima, maxima.shape[1] - k, 1)[:, -k, None]
    candidates = np.flatnonzero(rows >= floor)
    counts = np.bincount(candidates // columns, minlength=len(rows))
    most = int(counts.max())
    if most > GROUP * k or counts.min() < k:  # hardly two differ, or some are no numbers
        where = np.argpartition(rows, columns - k, 1)[:, -k:]
        return np.take_along_axis(rows, where, 1), where
    filled = np.arange(most) < counts[:, None]
    found = np.full(filled.shape, -np.inf, np.float32)
    found[filled] = rows.reshape(-1)[candidates]
    places = np.zeros(filled.shape, np.intp)
    places[filled] = candidates % columns
    chosen = np.argpartition(found, most - k, 1)[:, -k:]
    chosen += np.arange(0, found.size, most)[:, None]
    return found.reshape(-1)[chosen], places.reshape(-1)[chosen]


def _maxima(rows: Floats, k: int) -> Floats:
    """Of at least `k` groups of the columns of rows (R, C), the largest of each group."""
    groups = rows.shape[1] // GROUP
    if groups < k:
        return rows
    whole = rows[:, : groups * GROUP].reshape(len(rows), GROUP, groups)  # every `groups`-th column
    maxima: Floats = whole.max(1)
    return maxima
