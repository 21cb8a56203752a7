"""What a run makes, by name: `overlay.mp4`, or `masks/{frame}.png` for a file per frame."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from masktrail.export.base import Writer
from masktrail.files import delete, part_of

NUMBERS = {"{frame}": r"(?P<frame>\d{5,})", "{id}": r"\d+"}
"""What stands for the numbers in a name."""


def names_of(writers: Iterable[Writer | type[Writer]]) -> list[str]:
    """Names of all that writers leave, each once."""
    return list(dict.fromkeys(name for writer in writers for name in writer.files))


def found(out: Path, names: Iterable[str], frames: range | None = None) -> Iterator[Path]:
    """Files of a folder that have one of the names.

    Args:
        out: the folder.
        names: of products.
        frames: those whose files count; all where nobody knows.
    """
    for name in names:
        pattern = _pattern(name)
        for path in sorted(out.glob(_wildcards(name))):
            told = pattern.fullmatch(path.relative_to(out).as_posix())
            frame = told and told.groupdict().get("frame")
            if told and (frame is None or frames is None or int(frame) in frames):
                yield path


def remove(out: Path, names: Sequence[str], frames: range | None) -> None:
    """Removes products, what is unfinished of them, and folders that are empty then.

    Raises:
        InputError: something cannot be removed.
    """
    for name in names:
        part = str(part_of(Path(name)))
        paths = list(found(out, (name, part, part + Path(name).suffix), frames))
        for path in paths:
            delete(path)
        for folder in {path.parent for path in paths}:
            _prune(folder, out)


def _prune(folder: Path, out: Path) -> None:
    """Removes a folder in `out`, and those it lies in, as far as they are empty."""
    while out in folder.parents:
        with suppress(OSError):  # it holds something else, which stays
            folder.rmdir()
        folder = folder.parent


def _wildcards(name: str) -> str:
    return re.sub(r"{\w+}", "*", name)


def _pattern(name: str) -> re.Pattern[str]:
    pieces = re.split(r"({\w+})", name)
    return re.compile("".join(NUMBERS.get(piece) or re.escape(piece) for piece in pieces))
