"""Frames that somebody else has read, as a video: arrays, from whatever gives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from typing import Any, TypeGuard

from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.images import as_rgb
from masktrail.types import Colour, Frame, VideoInfo

RATE = Fraction(25)

NAME = "The iterable of frames"
"""What its frames come from, as it is named."""

Arrays = Iterable[NDArray[Any]] | Iterable[Frame]
"""Pictures, uint8 (H, W, 3), or frames."""


class ArraySource:
    """Frames of an iterable, 25 per second; those that are `Frame`s keep their times.

    Whatever has a length and can be indexed, such as a list or an array (T, H, W, 3), can be read
    in any order. Of anything else the first frame is taken at once, and each of the others when it
    is asked for.

    Args:
        frames: pictures, uint8 (H, W, 3), all of one size, or frames.
        colour: order of the channels of pictures.

    Raises:
        InputError: there is no frame, or the first is none.
    """

    def __init__(self, frames: Arrays, colour: Colour = "rgb") -> None:
        self.loss: str | None = None
        self._colour = colour
        self._sequence = frames if is_sequence(frames) else None
        self.repeatable = self._sequence is not None
        self._rest: Iterator[Any] = iter(())
        first = self._first(frames)
        height, width = first.image.shape[:2]
        self.info = VideoInfo(
            source=NAME,
            width=width,
            height=height,
            rate=RATE,
            time_base=first.time_base,
            frames=None if self._sequence is None else len(self._sequence),
        )

    def frames(self, start: int = 0, end: int | None = None) -> Iterator[Frame]:
        """Frames with `start <= index < end`."""
        if self._sequence is not None:
            for index in range(len(self._sequence))[start:end]:
                yield self._frame(self._sequence[index], index)
            return
        for index, item in enumerate(self._rest):
            if index >= start:
                yield self._frame(item, index)
            if end is not None and index + 1 >= end:  # the next one is not to be waited for
                return

    def close(self) -> None:
        """The iterable is its owner's."""

    def _first(self, frames: Arrays) -> Frame:
        iterator = iter(frames)
        try:
            item = next(iterator) if self._sequence is None else self._sequence[0]
        except (StopIteration, IndexError):
            raise InputError(
                "There is not one frame in what was given as a video; give at least one."
            ) from None
        if self._sequence is None:
            self._rest = chain([item], iterator)
        return self._frame(item, 0)

    def _frame(self, item: Any, index: int) -> Frame:
        if isinstance(item, Frame):
            return replace(item, index=index)
        return Frame(as_rgb(item, self._colour), index, index, 1 / RATE, 1)


def is_sequence(frames: object) -> TypeGuard[Sequence[Any]]:
    """Whether frames can be read in any order."""
    return hasattr(frames, "__len__") and hasattr(frames, "__getitem__")


def are_frames(source: object) -> TypeGuard[Arrays]:
    """Whether a source may give frames itself, unlike names, numbers, mappings and sets."""
    iterable = isinstance(source, Iterable) or is_sequence(source)
    return iterable and not isinstance(source, (str, bytes, Mapping, Set))
