"""Writing safely: folders that are made, files that get their names only when they are complete."""

import errno
import json
import os
import shutil
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import chain, count
from pathlib import Path
from typing import Any

from masktrail.errors import InputError


def part_of(path: Path) -> Path:
    """The name that a file has until it is complete."""
    return path.with_name(f".{path.name}.part")


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` if the block succeeds.

    Raises:
        InputError: the file cannot be written, a full disk among the reasons.
    """
    path = Path(path)
    temporary = part_of(path)
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):  # where it cannot be written it cannot be removed either
            temporary.unlink()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a table that appears under its name only when it is complete."""
    with replacing(path) as part:
        part.write_text(json.dumps(content, indent=2) + "\n")


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it.

    Raises:
        InputError: it cannot be made, or a file has its name.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error


def delete(path: Path) -> None:
    """Removes a file, if it is there.

    Raises:
        InputError: it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def remove_empty(folder: Path) -> None:
    """Removes a folder and those in it, as far as they are empty."""
    for path in (*sorted(folder.rglob("*"), reverse=True), folder):
        with suppress(OSError):  # a file, or a folder that holds one
            path.rmdir()


def cannot_write(path: str | os.PathLike[str], error: OSError) -> InputError:
    """The sentence for a file that the operating system would not let us write."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputError(
            f"The disk is full: {path} could not be written. "
            "Free some space and run again; what was finished before is kept."
        )
    return InputError(f"{path} could not be written: {error.strerror or error}.")


def can_be_told(path: Path) -> bool:
    """Whether a path is text: a system may name files by any bytes."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def free_name(name: str, taken: Container[str]) -> str:
    """The name, or with the first number that makes it one that is not taken."""
    return next(n for n in chain([name], (f"{name}-{k}" for k in count(2))) if n not in taken)


def check_new(out: Path) -> None:
    """Refuses a folder that holds something, where a new one is to be made.

    Raises:
        InputError: it does, or it is a file.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is there already; choose a folder that is empty, or a new one.")


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder to fill that gets its name if the block succeeds, and else is not left.

    Raises:
        InputError: see `check_new`, or it cannot be written.
    """
    check_new(out)
    part = part_of(out)
    shutil.rmtree(part, ignore_errors=True)
    try:
        make_folder(part)
        yield part
        part.replace(out)
    except OSError as error:
        raise cannot_write(out, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
