"""Pictures as frames: upright, and deep ones made visible; the one reader of them."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures
from PIL import ImageOps

from masktrail.pictures import UNREADABLE
from masktrail.pictures.depth import FIRST, Depth
from masktrail.types import Image

ORIENTATION_TAG = 0x0112
SIDEWAYS = {5, 6, 7, 8}  # EXIF orientations that swap width and height


def read_picture(path: Path, depth: Depth) -> Image:
    """Decodes a picture, upright by its EXIF orientation, as uint8 RGB (H, W, 3)."""
    with Pictures.open(path) as picture:
        return upright_rgb(picture, depth)


def upright_rgb(picture: Any, depth: Depth) -> Image:
    """An open picture, upright by its EXIF orientation, as uint8 RGB (H, W, 3)."""
    upright: Any = ImageOps.exif_transpose(picture)
    if is_deep(upright):
        return np.repeat(depth.to_bytes(np.asarray(upright))[..., None], 3, axis=2)
    return np.array(upright.convert("RGB"))


def is_deep(picture: Any) -> bool:
    """Whether an open picture holds greys of more than 8 bits, which Pillow clips to white."""
    return picture.mode == "F" or picture.mode.startswith("I")


def upright_size(picture: Any) -> tuple[int, int]:
    """(width, height) of an open picture, pixels, by its EXIF orientation."""
    width, height = picture.size
    sideways = picture.getexif().get(ORIENTATION_TAG) in SIDEWAYS
    return (height, width) if sideways else (width, height)


def page_count(picture: Any) -> int:
    """How many pages an open picture has, as TIFFs may; what stereo cameras add is none."""
    return 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)


def first_values(paths: Iterable[Path]) -> Iterator[NDArray[Any]]:
    """Of the first pictures of a sequence, those that are deep and can be decoded."""
    for path in islice(paths, FIRST):
        with suppress(*UNREADABLE), Pictures.open(path) as picture:
            if is_deep(picture):
                yield np.asarray(picture)
