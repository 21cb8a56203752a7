"""The marked frames that an AGUNet tells all others from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.engines import Engine
from masktrail.geometry import Soft
from masktrail.tracking.prompted import surplus

ROOM = 2**25
"""So many similarities of pixels to remembered ones are there at a time, at most, but for those of
one object."""


@dataclass
class Reference:
    """A marked frame.

    Attributes:
        features: `Levels.f16` of it, as an engine keeps them.
        masks: how much of each pixel at stride 16 is an object's (h, w), by id.
        key: what other frames are compared with, of the features.
        turn: ascending with the time when they were marked last.
    """

    features: Any
    masks: dict[int, Soft]
    key: Any
    turn: int


class References:
    """Marked frames, in the order they came in; those that are left of many, see `surplus`.

    Args:
        engine: of an `AgunetNetwork`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._all: list[Reference] = []

    def add(self, features: Any, masks: Mapping[int, Soft]) -> None:
        """Keeps a marked frame, see `Reference`; one that comes again in a pass backward, once, as
        the newest."""
        turn = 1 + max((r.turn for r in self._all), default=0)
        shown = self._engine.array(features)
        for kept in self._all:
            if np.array_equal(self._engine.array(kept.features), shown):
                kept.masks.update(masks)
                kept.turn = turn
                break
        else:
            self._all.append(Reference(features, dict(masks), self._key(features), turn))
        for place, object_id in surplus([r.masks for r in self._all], [r.turn for r in self._all]):
            self._all[place].masks.pop(object_id)
        self._all = [r for r in self._all if r.masks]

    def groups(self, ids: Sequence[int]) -> list[list[int]]:
        """Objects that were marked in the same frames, which are sought together, as many as there
        is room for."""
        same: dict[tuple[int, ...], list[int]] = {}
        for object_id in ids:
            frames = tuple(k for k, r in enumerate(self._all) if object_id in r.masks)
            same.setdefault(frames, []).append(object_id)
        groups = []
        for frames, group in same.items():
            pixels = next(iter(self._all[frames[0]].masks.values())).size
            step = max(1, ROOM // (len(frames) * pixels**2))
            groups += [group[i : i + step] for i in range(0, len(group), step)]
        return groups

    def of(self, group: Sequence[int]) -> tuple[Any, NDArray[np.float32]]:
        """Keys and masks of R marked frames of N objects, as `AgunetNetwork.score` takes them."""
        frames = [r for r in self._all if group[0] in r.masks]
        masks = np.stack([np.stack([r.masks[i] for i in group]) for r in frames])
        return self._engine.join([r.key for r in frames], 0), masks

    def forget(self, object_id: int) -> None:
        """Drops an object, and frames that were marked for nothing else."""
        for reference in self._all:
            reference.masks.pop(object_id, None)
        self._all = [r for r in self._all if r.masks]

    def remake(self) -> None:
        """Makes keys anew, of a network that has learned."""
        for reference in self._all:
            reference.key = self._key(reference.features)

    def state(self) -> list[Any]:
        """Everything needed to go on, as arrays and plain values."""
        return [[self._engine.array(r.features), dict(r.masks), r.turn] for r in self._all]

    def load(self, state: Iterable[Any]) -> None:
        """Puts back what `state` gave; early ones told no `turn`."""
        self._all = []
        for place, (array, masks, *turn) in enumerate(state):
            features, when = self._engine.keep(array), turn[0] if turn else place
            self._all.append(Reference(features, dict(masks), self._key(features), when))

    def _key(self, features: Any) -> Any:
        return self._engine.run("project", features)
