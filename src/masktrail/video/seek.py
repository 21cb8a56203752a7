"""Any stretch of a recording by count, also from its end to its beginning, exactly as it is read.

A file is counted once, by decoding it from its beginning, for all who look at it meanwhile: the
page, and the run that it started.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Protocol

import av

from masktrail.errors import InputError
from masktrail.types import Frame, Image, VideoInfo
from masktrail.video.container import ContainerSource
from masktrail.video.index import Index, read_chunk
from masktrail.video.source import Source, Tick, nothing

ROOM_BYTES = 128 * 2**20
"""Of decoded pictures that are read at once."""

PATIENCE = 0.05
"""Seconds after which who waits for another one's counting looks around."""


class Recording(Protocol):
    """Frames that can be read in any order; used by one thread at a time, but for its counts."""

    @property
    def info(self) -> VideoInfo:
        """What is known of the video."""
        ...

    @property
    def counted(self) -> bool:
        """Whether its length is that of the video."""
        ...

    @property
    def loss(self) -> str | None:
        """What was lost of it as far as it is counted, one sentence."""
        ...

    @property
    def ahead(self) -> int:
        """How many frames are worth reading where the first of them is wanted."""
        ...

    def __len__(self) -> int:
        """Frames that are counted so far."""
        ...

    def count(self, end: int, tick: Tick = nothing) -> None:
        """Counts up to frame `end`, or to the end of the video.

        Args:
            end: frame to stop before.
            tick: called for every frame that is counted; it may raise to end this.
        """
        ...

    def pick(self, indices: Sequence[int], tick: Tick = nothing) -> Iterator[Frame]:
        """Single frames, in ascending order, counted on the way; it ends where there is none."""
        ...

    def chunk(self, start: int, end: int) -> int:
        """First frame, `start` or later, of a stretch that ends before `end` and is read at once;
        all of them counted."""
        ...

    def stretch(self, indices: range) -> Iterator[Frame]:
        """Counted frames side by side, in ascending or descending order."""
        ...

    def close(self) -> None:
        """Lets go of the file."""
        ...


def recording_of(open_source: Callable[[], Source]) -> Recording:
    """What a function opens, if it can be repeated, as a recording."""
    source = open_source()
    if isinstance(source, ContainerSource):
        return File(source)
    return Pictures(source)


def frames_backward(
    recording: Recording, start: int, last: int, tick: Tick = nothing
) -> Iterator[Frame]:
    """Frames from `last` down to `start`, few of them alive.

    Raises:
        InputError: there is no frame `last`.
    """
    recording.count(last + 1, tick)
    if len(recording) <= last:
        raise InputError(
            f"{recording.info.source} ends with frame {len(recording) - 1}; frame {last} was asked "
            "for."
        )
    end = last + 1
    while end > start:
        first = recording.chunk(start, end)
        yield from recording.stretch(range(end - 1, first - 1, -1))
        end = first


class Pictures:
    """Pictures of a folder, or pages of one, as a `Recording`: each can be read by itself.

    Args:
        source: of known length; closed with this.
    """

    counted, ahead = True, 1

    def __init__(self, source: Source) -> None:
        self._source = source
        self.info = source.info

    @property
    def loss(self) -> str | None:
        """See `Recording`."""
        return self._source.loss

    def __len__(self) -> int:
        return self.info.frames or 0

    def count(self, end: int, tick: Tick = nothing) -> None:
        """They are counted."""

    def pick(self, indices: Sequence[int], tick: Tick = nothing) -> Iterator[Frame]:
        """See `Recording.pick`."""
        for index in indices:
            tick()
            if index < len(self):
                yield from self.stretch(range(index, index + 1))

    def chunk(self, start: int, end: int) -> int:
        """See `Recording.chunk`."""
        room = max(1, ROOM_BYTES // (self.info.width * self.info.height * 3))
        return max(start, end - room)

    def stretch(self, indices: range) -> Iterator[Frame]:
        """See `Recording.stretch`."""
        first, end = min(indices), max(indices) + 1
        frames = list(self._source.frames(first, end))
        if frames and frames[0].lost and (before := self._before(first)) is not None:
            lost = list(takewhile(lambda frame: frame.lost, frames))
            frames[: len(lost)] = [replace(frame, image=before) for frame in lost]
        if indices.step > 0:
            frames.reverse()
        while frames:
            yield frames.pop()

    def _before(self, index: int) -> Image | None:
        """The picture that stands for one that cannot be decoded: the last before it that can."""
        singles = (self._source.frames(place, place + 1) for place in range(index - 1, -1, -1))
        return next((f.image for frames in singles for f in frames if not f.lost), None)

    def close(self) -> None:
        """Closes the pictures."""
        self._source.close()


class Counting:
    """The frames of a file, counted from its beginning; whoever wants more of them counts on.

    Args:
        source: freshly opened, for nothing but this; closed at its end, or with the last user.

    Attributes:
        index: of what is counted.
        whole: whether that is all.
        error: what ended it before; whoever counts on is told.
        loss: what was lost, once it is whole.
        users: how many look at it.
    """

    def __init__(self, source: ContainerSource) -> None:
        self.index, self.whole, self.users = Index(), False, 0
        self.loss: str | None = None
        self._source, self._timed = source, source.timed()
        self._before: av.VideoFrame | None = None
        self.error: BaseException | None = None
        self._lock = threading.Lock()

    def one_more(self) -> tuple[int, av.VideoFrame] | None:
        """Counts a frame.

        Returns:
            Which one and the frame as decoded; None where there is no more, or where for a moment
            somebody else was counting, so that `index` and `whole` tell.
        """
        if not self._lock.acquire(timeout=PATIENCE):
            return None
        try:
            return self._next()
        finally:
            self._lock.release()

    def close(self) -> None:
        """Closes the file; nothing is counted any more."""
        with self._lock:
            self._source.close()

    def _next(self) -> tuple[int, av.VideoFrame] | None:
        if self.error is not None:
            raise self.error
        if self.whole:
            return None
        place = len(self.index)
        try:
            raw, time = next(self._timed)
            self.index.add(raw, time, self._source.duration(raw), raw is self._before)
        except StopIteration:
            self.loss, self.whole = self._source.loss, True
            self._source.close()
            return None
        except BaseException as error:
            self.error = error
            raise
        self._before = raw
        return place, raw


_COUNTED: dict[tuple[str, int, int], Counting] = {}
"""Of files that are being looked at, by path, size and time of change."""

_LOCK = threading.Lock()
"""Of `_COUNTED` and of the numbers of users."""


class File:
    """A file as a `Recording`: counted by decoding it, read again from key frames.

    Args:
        source: opened; closed with this.
    """

    ahead = 12

    def __init__(self, source: ContainerSource) -> None:
        self._source = source
        self.info = source.info
        self._counting = _counting_of(source)
        self._closed = False
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def counted(self) -> bool:
        """See `Recording`; nobody goes on where counting has failed."""
        return self._counting.whole or self._counting.error is not None

    @property
    def loss(self) -> str | None:
        """See `Recording`."""
        return self._counting.loss

    def __len__(self) -> int:
        return len(self._counting.index)

    def count(self, end: int, tick: Tick = nothing) -> None:
        """See `Recording.count`."""
        while len(self) < end and not self._counting.whole:
            self._counting.one_more()
            tick()

    def pick(self, indices: Sequence[int], tick: Tick = nothing) -> Iterator[Frame]:
        """See `Recording.pick`: frames that are counted here are not decoded again."""
        with ExitStack() as stack:
            forwards: Iterator[Frame] | None = None
            for index in indices:
                frame = self._caught(index, tick)
                if frame is None and index < len(self):
                    if self._counting.index.before(index)[0] > 0:
                        frame = next(self.stretch(range(index, index + 1)), None)
                    else:  # from the beginning, once for all of them
                        if forwards is None:
                            source = stack.enter_context(closing(self._source.again()))
                            forwards = source.frames(index)
                        frame = _advanced(forwards, index, tick)
                if frame is None:
                    return
                yield frame

    def count_behind(self) -> None:
        """Counts all of it on a thread, until it is closed."""
        self._thread = threading.Thread(target=self._count_all, name="counting", daemon=True)
        self._thread.start()

    def chunk(self, start: int, end: int) -> int:
        """See `Recording.chunk`."""
        return self._counting.index.chunk(start, end)

    def stretch(self, indices: range) -> Iterator[Frame]:
        """See `Recording.stretch`."""
        index, first = self._counting.index, min(indices)
        chunk = read_chunk(self._source, self._source.again, index, first, max(indices) + 1)
        places = list(range(first, first + len(chunk)))
        if indices.step > 0:
            chunk.reverse()
            places.reverse()
        while chunk:
            yield self._frame(places.pop(), chunk.pop())

    def close(self) -> None:
        """Stops counting behind and closes the file."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        if not self._closed:
            self._closed = True
            self._source.close()
            _leave(self._counting)

    def _frame(self, place: int, raw: av.VideoFrame) -> Frame:
        """A counted frame from what was decoded."""
        index, image = self._counting.index, self._source.image(raw)
        span = self.info.time_base, index.durations[place]
        return Frame(image, place, index.times[place], *span, lost=bool(index.lost[place]))

    def _caught(self, index: int, tick: Tick) -> Frame | None:
        """Counts up to a frame; the frame, where it was counted here and now."""
        while len(self) <= index and not self._counting.whole:
            counted = self._counting.one_more()
            tick()
            if counted is not None and counted[0] == index:
                return self._frame(*counted)
        return None

    def _count_all(self) -> None:
        while not self._closing.is_set() and not self.counted:
            self._counting.one_more()


def _advanced(frames: Iterator[Frame], index: int, tick: Tick) -> Frame | None:
    """The frame of an index, further on."""
    for frame in frames:
        tick()
        if frame.index == index:
            return frame
    return None


def _counting_of(source: ContainerSource) -> Counting:
    """That of others who look at the same file, or a new one; to be left by `_leave`."""
    path = Path(source.info.source)
    if not path.is_file():
        counting = Counting(source.again())
        counting.users = 1
        return counting
    status = path.stat()
    key = (str(path.resolve()), status.st_size, status.st_mtime_ns)
    with _LOCK:
        if key not in _COUNTED:
            _COUNTED[key] = Counting(source.again())
        counting = _COUNTED[key]
        counting.users += 1
    return counting


def _leave(counting: Counting) -> None:
    """Says that one looks at it no more; with the last one it is closed."""
    with _LOCK:
        counting.users -= 1
        if counting.users:
            return
        for key in [key for key, value in _COUNTED.items() if value is counting]:
            del _COUNTED[key]
    counting.close()
