"""Annotations of other tools, read: as label maps, and as prompts."""

from collections.abc import Callable
from pathlib import Path

from masktrail.annotations import coco, cvat, labelme, yolo
from masktrail.annotations.kinds import Annotations as Annotations
from masktrail.annotations.kinds import Labelled as Labelled
from masktrail.annotations.kinds import LabelledVideo as LabelledVideo
from masktrail.errors import InputError

READERS: dict[str, Callable[[Path], Annotations]] = {
    "coco": coco.read,
    "cvat": cvat.read,
    "labelme": labelme.read,
    "yolo": yolo.read,
}
"""By the format's name."""


def read_annotations(kind: str, source: Path | str) -> Annotations:
    """Reads annotations of a format.

    Args:
        kind: key of `READERS`.
        source: file or folder.

    Raises:
        InputError: no such format or source, or something else is there.
    """
    if kind not in READERS:
        raise InputError(f"There is no format {kind!r}; known are {', '.join(READERS)}.")
    if not Path(source).exists():
        raise InputError(f"There is no {source}.")
    return READERS[kind](Path(source))


def kind_of(source: Path | str) -> str:
    """The format that a file or folder is of.

    Raises:
        InputError: it cannot be told.
    """
    path = Path(source)
    if not path.exists():
        raise InputError(f"There is no {source}.")
    inside = [path]
    if path.is_dir():
        if (path / "labels").is_dir():
            return "yolo"
        inside = [*path.glob("*.xml"), *path.glob("*.json"), *path.glob("annotations/*.json")]
    for file in sorted(inside):
        if file.suffix.lower() == ".xml":
            return "cvat"
        if file.suffix.lower() == ".json":
            return "labelme" if '"shapes"' in _beginning(file) else "coco"
    if path.is_dir() and any(path.rglob("*.txt")):
        return "yolo"
    raise InputError(
        f"{source} holds no annotations that are known; expected a .json of COCO or labelme, an "
        ".xml of CVAT, or a folder of labelme's or YOLO's files."
    )


def _beginning(path: Path) -> str:
    """Enough of a file to tell: labelme has shapes before a picture that it may hold."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(1 << 16)
