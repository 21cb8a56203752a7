"""What the files of a data set are, read once: the sizes of pictures, the ids and kind of masks.

Nothing is judged here; `masktrail.data.check` does.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from masktrail.data.davis import is_picture, layout, training_root
from masktrail.errors import InputError
from masktrail.masks.values import interpret
from masktrail.pictures import UNREADABLE

Size = tuple[int, int]

END_OF_JPEG = b"\xff\xd9"


@dataclass(frozen=True)
class PictureInfo:
    """A picture; `size` is (width, height), None where it cannot be read to its end."""

    path: Path
    size: Size | None


@dataclass(frozen=True)
class MaskInfo:
    """A mask.

    Attributes:
        path: of the file.
        size: (width, height).
        ids: of its objects, ascending.
        kind: "damaged", "no label map" (anti-aliased or photographic), "colours" (ids made up),
            "two values" (0 and 255), or "ids".
        void: whether pixels of index 255 are taken as background.
    """

    path: Path
    size: Size
    ids: tuple[int, ...]
    kind: str
    void: bool = False


@dataclass(frozen=True)
class SequenceInfo:
    """A sequence.

    Attributes:
        name: of its folders.
        pictures: in the order in which they are read.
        masks: likewise.
        others: pictures among the masks whose names do not end in .png: they are not read.
    """

    name: str
    pictures: tuple[PictureInfo, ...]
    masks: tuple[MaskInfo, ...]
    others: tuple[Path, ...]


def read_inventory(
    root: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[SequenceInfo]:
    """Reads the headers of all pictures and all masks below `root`, on threads.

    Args:
        root: the data set, or the folder that holds it as `train`.
        progress: called with files done and files in all.

    Returns:
        Every sequence that has a folder of pictures or of masks, sorted by name.

    Raises:
        InputError: no such layout, or no folder of a sequence in it.
    """
    images, masks = layout(training_root(root))
    names = sorted({path.name for folder in (images, masks) for path in _folders(folder)})
    if not names:
        raise InputError(
            f"{images} and {masks} have no folders in them; expected one for each sequence."
        )
    pictures = {name: _pictures(images / name) for name in names}
    beside = {name: _pictures(masks / name) for name in names}
    read = {name: [path for path in beside[name] if path.suffix == ".png"] for name in names}
    total = sum(len(files[name]) for files in (pictures, read) for name in names)
    sequences: list[SequenceInfo] = []
    done = 0
    with ThreadPoolExecutor() as pool:
        for name in names:
            picture_infos = pool.map(read_picture, pictures[name])
            mask_infos = pool.map(read_mask, read[name])
            others = tuple(path for path in beside[name] if path.suffix != ".png")
            sequences.append(SequenceInfo(name, tuple(picture_infos), tuple(mask_infos), others))
            done += len(pictures[name]) + len(read[name])
            progress(done, total)
    return sequences


def read_picture(path: Path) -> PictureInfo:
    """Size of a picture, from its header where its end is in place, else by decoding it all."""
    try:
        with Image.open(path) as picture:
            if picture.format != "JPEG" or END_OF_JPEG not in _tail(path):
                picture.load()
            return PictureInfo(path, picture.size)
    except UNREADABLE:
        return PictureInfo(path, None)


def read_mask(path: Path) -> MaskInfo:
    """What a mask holds, by the rules of `masktrail.masks.read_labels`."""
    size = (0, 0)
    try:
        with Image.open(path) as picture:
            size = picture.size
            labels, note = interpret(picture)
            ids = tuple(int(i) for i in np.unique(labels) if i)
            void = note is not None and "(void)" in note
            if note and not void:
                kind = "colours"
            else:
                kind = "two values" if ids == (1,) and _reaches_255(picture) else "ids"
            return MaskInfo(path, size, ids, kind, void)
    except InputError:
        return MaskInfo(path, size, (), "no label map")
    except UNREADABLE:
        return MaskInfo(path, size, (), "damaged")


def _reaches_255(picture: Image.Image) -> bool:
    return picture.mode == "1" or np.max(picture.getextrema()) == 255


def _tail(path: Path, count: int = 32) -> bytes:
    """The last bytes of a file."""
    with path.open("rb") as file:
        file.seek(-min(count, path.stat().st_size), os.SEEK_END)
        return file.read()


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir() and path.name[0] != "."]


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if is_picture(path))
