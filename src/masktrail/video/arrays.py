"""Frames that somebody else has read, as a video: arrays, from whatever gives them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from fractions import Fraction
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.images import as_rgb
from masktrail.types import Colour, Frame, VideoInfo

RATE = Fraction(25)

NAME = "The iterable of frames"
"""What its frames come from, as it is named."""

Arrays = Iterable[NDArray[Any]] | Iterable[Frame]
"""Pictures, uint8 (H, W, 3), or frames."""


class Feed:
    """What an iterator gives, one by one and counted, for all who ask.

    Args:
        frames: whatever can be iterated.

    Attributes:
        index: of what is to be taken next.
    """

    def __init__(self, frames: Iterable[Any]) -> None:
        self.index = 0
        self._iterator, self._waiting = iter(frames), list[Any]()

    def peek(self) -> Any:
        """What is to be taken next; it raises StopIteration at the end."""
        if not self._waiting:
            self._waiting.append(next(self._iterator))
        return self._waiting[0]

    def take(self) -> tuple[int, Any]:
        """The next one, and its index; it raises StopIteration at the end."""
        item = self._waiting.pop() if self._waiting else next(self._iterator)
        self.index += 1
        return self.index - 1, item


class ArraySource:
    """Frames of somebody else, 25 per second; those that are `Frame`s keep their times.

    A sequence, whatever has a length and can be indexed such as a list or an array (T, H, W, 3),
    can be read in any order. Of a feed the first frame is looked at at once, each is taken when it
    is asked for, and what is read again goes on where it is.

    Args:
        frames: a sequence or a `Feed` of pictures, uint8 (H, W, 3), all of one size, or of frames.
        colour: order of the channels of pictures.

    Raises:
        InputError: there is no frame, or the first is none.
    """

    def __init__(self, frames: Sequence[Any] | Feed, colour: Colour = "rgb") -> None:
        self.loss: str | None = None
        self._frames, self._colour = frames, colour
        self.repeatable = not isinstance(frames, Feed)
        self._last: int | None = None
        self._later = self._shown = 0
        first = self._first()
        height, width = first.image.shape[:2]
        shown = first.duration * first.time_base
        self.info = VideoInfo(
            source=NAME,
            width=width,
            height=height,
            rate=1 / shown if shown > 0 else RATE,
            time_base=first.time_base,
            frames=None if isinstance(frames, Feed) else len(frames),
        )

    def frames(self, start: int = 0, end: int | None = None) -> Iterator[Frame]:
        """Frames with `start <= index < end`."""
        if not isinstance(self._frames, Feed):
            for index in range(len(self._frames))[start:end]:
                yield self._frame(self._frames[index], index)
            return
        while end is None or self._frames.index < end:  # the one behind is not to be waited for
            try:
                index, item = self._frames.take()
            except StopIteration:
                return
            frame = self._timed(self._frame(item, index))
            del item
            if index >= start:
                yield frame
            del frame

    def content(self) -> str | None:
        """What tells a sequence from another one: its first, middle and last frame."""
        if isinstance(self._frames, Feed):
            return None
        digest, count = hashlib.sha256(), len(self._frames)
        for index in (0, count // 2, count - 1):
            digest.update(self._frame(self._frames[index], index).image.tobytes())
        return digest.hexdigest()[:16]

    def close(self) -> None:
        """The frames are their owner's."""

    def _first(self) -> Frame:
        frames = self._frames
        try:
            return self._frame(frames.peek() if isinstance(frames, Feed) else frames[0], 0)
        except (StopIteration, IndexError):
            raise InputError(
                "There is not one frame in what was given as a video; give at least one."
            ) from None

    def _timed(self, frame: Frame) -> Frame:
        """A frame in the unit of the first one; where its time is not behind that of the one
        before, as where one video follows another, it is shown when that one ends."""
        base = self.info.time_base
        pts, duration = (round(t * frame.time_base / base) for t in (frame.pts, frame.duration))
        if self._last is not None and pts + self._later <= self._last:
            self._later = self._last + self._shown - pts
        self._last, self._shown = pts + self._later, duration or round(1 / RATE / base) or 1
        return replace(frame, pts=self._last, time_base=base, duration=duration)

    def _frame(self, item: Any, index: int) -> Frame:
        """A frame of its own: whoever gives pictures may use the room of one for the next."""
        if isinstance(item, Frame):
            return replace(item, image=as_rgb(item.image), index=index)
        image = np.array(as_rgb(item, self._colour), order="C")
        return Frame(image, index, index, 1 / RATE, 1)


def is_sequence(frames: object) -> TypeGuard[Sequence[Any]]:
    """Whether frames can be read in any order."""
    return hasattr(frames, "__len__") and hasattr(frames, "__getitem__")


def are_frames(source: object) -> TypeGuard[Arrays]:
    """Whether a source may give frames itself, unlike names, numbers, mappings and sets."""
    if isinstance(source, np.ndarray):
        return source.ndim > 0
    iterable = isinstance(source, Iterable) or is_sequence(source)
    return iterable and not isinstance(source, (str, bytes, Mapping, Set))
