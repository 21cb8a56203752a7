"""Pictures that stand alone, with masks: `images/<name>.jpg` beside `masks/<name>.png`."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from masktrail.data.sequence import Sequence
from masktrail.errors import InputError
from masktrail.pictures.kinds import is_picture, natural_key

IMAGES, MASKS = "images", "masks"
"""Names of the folders, in whatever case, beside each other at or below the root."""

MASK_SUFFIX = ".png"

_ENDING = re.compile(r"[ _.-](masks?|labels?|segs?|gt)$", re.IGNORECASE)
"""What tools add to the name of a picture to name its mask."""


def find_stills(root: Path | str) -> list[Sequence]:
    """Lists every picture at or below `root` that has a mask, each as a sequence of one frame.

    A mask is called as its picture is, `_mask` or the like may be added; folders in `images` and
    `masks` are looked through as well.

    Returns:
        Sequences named SET/PICTURE, where SET is the folder that holds `images` and `masks`.

    Raises:
        InputError: no `images` / `masks` pair with a picture in common at or below `root`.
    """
    sequences = [s for s in list_stills(root) if any(s.annotations)]
    if not sequences:
        raise InputError(f"{root} has no {IMAGES} and {MASKS} folders with a picture in common.")
    return sequences


def list_stills(root: Path | str) -> list[Sequence]:
    """Pictures and masks at or below `root`, also those that lack the other."""
    return [
        still for name, images, masks in _sets(Path(root)) for still in _stills(name, images, masks)
    ]


def holds_stills(root: Path | str) -> bool:
    """Whether there are folders of pictures and masks at or below `root`."""
    return any(_sets(Path(root)))


def _sets(root: Path) -> Iterator[tuple[str, Path, Path]]:
    """Name, folder of pictures and folder of masks of every set, by path."""
    for folder, names, _ in os.walk(root):
        names.sort(key=natural_key)
        inside = {name.lower(): Path(folder, name) for name in reversed(names)}
        names[:] = [n for n in names if n[0] != "." and n.lower() not in (IMAGES, MASKS)]
        if IMAGES in inside and MASKS in inside:
            parts = Path(folder).relative_to(root).parts
            yield "-".join(parts) or root.resolve().name, inside[IMAGES], inside[MASKS]


def _stills(name: str, images: Path, masks: Path) -> Iterator[Sequence]:
    pictures, beside = _pictures(images), _pictures(masks)
    taken, unread = _by_picture(set(pictures), beside)
    for stem in sorted({*pictures, *beside}, key=natural_key):
        frames = tuple(pictures.get(stem, ()))
        mask, others = taken.get(stem), tuple(unread.get(stem, ()))
        if frames:
            yield Sequence(f"{name}/{stem}", frames, (mask,) * len(frames), unread=others)
        elif stem in taken or others:
            strays = (mask,) if mask else ()
            yield Sequence(f"{name}/{stem}", (), (), strays=strays, unread=others)


def _pictures(folder: Path) -> dict[str, list[Path]]:
    """Pictures at and below a folder, by their paths in it without suffix."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*"), key=lambda path: natural_key(str(path))):
        hidden = any(part[0] == "." for part in path.relative_to(folder).parts)
        if is_picture(path) and not hidden:
            stem = path.relative_to(folder).with_suffix("").as_posix()
            found.setdefault(stem, []).append(path)
    return found


def _by_picture(
    pictures: set[str], masks: dict[str, list[Path]]
) -> tuple[dict[str, Path], dict[str, list[Path]]]:
    """The mask of each picture, and what else lies there; a mask of none keeps its own name."""
    taken, unread = dict[str, Path](), dict[str, list[Path]]()
    exact_first = sorted(masks, key=lambda stem: stem not in pictures)
    for stem in exact_first:
        bare = _ENDING.sub("", stem)
        picture = stem if stem in pictures or bare not in pictures else bare
        for path in masks[stem]:
            if path.suffix.lower() == MASK_SUFFIX and picture not in taken:
                taken[picture] = path
            else:
                unread.setdefault(picture, []).append(path)
    return taken, unread
