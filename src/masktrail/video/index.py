"""What a file gave frame by frame when it was read forwards, so that any part can be read again.

Where a seek landed is never guessed from times: what comes is held against prints of the pictures,
and where it differs, or nothing can be sought, the part is decoded from the beginning of the file.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any
from zlib import crc32

import av
import numpy as np

if TYPE_CHECKING:
    from masktrail.video.container import ContainerSource

ROOM = 64
"""Frames of a chunk at most, and their bytes as they are decoded."""
ROOM_BYTES = 128 * 2**20


class Index:
    """The frames of a container, counted; 20 bytes of each are kept.

    One thread may add frames while others read what is there.

    Attributes:
        times: presentation times, in units of the stream's time base.
        durations: in the same units.
        prints: checksums of the pictures.
        lost: whether each is lost, so that the picture is that before it.
        keys: frames at which decoding can begin, ascending, 0 among them, and what to seek for each
            but that.
    """

    def __init__(self) -> None:
        self.times, self.durations, self.prints = array("q"), array("q"), array("I")
        self.lost = bytearray()
        self.keys = [(0, 0)]
        self.frame_bytes = 1
        self._trusted = True

    def add(self, raw: av.VideoFrame, time: int, duration: int, lost: bool = False) -> None:
        """Counts a frame."""
        if self._trusted and raw.key_frame and not lost and raw.pts is not None and len(self):
            self.keys.append((len(self), raw.pts))
        self.frame_bytes = max(self.frame_bytes, sum(p.buffer_size for p in raw.planes))
        self.durations.append(duration)
        self.prints.append(print_of(raw))
        self.lost.append(lost)
        self.times.append(time)

    def __len__(self) -> int:
        return len(self.times)

    def chunk(self, start: int, end: int) -> int:
        """First frame, `start` or later, of a chunk that ends before `end`.

        A key frame where there is one, so that nothing is decoded to be dropped.
        """
        room = max(2, min(ROOM, ROOM_BYTES // self.frame_bytes))
        first = max(start, end - room)
        keys = self.keys
        key = bisect_left(keys, (first,))
        return keys[key][0] if key < len(keys) and keys[key][0] < end else first

    def before(self, index: int) -> tuple[int, int]:
        """The last key frame at or before a frame, and what to seek for it."""
        keys = self.keys
        return keys[bisect_left(keys, (index + 1,)) - 1]

    def distrust(self) -> None:
        """From now on every chunk is decoded from the beginning."""
        self._trusted, self.keys = False, [(0, 0)]


def print_of(raw: av.VideoFrame) -> int:
    """Checksum of every fourth line of a picture's first plane, its padding left out."""
    plane: Any = raw.planes[0]
    lines = np.frombuffer(plane, np.uint8)[: plane.line_size * plane.height]
    return crc32(lines.reshape(plane.height, -1)[::4, : plane.width].tobytes())


def read_chunk(
    source: ContainerSource,
    again: Callable[[], ContainerSource],
    index: Index,
    first: int,
    end: int,
) -> list[av.VideoFrame]:
    """Decoded frames `first` to `end` of what an index counted.

    Args:
        source: open; where it stands does not matter.
        again: opens it anew.
        index: of at least `end` frames of it.
        first: frame to begin with.
        end: frame to stop before.
    """
    key, seek = index.before(first)
    if key > 0:
        chunk = _from_key(source, index, key, seek, first, end)
        if chunk is not None:
            return chunk
        index.distrust()
    reopened = again()
    try:
        return list(islice(reopened.raw(), first, end))
    finally:
        reopened.close()


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
