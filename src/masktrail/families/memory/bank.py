"""A bounded memory of frames: keys of the picture, values of every object seen in it."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from masktrail.families.memory.readout import read_nearest


@dataclass
class Entry:
    """One remembered frame.

    Attributes:
        keys: lifted memory keys (P, 2K+1) of its P pixels at stride 16.
        values: (P, V) by object id; only objects that were seen in it.
        permanent: kept whatever comes later.
    """

    keys: Tensor
    values: dict[int, Tensor]
    permanent: bool


class MemoryBank:
    """Permanent entries, and the latest of the others.

    Args:
        capacity: how many entries that are not permanent are kept; the oldest goes first.
        top_k: how many memory pixels each query pixel reads from.
    """

    def __init__(self, capacity: int, top_k: int) -> None:
        self.capacity, self.top_k = capacity, top_k
        self.entries: list[Entry] = []
        self._stacked: dict[tuple[int, ...], tuple[Tensor, Tensor]] = {}

    def add(self, entry: Entry) -> None:
        """Remembers a frame, forgetting the oldest passing one where there is no room.

        A prompted frame that comes again, as in a pass backward, is not remembered twice.
        """
        if entry.permanent and any(_same(entry, other) for other in self.entries):
            return
        self.entries.append(entry)
        passing = [e for e in self.entries if not e.permanent]
        if len(passing) > self.capacity:
            self._drop(passing[0])
        self._stacked.clear()

    def forget(self, object_id: int, passing: bool = False) -> None:
        """Drops an object's values, and frames that were remembered for nothing else.

        Args:
            object_id: the object.
            passing: only those of frames that are not permanent.
        """
        for entry in self.entries:
            if not (passing and entry.permanent):
                entry.values.pop(object_id, None)
        for entry in [e for e in self.entries if not e.values]:
            self._drop(entry)
        self._stacked.clear()

    def read(self, query: Tensor, ids: list[int]) -> Tensor:
        """Values of some objects for every query pixel.

        Objects seen in the same frames are read in one go.

        Args:
            query: lifted query keys (2K+1, Q).
            ids: objects, each seen in at least one entry.

        Returns:
            (Q, N, V).
        """
        readouts: dict[int, Tensor] = {}
        for group in self._groups(ids):
            keys, values = self._stack(group)
            out = read_nearest(keys, query, values, self.top_k).unflatten(1, (len(group), -1))
            readouts.update(zip(group, out.unbind(1), strict=True))
        return torch.stack([readouts[i] for i in ids], 1)

    def state_dict(self) -> list[dict[str, Any]]:
        """Everything remembered, as tensors and plain values."""
        return [vars(entry) | {"values": dict(entry.values)} for entry in self.entries]

    def load_state_dict(self, state: list[dict[str, Any]], device: torch.device) -> None:
        """Puts back what `state_dict` gave, on `device`."""
        self.entries = [
            Entry(
                keys=row["keys"].to(device),
                values={i: value.to(device) for i, value in row["values"].items()},
                permanent=row["permanent"],
            )
            for row in state
        ]
        self._stacked.clear()

    def _drop(self, entry: Entry) -> None:
        self.entries = [e for e in self.entries if e is not entry]

    def _seen(self, object_id: int) -> tuple[int, ...]:
        return tuple(i for i, entry in enumerate(self.entries) if object_id in entry.values)

    def _groups(self, ids: list[int]) -> list[tuple[int, ...]]:
        groups: dict[tuple[int, ...], list[int]] = {}
        for object_id in ids:
            groups.setdefault(self._seen(object_id), []).append(object_id)
        return [tuple(group) for group in groups.values()]

    def _stack(self, group: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """Keys (M, 2K+1) and values (M, N*V) of the frames a group was seen in."""
        if group not in self._stacked:
            entries = [self.entries[i] for i in self._seen(group[0])]
            values = [torch.cat([e.values[i] for i in group], 1) for e in entries]
            self._stacked[group] = torch.cat([e.keys for e in entries]), torch.cat(values)
        return self._stacked[group]


def _same(one: Entry, other: Entry) -> bool:
    return (
        other.permanent
        and one.values.keys() == other.values.keys()
        and torch.equal(one.keys, other.keys)
        and all(torch.equal(value, other.values[i]) for i, value in one.values.items())
    )
