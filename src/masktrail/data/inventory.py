"""What the files of a data set are: the sizes of pictures, the values and faults of masks.

Nothing is judged here; `masktrail.data.check` does.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from PIL import Image

from masktrail.errors import InputError
from masktrail.masks.values import Values, stored
from masktrail.pictures import UNREADABLE
from masktrail.pictures.decoding import page_count, upright_size

Size = tuple[int, int]

END_OF_JPEG = b"\xff\xd9"

T = TypeVar("T")


@dataclass(frozen=True)
class PictureInfo:
    """A picture; `size` is (width, height), upright, None where it cannot be read to its end;
    `pages` how many it holds."""

    path: Path
    size: Size | None
    pages: int = 1


@dataclass(frozen=True)
class MaskInfo:
    """A mask.

    Attributes:
        path: of the file.
        size: (width, height), upright.
        values: that it holds; None where it is none.
        fault: what it is then: damaged, or a picture that is no label map: anti-aliased or
            photographic.
    """

    path: Path
    size: Size
    values: Values | None
    fault: Literal["", "damaged", "no label map"] = ""


def read_picture(path: Path) -> PictureInfo:
    """Size of a picture, from its header where its end is in place, else by decoding it all."""
    try:
        with Image.open(path) as picture:
            if picture.format != "JPEG" or END_OF_JPEG not in _tail(path):
                picture.load()
            return PictureInfo(path, upright_size(picture), page_count(picture))
    except UNREADABLE:
        return PictureInfo(path, None)


def read_mask(path: Path, by_colour: bool = False) -> MaskInfo:
    """What a mask holds, a palette its colours if asked for."""
    size = (0, 0)
    try:
        with Image.open(path) as picture:
            picture.load()
            size = upright_size(picture)
            return MaskInfo(path, size, stored(picture, by_colour).values)
    except InputError:
        return MaskInfo(path, size, None, "no label map")
    except UNREADABLE:
        return MaskInfo(path, size, None, "damaged")


def read_all(read: Callable[[Path], T], paths: Iterable[Path]) -> tuple[T, ...]:
    """What is read of files, on threads, in their order."""
    with ThreadPoolExecutor() as pool:
        return tuple(pool.map(read, paths))


def _tail(path: Path, count: int = 32) -> bytes:
    """The last bytes of a file."""
    with path.open("rb") as file:
        file.seek(-min(count, path.stat().st_size), os.SEEK_END)
        return file.read()
