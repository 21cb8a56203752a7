"""A folder of pictures as a video."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pictures

from masktrail.errors import InputError
from masktrail.pictures import UNREADABLE
from masktrail.pictures.decoding import first_values, page_count, read_picture, upright_size
from masktrail.pictures.depth import Depth, Range
from masktrail.pictures.kinds import PICTURES, is_picture, natural_key
from masktrail.types import Frame, VideoInfo
from masktrail.video.strays import without_strays

RATE = Fraction(25)


class ImageFolder:
    """Pictures of a folder in natural order (`2.jpg` before `10.jpg`), 25 per second.

    Args:
        folder: where the pictures are; hidden files and other kinds are passed over.
        start: first index that will be asked for.
        end: index after the last one that will be asked for, or None.
        values: range of deep pictures, see `Depth`.

    Raises:
        InputError: no pictures, or pictures of different sizes between `start` and `end`.
    """

    def __init__(
        self, folder: Path, start: int = 0, end: int | None = None, values: Range | None = None
    ) -> None:
        self.loss: str | None = None
        self.repeatable = True
        self._broken: dict[int, str] = {}
        self._folder = folder
        self._paths = list_pictures(folder)
        self._depth = Depth(str(folder), partial(first_values, self._paths), values)
        width, height = _common_size(self._paths[start:end] or self._paths[:1])
        self.info = VideoInfo(
            source=str(folder),
            width=width,
            height=height,
            rate=RATE,
            time_base=1 / RATE,
            frames=len(self._paths),
        )

    def frames(self, start: int = 0, end: int | None = None) -> Iterator[Frame]:
        """Frames with `start <= index < end`, `pts` being the index; a picture that cannot be
        decoded is that before it."""
        image = np.zeros((self.info.height, self.info.width, 3), np.uint8)
        for index in range(len(self._paths))[start:end]:
            lost = False
            try:
                image = read_picture(self._paths[index], self._depth)
            except UNREADABLE as error:
                lost = True
                self._broken[index] = f"{self._paths[index].name} ({error})"
                self.loss = self._loss_message()
            yield Frame(image, index, index, self.info.time_base, 1, lost=lost)

    def _loss_message(self) -> str:
        count, first = len(self._broken), self._broken[min(self._broken)]
        return (
            f"{self._folder} is damaged: {count} of {len(self._paths)} pictures cannot be decoded, "
            f"{first}{' first' if count > 1 else ''}; masks of the frame before stand for them."
        )

    def close(self) -> None:
        """Nothing is held open between frames."""


def list_pictures(folder: Path) -> list[Path]:
    """Pictures of a folder that are its frames, in natural order; what is left out is said.

    Raises:
        InputError: the folder cannot be read, holds none, links that lead nowhere, or it cannot be
            told which of them are the frames.
    """
    try:
        pictures = [path for path in folder.iterdir() if is_picture(path) and not path.is_dir()]
    except PermissionError:
        raise InputError(f"{folder} may not be read; check its permissions.") from None
    if not pictures:
        kinds = ", ".join(sorted(suffix[1:] for suffix in PICTURES))
        raise InputError(f"The folder {folder} holds no pictures; expected files of {kinds}.")
    broken = [path for path in pictures if not path.exists()]
    if broken:
        raise InputError(
            f"{len(broken)} of {len(pictures)} pictures in {folder} are links that lead nowhere, "
            f"as {broken[0].name}; bring back what they lead to, or remove them."
        )
    return sorted(without_strays(folder, pictures), key=lambda path: natural_key(path.name))


def _common_size(paths: list[Path]) -> tuple[int, int]:
    """Upright (width, height) shared by all pictures; broken ones are met again when decoding."""
    first: tuple[Path, tuple[int, int]] | None = None
    for path in paths:
        try:
            with Pictures.open(path) as picture:
                size = upright_size(picture)
                _refuse_pages(path, picture)
        except UNREADABLE as error:
            if isinstance(error, InputError):  # which is a ValueError
                raise
            continue
        first = first or (path, size)
        if size != first[1]:
            raise InputError(
                f"{path} is {size[0]}x{size[1]} but {first[0].name} is "
                f"{first[1][0]}x{first[1][1]}; all pictures of a folder must have one size."
            )
    if first is None:
        raise InputError(f"Not one picture of {paths[0].parent} can be decoded; check the files.")
    return first[1]


def _refuse_pages(path: Path, picture: Any) -> None:
    if page_count(picture) > 1:
        raise InputError(
            f"{path} holds {page_count(picture)} pages, and a frame of a folder is one; give it by "
            "itself, or save its pages as pictures."
        )
