"""YOLO labels, as Ultralytics reads them: a text file per picture, a line per object."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from masktrail.annotations.files import frame_numbers, read_text
from masktrail.annotations.kinds import Annotations, Labelled, LabelledVideo, told_losses
from masktrail.annotations.objects import told, with_ids
from masktrail.annotations.shapes import Outline, Rectangle, Shape, ring
from masktrail.errors import InputError
from masktrail.pictures.kinds import natural_key

LABELS, IMAGES = "labels", "images"
"""Folders of both, beside each other or in each other's place, as Ultralytics finds one from the
other."""

NO_LABELS = re.compile(r"(classes|notes|obj|readme.*|requirements)\.txt", re.IGNORECASE)
"""Text files that tools put beside labels."""

_PAIR = re.compile(r"(\d+)\s*:\s*(?:'([^']*)'|\"([^\"]*)\"|([^,}#\n]*))")
_ITEM = re.compile(r"\s*(?:'([^']*)'|\"([^\"]*)\"|([^,\n]+))")

Line = tuple[int, Shape]
"""Class and shape."""


def read(source: Path) -> Annotations:
    """Reads a folder of labels, or one that has such folders called `labels`, a video in each.

    A class is an object where no picture has two lines of one, by the id that its name tells
    ("object 3") or its order; otherwise every line is an object of its picture alone.

    Args:
        source: the folder.

    Raises:
        InputError: no labels in it, or a line that is none.
    """
    folders = _folders(source)
    if not folders:
        raise InputError(f"{source} holds no .txt files of labels.")
    names = _names(source) or _names(source.parent)
    files = {folder: _files(folder) for folder in folders}
    drawn = [_file(path) for paths in files.values() for path in paths]
    found = with_ids(
        [[(told(names.get(n) or f"class {n}"), shape) for n, shape in lines] for lines in drawn]
    )
    numbered = iter(found.pictures)
    videos = []
    for folder, paths in files.items():
        pictures = [(_pictures_of(source, folder) / path.stem).as_posix() for path in paths]
        numbers, counted = frame_numbers(pictures)
        frames = {
            number: Labelled(picture, None, next(numbered))
            for number, picture in zip(numbers, pictures, strict=True)
        }
        name = _video_of(source, folder)
        videos.append(LabelledVideo(name, frames, found.lasting, found.moving, counted))
    return Annotations(tuple(videos), told_losses({}, found.loss))


def _folders(source: Path) -> list[Path]:
    """Folders with labels in them: in those called so, if there are any, else all."""
    roots = [folder for folder in source.rglob(LABELS) if folder.is_dir()] or [source]
    found = {path.parent for root in roots for path in root.rglob("*.txt") if _is_label(path)}
    return sorted(found, key=lambda path: natural_key(str(path)))


def _is_label(path: Path) -> bool:
    return not NO_LABELS.fullmatch(path.name) and path.name[0] != "."


def _files(folder: Path) -> list[Path]:
    """Those of a folder, in natural order."""
    paths = (path for path in folder.glob("*.txt") if _is_label(path))
    return sorted(paths, key=lambda path: natural_key(path.name))


def _video_of(source: Path, folder: Path) -> str:
    """Name of the folder that the labels are in, `labels` left aside."""
    parts = [part for part in folder.relative_to(source).parts if part != LABELS]
    return parts[-1] if parts else source.resolve().name


def _pictures_of(source: Path, folder: Path) -> PurePosixPath:
    """Where their pictures are, as seen from the source."""
    parts = folder.relative_to(source).parts
    return PurePosixPath(*(IMAGES if part == LABELS else part for part in parts))


def _names(folder: Path) -> dict[int, str]:
    """Names of the classes: `names` of a .yaml, in its three spellings, or the lines of a list."""
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        names = _names_in(read_text(path))
        if names:
            return names
    for path in (folder / "classes.txt", folder / LABELS / "classes.txt"):
        if path.is_file():
            return dict(enumerate(filter(None, map(str.strip, read_text(path).splitlines()))))
    return {}


def _names_in(text: str) -> dict[int, str]:
    match = re.search(r"^names\s*:(.*(?:\n(?:[ \t]+.*|-.*|\s*|[\]}].*))*)", text, re.MULTILINE)
    block = match[1].strip() if match else ""
    if block.startswith("["):
        items = _ITEM.findall(block.strip("[] \n"))
    elif block.startswith("-"):
        items = [("", "", line.strip(" \t-'\"")) for line in block.splitlines()]
    else:
        pairs = _PAIR.findall(block)
        return {int(n): (a or b or plain).strip() for n, a, b, plain in pairs}
    return {n: (a or b or plain).strip() for n, (a, b, plain) in enumerate(items)}


def _file(path: Path) -> list[Line]:
    lines = []
    for row, line in enumerate(read_text(path).splitlines(), start=1):
        if line.strip():
            try:
                lines.append(_line(line.split()))
            except ValueError as error:
                raise InputError(
                    f"{path}, line {row}: expected a class and x, y of three corners or more, or "
                    "the middle, width and height of a box, all from 0 to 1."
                ) from error
    return lines


def _line(words: Sequence[str]) -> Line:
    number, numbers = int(words[0]), [float(word) for word in words[1:]]
    if number < 0 or not all(-0.01 <= value <= 1.01 for value in numbers):
        raise ValueError(words)
    if len(numbers) == 4:
        x, y, width, height = numbers
        corners = x - width / 2, y - height / 2, x + width / 2, y + height / 2
        return number, Rectangle(corners, relative=True)
    return number, Outline(ring(numbers), relative=True)
