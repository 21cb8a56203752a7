"""What every writer can do."""

from pathlib import Path
from typing import Protocol

from masktrail.masks import cannot_write
from masktrail.types import Frame, Result, VideoInfo


class Writer(Protocol):
    """Takes results frame by frame and leaves files under `out`.

    `open`, then `write` for every frame in order, then `close`, which gives files their final
    names; after an interruption `close` keeps what is done and `abort` drops what is unfinished.
    Each of them raises InputError where the disk is full or `out` cannot be written.
    """

    def __init__(self, out: Path) -> None: ...
    def open(self, info: VideoInfo) -> None: ...
    def write(self, frame: Frame, result: Result) -> None: ...
    def close(self) -> None: ...
    def abort(self) -> None: ...


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it.

    Raises:
        InputError: it cannot be made, or a file has its name.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
