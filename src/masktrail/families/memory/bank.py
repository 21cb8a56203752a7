"""A bounded memory of frames: keys of the picture, values of every object seen in it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from masktrail.engines import Engine
from masktrail.geometry import Soft
from masktrail.tracking.prompted import surplus

Group = tuple[int, ...]
"""Objects that were seen in the same entries."""


class Origin(NamedTuple):
    """What values are made of.

    Attributes:
        features: of the picture at stride 16, as an engine keeps them.
        masks: soft masks at mask stride by id, of the objects that are remembered.
    """

    features: Any
    masks: dict[int, Soft]


@dataclass
class Entry:
    """One remembered frame, as an engine keeps it.

    Attributes:
        keys: lifted memory keys (1, P, 2K+1) of its P pixels at stride 16.
        values: (P, V) by object id; only objects that were seen in it.
        permanent: of a prompted frame, kept as `tracking.prompted` says.
        origin: what the values were made of, where they may have to be made anew.
        prompted: objects that were prompted in it; where these were all removed since, it is kept
            for all that were seen in it.
        turn: of permanent ones, ascending with the time when they were given last.
    """

    keys: Any
    values: dict[int, Any]
    permanent: bool
    origin: Origin | None = None
    prompted: set[int] = field(default_factory=set)
    turn: int = 0


class MemoryBank:
    """Permanent entries, those that are left of many, and the latest of the others.

    Args:
        engine: of a `MemoryNetwork`.
        capacity: how many entries that are not permanent are kept; the oldest goes first.
    """

    def __init__(self, engine: Engine, capacity: int) -> None:
        self._engine, self.capacity = engine, capacity
        self.entries: list[Entry] = []
        self._gathered: dict[Group, Any] = {}
        self._keys: Any = None

    def add(self, entry: Entry) -> None:
        """Remembers a frame, forgetting the oldest passing one where there is no room.

        A prompted frame that comes again, as in a pass backward, is not remembered twice; it is the
        newest from then on.
        """
        if entry.permanent:
            entry.turn = 1 + max((e.turn for e in self.entries), default=0)
            for stored in self.entries:
                if self._same(entry, stored):
                    stored.turn = entry.turn
                    stored.prompted |= entry.prompted
                    return
        self.entries.append(entry)
        self._drop_surplus()
        passing = [e for e in self.entries if not e.permanent]
        if len(passing) > self.capacity:
            self._drop(passing[0])
        self._changed()

    def forget(self, object_id: int, passing: bool = False) -> None:
        """Drops an object's values, and frames that were remembered for nothing else.

        Args:
            object_id: the object.
            passing: only those of frames that are not permanent.
        """
        for entry in self.entries:
            if not (passing and entry.permanent):
                entry.values.pop(object_id, None)
                entry.prompted.discard(object_id)
        for entry in [e for e in self.entries if not e.values]:
            self._drop(entry)
        self._changed()

    def remake(self, values_of: Callable[[Origin], dict[int, Any]]) -> None:
        """Makes all values anew that are known what they are made of.

        Args:
            values_of: gives values by id, of an origin.
        """
        for entry in self.entries:
            if entry.origin is not None:
                values = values_of(entry.origin)  # of those forgotten since too, which lie beside
                entry.values = {i: values[i] for i in entry.values}
        self._changed()

    def groups(self, ids: list[int]) -> list[Group]:
        """Objects, each seen in at least one entry, by the entries that they were seen in."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for object_id in ids:
            groups.setdefault(self._seen(object_id), []).append(object_id)
        return [tuple(group) for group in groups.values()]

    def keys(self) -> Any:
        """Of all entries side by side (1, M, 2K+1)."""
        if self._keys is None:
            self._keys = self._engine.join([entry.keys for entry in self.entries], 1)
        return self._keys

    def values(self, group: Group) -> Any:
        """Of the N objects of a group in the entries that they were seen in (1, M', N*V)."""
        if group not in self._gathered:
            entries = [self.entries[i] for i in self._seen(group[0])]
            join = self._engine.join
            values = [join([entry.values[i] for i in group], 1) for entry in entries]
            self._gathered[group] = join(values, 0)[None]
        return self._gathered[group]

    def similarity(self, compared: Any, group: Group) -> Any:
        """What concerns a group (1, Q, M') of how similar all `keys` are (1, Q, M)."""
        seen = self._seen(group[0])
        if len(seen) == len(self.entries):
            return compared
        size = compared.shape[2] // len(self.entries)  # all frames are as large
        return self._engine.join([compared[:, :, i * size : (i + 1) * size] for i in seen], 2)

    def state_dict(self) -> list[dict[str, Any]]:
        """Everything remembered, as arrays and plain values."""
        array = self._engine.array
        return [
            {
                "keys": array(entry.keys)[0],
                "values": {i: array(value) for i, value in entry.values.items()},
                "permanent": entry.permanent,
                "origin": entry.origin and [array(entry.origin.features), dict(entry.origin.masks)],
                "prompted": sorted(entry.prompted),
                "turn": entry.turn,
            }
            for entry in self.entries
        ]

    def load_state_dict(self, state: list[dict[str, Any]]) -> None:
        """Puts back what `state_dict` gave; early states told no `prompted` and no `turn`."""
        keep = self._engine.keep
        self.entries = [
            Entry(
                keys=keep(row["keys"][None]),
                values={i: keep(value) for i, value in row["values"].items()},
                permanent=row["permanent"],
                origin=_origin(row.get("origin"), keep),
                prompted=set(row.get("prompted", ())),
                turn=row.get("turn", place),
            )
            for place, row in enumerate(state)
        ]
        self._changed()

    def _changed(self) -> None:
        self._gathered.clear()
        self._keys = None

    def _drop_surplus(self) -> None:
        """Forgets objects in prompted frames where they have too many, and frames kept for none."""
        permanent = [e for e in self.entries if e.permanent]
        kept_for = [set(e.prompted or e.values) for e in permanent]
        for place, object_id in surplus(kept_for, [e.turn for e in permanent]):
            kept_for[place].discard(object_id)
            permanent[place].prompted.discard(object_id)
            permanent[place].values.pop(object_id)
        for entry, ids in zip(permanent, kept_for, strict=True):
            if not ids:
                self._drop(entry)

    def _drop(self, entry: Entry) -> None:
        self.entries = [e for e in self.entries if e is not entry]

    def _seen(self, object_id: int) -> tuple[int, ...]:
        return tuple(i for i, entry in enumerate(self.entries) if object_id in entry.values)

    def _same(self, entry: Entry, stored: Entry) -> bool:
        def equal(a: Any, b: Any) -> bool:
            return np.array_equal(self._engine.array(a), self._engine.array(b))

        return (
            stored.permanent
            and entry.values.keys() == stored.values.keys()
            and equal(entry.keys, stored.keys)
            and all(equal(value, stored.values[i]) for i, value in entry.values.items())
        )


def _origin(row: Any, keep: Callable[[Any], Any]) -> Origin | None:
    """That of a state, if it has one."""
    return None if row is None else Origin(keep(row[0]), dict(row[1]))
