"""Doing something to some entries of a batch, chosen on the CPU, on the device they are on."""

from collections.abc import Callable

from torch import Tensor

from masktrail.devices import sent


def change_rows(
    chosen: Tensor, change: Callable[..., Tensor], values: Tensor, *others: Tensor
) -> Tensor:
    """A batch in which some entries are replaced by what `change` makes of them.

    Args:
        chosen: which, bool (B,) on the CPU: how many they are is then known without waiting.
        change: from the chosen entries of `values` and of `others` to new ones of `values`.
        values: (B, ...).
        others: likewise.

    Returns:
        (B, ...).
    """
    if not chosen.any():
        return values
    rows = sent(chosen.nonzero()[:, 0], values.device)
    picked = (batch.index_select(0, rows) for batch in (values, *others))
    return values.index_copy(0, rows, change(*picked))
