"""Files of annotations, their names and the folders that tools put them into."""

import json
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from masktrail.errors import InputError

_NUMBER = re.compile(r"(?:frame_)?(\d+)")


def read_text(path: Path) -> str:
    """A text file in UTF-8, with or without a mark at its beginning.

    Raises:
        InputError: it cannot be read, or is in something else.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text in UTF-8; save it so.") from error


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        InputError: it cannot be read, or is none.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}.") from error


def one_file(source: Path, suffix: str) -> Path:
    """The file itself, or the only one of its kind in a folder or in `annotations` within.

    Raises:
        InputError: there is none, or several.
    """
    if not source.is_dir():
        return source
    found = sorted([*source.glob(f"*{suffix}"), *source.glob(f"annotations/*{suffix}")])
    if len(found) != 1:
        names = ", ".join(path.name for path in found[:3]) or "none"
        raise InputError(f"{source} has {len(found)} files of {suffix} ({names}); name one.")
    return found[0]


def posix(name: str) -> str:
    """A path as tools write it, on whatever system, with slashes and from no drive."""
    return re.sub(r"^[A-Za-z]:", "", name.replace("\\", "/"))


def frame_numbers(pictures: Sequence[str]) -> tuple[list[int], bool]:
    """Frames that names of pictures tell, "00012.jpg" or "frame_000012.jpg", if all do and none is
    said twice, and True; else their places, and False."""
    names = (_NUMBER.fullmatch(PurePosixPath(picture).stem) for picture in pictures)
    told = [int(name[1]) for name in names if name]
    if len(told) == len(pictures) and len(set(told)) == len(told):
        return told, True
    return list(range(len(pictures))), False
