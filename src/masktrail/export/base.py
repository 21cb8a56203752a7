"""What every writer can do."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from masktrail.masks import areas
from masktrail.results import Result
from masktrail.types import Frame, LabelMap, VideoInfo


class Writer(Protocol):
    """Takes results frame by frame and leaves files under `out`.

    `open`, then `write` for every frame in order, then `close`, which gives files their final
    names; after an interruption `close`, told that not the `whole` of the source came, keeps what
    is done, and `abort` drops what is unfinished. Each of them raises InputError where the disk is
    full or `out` cannot be written.

    Attributes:
        about: what it makes, in a few words.
        files: names of the files under `out` that it leaves; `{frame}` stands for the number of a
            frame, five digits or more, `{id}` for that of an object.
        needs_soft: whether it makes use of `Result.soft`, so that a run keeps them for it.
    """

    about: ClassVar[str]
    files: ClassVar[tuple[str, ...]]
    needs_soft: ClassVar[bool]

    def __init__(self, out: Path) -> None: ...
    def open(self, info: VideoInfo) -> None: ...
    def write(self, frame: Frame, result: Result) -> None: ...
    def close(self, whole: bool = True) -> None: ...
    def abort(self) -> None: ...


def each_object(labels: LabelMap) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Ids that are in a label map, ascending, and their masks (H, W)."""
    for object_id in areas(labels):
        yield object_id, labels == object_id


def named(object_id: int) -> str:
    """What an object is called where a format wants a name."""
    return f"object {object_id}"
