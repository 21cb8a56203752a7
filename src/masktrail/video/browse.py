"""Any frame of a recording at any time, as people want it who look through one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Protocol

from masktrail.errors import InputError
from masktrail.types import Image, VideoInfo
from masktrail.video.container import ContainerSource
from masktrail.video.images import ImageFolder
from masktrail.video.index import Index, read_chunk
from masktrail.video.kinds import PAGED
from masktrail.video.pages import PagedPicture, count_pages

KEPT_BYTES = 96 * 2**20
"""Of decoded frames that are kept, those looked at last."""

AHEAD = 12
"""Frames decoded beyond the one that is asked for: the next ones are asked for next."""


class _Shelf(Protocol):
    """Where frames come from; used by one thread at a time, but for its counts."""

    info: VideoInfo
    counted: bool

    def __len__(self) -> int: ...
    def read(self, index: int, room: int) -> list[tuple[int, Image]]: ...
    def close(self) -> None: ...


class Browser:
    """The frames of a file or a folder, by index, as `open_video` would give them.

    A file is counted in the background, by decoding, from the moment it is opened; what is counted
    can be looked at. Memory is bounded, however long the video is. Any thread may ask.

    Args:
        path: of a video file, or of a folder of pictures.

    Attributes:
        info: what is known of the video.

    Raises:
        InputError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._shelf = _shelf(path)
        self.info = self._shelf.info
        self._kept: OrderedDict[int, Image] = OrderedDict()
        self._room = max(2, KEPT_BYTES // (self.info.width * self.info.height * 3))
        self._lock = threading.Lock()

    @property
    def frames(self) -> int:
        """Frames that were counted so far, 1 or more."""
        return max(1, len(self._shelf))

    @property
    def counted(self) -> bool:
        """Whether `frames` is the length of the video."""
        return self._shelf.counted

    def frame(self, index: int) -> Image:
        """A frame, uint8 RGB (H, W, 3), not to be changed.

        Raises:
            InputError: there is no such frame, or it is not counted yet.
        """
        with self._lock:
            if index not in self._kept:
                self._keep(index)
            self._kept.move_to_end(index)
            return self._kept[index]

    def close(self) -> None:
        """Stops counting and closes the file."""
        with self._lock:
            self._shelf.close()
            self._kept.clear()

    def _keep(self, index: int) -> None:
        if not 0 <= index < self.frames:
            so_far = "" if self.counted else " so far"
            raise InputError(
                f"There is no frame {index}; {self.info.source} has {self.frames}{so_far}, counted "
                "from 0."
            )
        found = self._shelf.read(index, min(AHEAD, self._room // 2))
        for place, image in reversed(found):
            self._kept[place] = image
        while len(self._kept) > self._room:
            self._kept.popitem(last=False)
        if index not in self._kept:
            raise InputError(f"Frame {index} of {self.info.source} cannot be decoded.")


def _shelf(path: Path) -> _Shelf:
    if path.is_dir():
        return _Pictures(ImageFolder(path))
    if path.suffix.lower() in PAGED and count_pages(path) > 1:
        return _Pictures(PagedPicture(path))
    return _File(path)


class _Pictures:
    """Pictures, or pages of one: each can be read by itself."""

    counted = True

    def __init__(self, pictures: ImageFolder | PagedPicture) -> None:
        self._pictures = pictures
        self.info = self._pictures.info

    def __len__(self) -> int:
        return self.info.frames or 0

    def read(self, index: int, room: int) -> list[tuple[int, Image]]:
        return [(f.index, f.image) for f in self._pictures.frames(index, index + 1) if not f.lost]

    def close(self) -> None:
        self._pictures.close()


class _File:
    """A container: frames are counted on a thread, and read again from key frames."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._source = self._open()
        self.info = self._source.info
        self.counted = False
        self._index = Index()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._count, name="counting", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return len(self._index)

    def read(self, index: int, room: int) -> list[tuple[int, Image]]:
        end = min(index + room, max(len(self._index), index + 1))
        raw = read_chunk(self._source, self._open, self._index, index, end)
        return [(index + place, self._source.image(one)) for place, one in enumerate(raw)]

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._source.close()

    def _open(self) -> ContainerSource:
        return ContainerSource(self._path)

    def _count(self) -> None:
        source = self._open()
        try:
            for raw, time in source.timed():
                self._index.add(raw, time, source.duration(raw))
                if self._closing.is_set():
                    return
        finally:
            source.close()
            self.counted = True
