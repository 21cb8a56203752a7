"""Propagation by a space-time memory network."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from masktrail.engines import Engine
from masktrail.families.memory.bank import Entry, Group, MemoryBank, Origin
from masktrail.families.memory.config import MASK_STRIDE, STRIDE, Encoded
from masktrail.geometry import Soft
from masktrail.settings import Range
from masktrail.tracking.confidence import LOST
from masktrail.tracking.prompted import MOST
from masktrail.tracking.shot import Shot
from masktrail.tracking.taught import Parameters, Taught
from masktrail.types import Image

ROOM = 2**24
"""So many similarities of pixels to remembered ones are there at a time, at most."""

AHEAD = 4
"""So many lengths of memory besides the first are warmed up for."""


class Features(NamedTuple):
    """What a frame shows, as an engine keeps it.

    Attributes:
        encoded: of the network.
        memory: what later frames are compared with (1, P, 2K+1), from `lift`.
        query: what memory is compared with (1, 2K+1, P).
    """

    encoded: Encoded
    memory: Any
    query: Any


class MemoryPropagator(Taught):
    """Masks of the next frame from a bounded memory of frames and the masks of the last one.

    Args:
        engine: of a `MemoryNetwork`.
        capacity: remembered frames beside the prompted ones, see `tracking.prompted`.
        every: a frame is remembered after this many.
        top_k: memory pixels that each pixel reads from.
        min_score: objects less certain than this are not written to memory.
        adapt: seconds to learn from dreams of every prompted frame, see `adapting`; 0 for nothing.
            It takes torch.
    """

    stride = STRIDE
    mask_stride = MASK_STRIDE

    def __init__(
        self,
        engine: Engine,
        capacity: Annotated[int, Range(0)] = 4,
        every: Annotated[int, Range(1)] = 3,
        top_k: Annotated[int, Range(1)] = 30,
        min_score: Annotated[float, Range(0, 1)] = LOST,
        adapt: Annotated[float, Range(0)] = 0.0,
    ) -> None:
        super().__init__()
        self.engine, self.device = engine, engine.device
        self.every, self.top_k, self.min_score = every, top_k, min_score
        self.seconds = adapt
        self.bank = MemoryBank(engine, capacity)
        self._previous: dict[int, Soft] = {}
        self._near: Any = None
        self._since_write = 0
        self._seen: Features | None = None

    def warm_up(self, height: int, width: int, count: int, shown: int) -> Iterator[None]:
        """See `WarmingUp.warm_up`; comparing comes last, for every length that memory grows to."""
        shown = min(shown, MOST)
        high, wide = height // STRIDE, width // STRIDE
        yield from self.engine.warm_up({"h": high, "w": wide, "n": count})
        pixels, last = high * wide, shown + min(self.bank.capacity, AHEAD)
        for length in range(max(shown, len(self.bank.entries)), last + 1):
            sizes = {"q": _at_a_time(pixels, length * pixels), "m": length * pixels}
            yield from self.engine.warm_up(sizes)

    def look(self, image: Image) -> Features:
        """Features of an image, uint8 RGB (H, W, 3), sides multiples of `stride`."""
        encoded = Encoded(*self.engine.run("encode", image[None]))
        return Features(encoded, *self.engine.run("lift", *encoded.keys))

    def propagate(self, seen: Features, ids: list[int]) -> NDArray[np.float32]:
        """Finds objects in the next frame.

        Args:
            seen: what `look` said of it.
            ids: objects to look for, all of them known.

        Returns:
            Logits (N, H/2, W/2), objects independent of each other.
        """
        run = self.engine.run
        self._seen, (encoded, _, query) = seen, seen
        if not ids:
            return np.zeros((0, *encoded.skip2.shape[2:]), np.float32)
        groups = self.bank.groups(ids)
        read = [i for group in groups for i in group]
        readout = self._read(query, groups)
        previous = np.stack([self._previous[i] for i in read])[None]
        carried = run("carry", self._near, encoded.near, previous)
        logits = self.engine.array(run("segment", *encoded.skips, readout, *carried))[0]
        return logits if read == ids else logits[[read.index(i) for i in ids]]

    def update(self, masks: dict[int, Soft], scores: dict[int, float], prompted: set[int]) -> None:
        """Takes the masks that were settled on for the frame last looked at.

        Args:
            masks: soft masks (H/2, W/2) by object id, all objects.
            scores: confidence of each, 0 where it is lost.
            prompted: objects whose mask came from the user.
        """
        assert self._seen is not None
        self._previous, self._near = dict(masks), self._seen.encoded.near
        self._since_write += 1
        # what led to a mask that had to be corrected is not to be trusted
        for object_id in prompted:
            self.bank.forget(object_id, passing=True)
        certain = [i for i in masks if scores[i] >= self.min_score or i in prompted]
        if certain and (prompted or self._since_write >= self.every):
            self._write(masks, certain, prompted)
            self._since_write = 0

    def _read(self, query: Any, groups: list[Group]) -> Any:
        """What memory says (1, P, N*V) of the objects of some groups, one after the other."""
        keys, count = self.bank.keys(), query.shape[2]
        step = _at_a_time(count, keys.shape[1])
        parts = []
        for start in range(0, count, step):
            first = min(start, count - step)  # as many each time: sizes are prepared for
            of_all = self.engine.run("compare", query[:, :, first : first + step], keys)
            readouts = [self._attend(of_all, group) for group in groups]
            parts.append(self.engine.join(readouts, 2)[:, start - first :])
            del of_all  # whose room the next one is to have
        return parts[0] if len(parts) == 1 else self.engine.join(parts, 1)

    def _attend(self, compared: Any, group: Group) -> Any:
        similarity = self.bank.similarity(compared, group)
        return self.engine.attend(similarity, self.bank.values(group), self.top_k)

    def _write(self, masks: dict[int, Soft], ids: list[int], prompted: set[int]) -> None:
        assert self._seen is not None
        origin = Origin(self._seen.encoded.f16, {i: masks[i] for i in ids})
        values = self._values(origin)
        kept = origin if self.seconds else None
        self.bank.add(
            Entry(self._seen.memory, values, bool(prompted), kept, prompted=set(prompted))
        )

    def _values(self, origin: Origin) -> dict[int, Any]:
        """Of objects, (P, V) by id."""
        ids, stacked = list(origin.masks), np.stack(list(origin.masks.values()))[None]
        values = self.engine.run("memorize", origin.features, stacked)  # (1, P, N*V)
        width = values.shape[2] // len(ids)
        return {i: values[0, :, k * width : (k + 1) * width] for k, i in enumerate(ids)}

    def taught(
        self, network: Any, shots: tuple[Shot, ...], progress: Callable[[float], None]
    ) -> Parameters:
        """Decoder and encoder of values adapted to marked frames, see `Taught.taught`."""
        from masktrail.families.memory.adapting import adapted

        return adapted(network, shots, self.seconds, progress, self.device)

    def changed(self) -> None:
        """What is remembered is made anew by what has learned."""
        self.bank.remake(self._values)

    def forget(self, object_id: int) -> None:
        """Drops everything known of an object."""
        self.bank.forget(object_id)
        self._previous.pop(object_id, None)

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on, as arrays and plain values."""
        return {
            "bank": self.bank.state_dict(),
            "previous": dict(self._previous),
            "near": None if self._near is None else self.engine.array(self._near),
            "since_write": self._since_write,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts back what `state_dict` gave."""
        self.bank.load_state_dict(state["bank"])
        self._previous = dict(state["previous"])
        self._near = None if state["near"] is None else self.engine.keep(state["near"])
        self._since_write = state["since_write"]


def _at_a_time(count: int, remembered: int) -> int:
    """So many of `count` pixels are compared with remembered ones together."""
    return max(1, min(count, ROOM // remembered))
