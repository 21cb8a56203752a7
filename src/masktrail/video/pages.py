"""A picture of many pages as a video: stacks (TIFF), animations (WebP, AVIF, PNG)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

from masktrail.errors import InputError
from masktrail.pictures import UNREADABLE
from masktrail.pictures.decoding import is_deep, upright_rgb, upright_size
from masktrail.pictures.depth import FIRST, Depth, Range
from masktrail.types import Frame, VideoInfo
from masktrail.video.images import RATE
from masktrail.video.kinds import PAGED, VIDEOS

FORMATS = {"TIFF", "WEBP", "AVIF", "PNG"}
"""Those whose pages are frames; others hold previews, or are read by FFmpeg."""

TIME_BASE = Fraction(1, 1000)
"""Of animations."""


def count_pages(path: Path) -> int:
    """Frames that a picture holds; 0 where it is no picture, or its pages are no frames."""
    try:
        with Pictures.open(path) as opened:
            picture: Any = opened
            return getattr(picture, "n_frames", 1) if picture.format in FORMATS else 0
    except UNREADABLE:
        return 0


def is_video(path: Path) -> bool:
    """Whether a file is named as a video is; one named as a picture has to have pages."""
    if path.suffix.lower() not in VIDEOS or path.name.startswith(".") or not path.is_file():
        return False
    return path.suffix.lower() not in PAGED or count_pages(path) > 1


def count_png_pages(path: Path) -> int:
    """Pages of an animated PNG, each of which begins with a chunk of its own."""
    pages = 0
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            pages += head[4:] == b"fcTL"
            file.seek(int.from_bytes(head[:4], "big") + 4, os.SEEK_CUR)
    return pages


class PagedPicture:
    """Pages of a picture; those of a stack 25 per second, those of an animation as it says.

    Args:
        path: of the picture, which has pages.
        values: range of deep pages, see `Depth`.

    Raises:
        InputError: pages of different sizes, or none that can be decoded.
    """

    def __init__(self, path: Path, values: Range | None = None) -> None:
        self.loss: str | None = None
        self.repeatable = True
        self._path = path
        self._picture = self._open()
        self._pages = self._count()
        self._animated = self._picture.format != "TIFF"
        self._ends: list[int] = []  # of the pages seen so far
        self._broken: set[int] = set()
        self._depth = Depth(str(path), self._first_values, values)
        width, height = self._common_size()
        self.info = VideoInfo(
            source=str(path),
            width=width,
            height=height,
            rate=1 / (self._end(0) * TIME_BASE) if self._animated else RATE,
            time_base=TIME_BASE if self._animated else 1 / RATE,
            frames=self._pages,
        )

    def frames(self, start: int = 0, end: int | None = None) -> Iterator[Frame]:
        """Frames with `start <= index < end`; a page that cannot be decoded is that before it."""
        image = np.zeros((self.info.height, self.info.width, 3), np.uint8)
        for index in range(self._pages)[start:end]:
            pts = self._end(index - 1) if index else 0
            lost = False
            try:
                image = upright_rgb(self._at(index), self._depth)
            except UNREADABLE as error:
                lost = True
                self._lose(index, error)
            yield Frame(image, index, pts, self.info.time_base, self._end(index) - pts, lost=lost)

    def close(self) -> None:
        """Closes the file."""
        self._picture.close()

    def _first_values(self) -> Iterator[NDArray[Any]]:
        """Of the first deep pages that can be decoded."""
        with self._open() as picture:
            for index in range(min(FIRST, self._pages)):
                with suppress(*UNREADABLE):
                    picture.seek(index)
                    if is_deep(picture):
                        yield np.asarray(picture)

    def _open(self) -> Any:
        return Pictures.open(self._path)

    def _count(self) -> int:
        """Pages that are there: Pillow takes the header of a PNG at its word."""
        declared = self._picture.n_frames
        if self._picture.format != "PNG":
            return declared
        present = count_png_pages(self._path) + self._picture.default_image
        if present < declared:
            self.loss = f"{self._path} tells of {declared} pages and holds {present}."
        return max(1, min(declared, present))

    def _at(self, index: int) -> Any:
        """The picture, at a page."""
        if self._animated and index < self._picture.tell():
            self._picture.close()  # Pillow cannot go back in every format
            self._picture = self._open()
        self._picture.seek(index)
        return self._picture

    def _end(self, index: int) -> int:
        """When a page ends to be shown, in units of the time base."""
        if not self._animated:
            return index + 1
        while len(self._ends) <= index:
            self._ends.append((self._ends or [0])[-1] + self._span(len(self._ends)))
        return self._ends[index]

    def _span(self, index: int) -> int:
        try:
            self._at(index).load()
        except UNREADABLE as error:
            self._lose(index, error)
        duration = round(self._picture.info.get("duration") or 0)
        return duration or round(1 / (RATE * TIME_BASE))

    def _lose(self, index: int, error: BaseException) -> None:
        self._broken.add(index)
        self.loss = (
            f"{self._path} is damaged: {len(self._broken)} of {self._pages} pages cannot be "
            f"decoded, page {min(self._broken)} first ({error}); masks of the page before stand "
            "for them."
        )

    def _common_size(self) -> tuple[int, int]:
        """Upright (width, height) of all pages; broken ones are met again when decoding."""
        sizes = set()
        for index in range(1 if self._animated else self._pages):  # an animation has one
            with suppress(*UNREADABLE):
                sizes.add(upright_size(self._at(index)))
        if not sizes:
            raise InputError(f"Not one page of {self._path} can be decoded; check the file.")
        if len(sizes) > 1:
            text = ", ".join(f"{width}x{height}" for width, height in sorted(sizes))
            raise InputError(
                f"{self._path} holds pages of different sizes ({text}); all must have one."
            )
        return sizes.pop()
