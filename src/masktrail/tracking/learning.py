"""What a propagator has learned from prompted frames, and learning from more of them."""

import hashlib
import time
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from masktrail.geometry import Soft
from masktrail.tracking.prompted import left
from masktrail.tracking.propagator import Learning, Lesson
from masktrail.types import Image


class Learned(NamedTuple):
    """A frame that was learned from.

    Attributes:
        digest: of it and of the masks.
        ids: objects that were prompted in it.
    """

    digest: str
    ids: Sequence[int]


class Learner:
    """A propagator that learns from prompted frames, from each once while it is among those that
    `prompted.left` leaves.

    Args:
        propagator: that has learned nothing yet.

    Attributes:
        lessons: where what was learned is kept, by what it was learned from, for whoever goes on
            later; None: nowhere but in the state.
        seconds: so long it has learned.
        progress: called with the share done, 0 to 1, while it learns; what it raises ends that.
    """

    def __init__(self, propagator: Learning) -> None:
        self._propagator = propagator
        self.lessons: MutableMapping[str, Mapping[str, Any]] | None = None
        self.seconds = 0.0
        self.progress: Callable[[float], None] = lambda share: None
        self._learned: list[Learned] = []
        self._lesson: Lesson | None = None

    def of(self, propagator: Learning) -> "Learner":
        """The same of another propagator, which has learned what this one has."""
        twin = Learner(propagator)
        twin.seconds, twin.progress = self.seconds, self.progress
        twin._learned, twin._lesson = list(self._learned), self._lesson
        return twin

    def learn(self, image: Image, masks: dict[int, Soft]) -> None:
        """Learns from a frame, unless it has; where the same was learned before, it takes that.

        What fails leaves the propagator as it was.

        Args:
            image: uint8 RGB (H, W, 3), as the propagator was given it.
            masks: coverage (H, W) in [0, 1] of the objects that were prompted in it, by id.
        """
        digest = _digest(image, masks)
        if any(digest == each.digest for each in self._learned):
            return
        learned, begun = [*self._learned, Learned(digest, sorted(masks))], time.perf_counter()
        key = self._key_with(digest)
        try:
            lesson = None if self.lessons is None else self.lessons.get(key)
            if lesson is not None:
                self._propagator.take(lesson)
            else:
                self._propagator.learn(image, masks, self.progress)
                lesson = self._propagator.lesson()
                if self.lessons is not None:
                    self.lessons[key] = lesson
        except BaseException:
            self._propagator.take(self._lesson)
            raise
        self.seconds += time.perf_counter() - begun
        self._learned = [learned[place] for place in left([each.ids for each in learned])]
        self._lesson = Lesson(key, lesson)

    def state_dict(self) -> dict[str, Any]:
        """What was learned, and from what: digests with ids, and a `Lesson` or None."""
        learned = [[digest, list(ids)] for digest, ids in self._learned]
        return {"learned": learned, "lesson": self._lesson}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Puts back what `state_dict` gave; version 0.1 said nothing of it, or told no ids."""
        lesson = state.get("lesson")
        if lesson is not self._lesson:
            self._propagator.take(lesson)
        self._learned = [
            Learned(each, (0,)) if isinstance(each, str) else Learned(*each)
            for each in state.get("learned", ())
        ]
        if lesson is not None and not isinstance(lesson, Lesson):
            lesson = Lesson(_key(self._digests), lesson)
        self._lesson = lesson

    @property
    def _digests(self) -> list[str]:
        return [each.digest for each in self._learned]

    def _key_with(self, digest: str) -> str:
        """Of all that was learned from, those that are no longer known too, and another frame."""
        digests = self._digests
        if self._lesson is not None and self._lesson.key != _key(digests):
            digests = [self._lesson.key]
        return _key([*digests, digest])


def _digest(image: Image, masks: Mapping[int, NDArray[np.floating]]) -> str:
    digest = hashlib.sha256(image.tobytes())
    for object_id, mask in sorted(masks.items()):
        digest.update(object_id.to_bytes(2, "little") + mask.tobytes())
    return digest.hexdigest()


def _key(learned: Sequence[str]) -> str:
    """Of what was learned from frames in this order, by their digests."""
    return hashlib.sha256("".join(learned).encode()).hexdigest()
