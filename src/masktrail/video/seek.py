"""Any stretch of a recording by count, also from its end to its beginning, exactly as it is read.

A file is counted once, by decoding it from its beginning, for all who look at it meanwhile: the
page, and the run that it started.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

from masktrail.errors import InputError
from masktrail.types import Frame, VideoInfo
from masktrail.video.container import ContainerSource
from masktrail.video.index import Index, read_chunk
from masktrail.video.source import Source, Tick, nothing

ROOM_BYTES = 128 * 2**20
"""Of decoded pictures that are read at once."""


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

    def chunk(self, start: int, end: int) -> int:
        """See `Recording.chunk`."""
        room = max(1, ROOM_BYTES // (self.info.width * self.info.height * 3))
        return max(start, end - room)

    def stretch(self, indices: range) -> Iterator[Frame]:
        """See `Recording.stretch`."""
        first, end = min(indices), max(indices) + 1
        frames = list(self._source.frames(first, end))
        if frames and frames[0].lost and first:  # it stands for the one before it
            (before,) = self.stretch(range(first - 1, first))
            for place, frame in enumerate(frames):
                if not frame.lost:
                    break
                frames[place] = replace(frame, image=before.image)
        if indices.step > 0:
            frames.reverse()
        while frames:
            yield frames.pop()

    def close(self) -> None:
        """Closes the pictures."""
        self._source.close()


class Counting:
    """The frames of a file, counted from its beginning; whoever wants more of them counts on.

    Args:
        source: freshly opened, for nothing but this; closed at its end.

    Attributes:
        index: of what is counted.
        whole: whether that is all.
        loss: what was lost, once it is whole.
    """

    def __init__(self, source: ContainerSource) -> None:
        self.index, self.whole = Index(), False
        self.loss: str | None = None
        self._frames = self._counted(source)
        self._lock = threading.Lock()

    def one_more(self) -> bool:
        """Counts a frame; whether there was one."""
        with self._lock:
            return next(self._frames, False)

    def _counted(self, source: ContainerSource) -> Iterator[bool]:
        before = None
        try:
            for raw, time in source.timed():
                self.index.add(raw, time, source.duration(raw), raw is before)
                before = raw
                yield True
        finally:
            self.loss, self.whole = source.loss, True
            source.close()


_COUNTED: WeakValueDictionary[tuple[str, int, int], Counting] = WeakValueDictionary()
"""Of files that are being looked at, by path, size and time of change."""


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
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def counted(self) -> bool:
        """See `Recording`."""
        return self._counting.whole

    @property
    def loss(self) -> str | None:
        """See `Recording`."""
        return self._counting.loss

    def __len__(self) -> int:
        return len(self._counting.index)

    def count(self, end: int, tick: Tick = nothing) -> None:
        """See `Recording.count`."""
        while len(self) < end and self._counting.one_more():
            tick()

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
            place, image = places.pop(), self._source.image(chunk.pop())
            span = self.info.time_base, index.durations[place]
            yield Frame(image, place, index.times[place], *span, lost=bool(index.lost[place]))
            del image

    def close(self) -> None:
        """Stops counting behind and closes the file."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        self._source.close()

    def _count_all(self) -> None:
        while not self._closing.is_set() and self._counting.one_more():
            pass


def _counting_of(source: ContainerSource) -> Counting:
    """That of others who look at the same file, or a new one."""
    path = Path(source.info.source)
    if not path.is_file():
        return Counting(source.again())
    told = path.stat()
    key = (str(path.resolve()), told.st_size, told.st_mtime_ns)
    counting = _COUNTED.get(key)
    if counting is None:
        counting = _COUNTED[key] = Counting(source.again())
    return counting
