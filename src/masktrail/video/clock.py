"""Presentation times that always increase, from whatever a container tells."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from fractions import Fraction

import av

AT_ONCE = 8
"""Frames in a row that may be told too early; where more are, time has begun anew."""


def finer(time_base: Fraction, rate: Fraction) -> int:
    """Into how many parts a unit of time has to be divided so that every frame has one of its own.

    Args:
        time_base: seconds per unit.
        rate: frames per second.
    """
    return max(1, math.ceil(rate * time_base))


class Clock:
    """Times of decoded frames, in units of the stream's time base or parts of it.

    A time that is told twice, or too early, is put between its neighbours, which keep theirs. Where
    time begins anew, as where recordings were put end to end, it goes on without a gap.

    Args:
        by_dts: times are those of decoding, as in AVI, which stores no others.
        duration: of a usual frame, in parts.
        parts: of a unit, see `finer`.
    """

    def __init__(self, by_dts: bool, duration: int, parts: int = 1) -> None:
        self._by_dts, self._duration, self._parts = by_dts, duration, parts
        self._first_dts: int | None = None
        self._offset = 0
        self._last: int | None = None
        self._coming: deque[av.VideoFrame] = deque()

    def timed(self, frames: Iterator[av.VideoFrame]) -> Iterator[tuple[av.VideoFrame, int]]:
        """Frames in presentation order, and when each is shown."""
        while self._look(frames, 1):
            timestamp = self._timestamp(self._coming[0])
            if timestamp is None:
                yield self._next(self._after())
            elif self._last is None or timestamp > self._last:
                yield self._next(timestamp)
            else:
                yield from self._mended(frames, timestamp)

    def _mended(
        self, frames: Iterator[av.VideoFrame], timestamp: int
    ) -> Iterator[tuple[av.VideoFrame, int]]:
        """The frames from here on that are told too early, or none where time begins anew."""
        last, early, following = self._last or 0, 1, None
        while early <= AT_ONCE and self._look(frames, early + 1):
            following = self._timestamp(self._coming[early])
            if following is None or following > last:
                break
            early += 1
        if early > AT_ONCE:
            self._offset += last + self._duration - timestamp
            return
        room = self._duration * (early + 1)
        if following is not None and following > last:
            room = min(room, following - last)
        for nth in range(1, early + 1):
            yield self._next(max(last + nth, last + room * nth // (early + 1)))

    def _look(self, frames: Iterator[av.VideoFrame], count: int) -> bool:
        """Whether so many frames are still to come."""
        while len(self._coming) < count and (frame := next(frames, None)) is not None:
            self._coming.append(frame)
        return len(self._coming) >= count

    def _next(self, time: int) -> tuple[av.VideoFrame, int]:
        self._last = time
        return self._coming.popleft(), time

    def _after(self) -> int:
        return 0 if self._last is None else self._last + self._duration

    def _timestamp(self, frame: av.VideoFrame) -> int | None:
        ticks = frame.pts
        if self._by_dts:
            if self._first_dts is None:
                self._first_dts = frame.dts
            ticks = None if frame.dts is None else frame.dts - (self._first_dts or 0)
        return None if ticks is None else ticks * self._parts + self._offset
