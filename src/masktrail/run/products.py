"""What a run makes, by name: `overlay.mp4`, or `masks/{frame}.png` for a file per frame."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from masktrail.export.base import Writer
from masktrail.files import delete, part_of

NUMBERS = {"{frame}": r"(?P<frame>[0-9]{5}|[1-9][0-9]{5,})", "{id}": r"[1-9][0-9]*"}
"""How numbers are written in a name."""


def names_of(writers: Iterable[Writer | type[Writer]]) -> list[str]:
    """Names of all that writers leave, each once."""
    return list(dict.fromkeys(name for writer in writers for name in writer.files))


def existing(out: Path, names: Iterable[str], frames: range | None = None) -> Iterator[Path]:
    """Files of a folder that have one of the names, links that lead nowhere among them.

    Args:
        out: the folder.
        names: of products.
        frames: those whose files count; all where nobody knows.
    """
    for name in names:
        for path in _named(out, name):
            if frames is None or "{frame}" not in name or frame_of(path) in frames:
                yield path


def frame_of(path: Path) -> int:
    """The frame that a file of a frame is of."""
    return int(path.name.lstrip(".").partition(".")[0])


def remove(out: Path, names: Sequence[str], frames: range | None) -> None:
    """Removes products, what is unfinished of them, and folders that are empty then.

    Raises:
        InputError: something cannot be removed.
    """
    for name in names:
        part = part_of(Path(name)).as_posix()
        paths = list(existing(out, (name, part, part + Path(name).suffix), frames))
        for path in paths:
            delete(path)
        for folder in {path.parent for path in paths}:
            _prune(folder, out)


def _named(out: Path, name: str) -> Iterator[Path]:
    if "{" not in name:
        if os.path.lexists(out / name):
            yield out / name
        return
    pieces = re.split(r"({\w+})", name)
    pattern = re.compile("".join(NUMBERS.get(piece) or re.escape(piece) for piece in pieces))
    for path in sorted(out.glob(re.sub(r"{\w+}", "*", name))):
        if pattern.fullmatch(path.relative_to(out).as_posix()):
            yield path


def _prune(folder: Path, out: Path) -> None:
    """Removes a folder in `out`, and those it lies in, as far as they are empty."""
    while out in folder.parents:
        with suppress(OSError):  # it holds something else, which stays
            folder.rmdir()
        folder = folder.parent
