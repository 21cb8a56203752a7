"""Frames of a file from a given one back to the first, few alive, exactly those read forwards.

A file is decoded once from its beginning to count its frames and to take a print of each. Then it
is read again chunk by chunk, the last chunk first, each from a key frame at or before it. Where a
seek landed is never guessed from times: what comes is held against the prints, and where it
differs, or nothing can be sought, the chunk is decoded from the beginning of the file.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any
from zlib import crc32

import av
import numpy as np

from masktrail.errors import InputError
from masktrail.types import Frame

if TYPE_CHECKING:
    from masktrail.video.container import ContainerSource

ROOM = 64
"""Frames of a chunk at most, and their bytes as they are decoded."""
ROOM_BYTES = 128 * 2**20


class Index:
    """What a container gave frame by frame when it was read forwards; 20 bytes of each are kept.

    Attributes:
        times: presentation times, in units of the stream's time base.
        durations: in the same units.
        prints: checksums of the pictures.
        keys: frames at which decoding can begin, ascending; 0 among them.
        seeks: what to seek for each of `keys`, but for 0.
    """

    def __init__(self, source: ContainerSource, count: int) -> None:
        self.times, self.durations, self.prints = array("q"), array("q"), array("I")
        self.keys, self.seeks = [0], [0]
        self.frame_bytes = 1
        for raw, time in islice(source.timed(), count):
            if raw.key_frame and raw.pts is not None and len(self):
                self.keys.append(len(self))
                self.seeks.append(raw.pts)
            self.times.append(time)
            self.durations.append(raw.duration or 0)
            self.prints.append(print_of(raw))
            self.frame_bytes = max(self.frame_bytes, sum(p.buffer_size for p in raw.planes))

    def __len__(self) -> int:
        return len(self.times)

    def chunk(self, start: int, end: int) -> int:
        """First frame, `start` or later, of a chunk that ends before `end`.

        A key frame where there is one, so that nothing is decoded to be dropped.
        """
        room = max(2, min(ROOM, ROOM_BYTES // self.frame_bytes))
        first = max(start, end - room)
        key = bisect_left(self.keys, first)
        return self.keys[key] if key < len(self.keys) and self.keys[key] < end else first

    def before(self, index: int) -> tuple[int, int]:
        """The last key frame at or before a frame, and what to seek for it."""
        key = bisect_right(self.keys, index) - 1
        return self.keys[key], self.seeks[key]

    def distrust(self) -> None:
        """From now on every chunk is decoded from the beginning."""
        del self.keys[1:], self.seeks[1:]


def frames_backward(
    source: ContainerSource, again: Callable[[], ContainerSource], start: int, last: int
) -> Iterator[Frame]:
    """Frames from `last` down to `start`.

    Args:
        source: freshly opened; closed by its owner.
        again: opens it anew.
        start: last frame to be given.
        last: first frame to be given.

    Raises:
        InputError: there is no frame `last`.
    """
    index, end = Index(source, last + 1), last + 1
    if len(index) < end:
        raise InputError(
            f"{source.info.source} ends with frame {len(index) - 1}; frame {last} was asked for."
        )
    while end > start:
        first = index.chunk(start, end)
        chunk = _reread(source, again, index, first, end)
        for place in range(end - 1, first - 1, -1):
            image = source.image(chunk.pop())
            time, duration = index.times[place], index.durations[place]
            yield Frame(image, place, time, source.info.time_base, duration)
            del image
        end = first


def print_of(raw: av.VideoFrame) -> int:
    """Checksum of every fourth line of a picture's first plane, its padding left out."""
    plane: Any = raw.planes[0]
    lines = np.frombuffer(plane, np.uint8)[: plane.line_size * plane.height]
    return crc32(lines.reshape(plane.height, -1)[::4, : plane.width].tobytes())


def _reread(
    source: ContainerSource,
    again: Callable[[], ContainerSource],
    index: Index,
    first: int,
    end: int,
) -> list[av.VideoFrame]:
    key, seek = index.before(first)
    if key > 0:
        chunk = _from_key(source, index, key, seek, first, end)
        if chunk is not None:
            return chunk
        index.distrust()
    fresh = again()
    try:
        return list(islice(fresh.raw(), first, end))
    finally:
        fresh.close()


def _from_key(
    source: ContainerSource, index: Index, key: int, seek: int, first: int, end: int
) -> list[av.VideoFrame] | None:
    """Frames `first` to `end`, or None where what comes is not what was counted."""
    place, chunk = key, []
    try:
        for raw in source.raw_from(seek):
            if place == key and raw.pts != seek:
                continue  # pictures shown before the key frame but stored behind it
            if print_of(raw) != index.prints[place]:
                return None
            if place >= first:
                chunk.append(raw)
            place += 1
            if place == end:
                return chunk
    except (OSError, av.error.FFmpegError):
        pass
    return None
