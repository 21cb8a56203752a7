"""One label map per frame, as DAVIS stores them."""

from pathlib import Path
from typing import ClassVar

from masktrail.files import make_folder
from masktrail.masks import write_labels
from masktrail.results import Result
from masktrail.types import Frame, VideoInfo


class DavisWriter:
    """`masks/00000.png ...`: palette PNG (16-bit above id 255), named by the frame's index.

    Every picture is complete as soon as it has its name; nothing is left to close.

    Args:
        out: folder under which `masks` is made.
    """

    about: ClassVar[str] = "masks as palette PNG, one per frame"
    files: ClassVar[tuple[str, ...]] = ("masks/{frame}.png",)
    needs_soft: ClassVar[bool] = False

    def __init__(self, out: Path) -> None:
        self.folder = Path(out) / "masks"

    def open(self, info: VideoInfo) -> None:
        make_folder(self.folder)

    def write(self, frame: Frame, result: Result) -> None:
        write_labels(self.folder / f"{frame.index:05d}.png", result.labels)

    def close(self, whole: bool = True) -> None:
        """Nothing to complete."""

    def abort(self) -> None:
        """Nothing to drop: pictures that are there are valid."""
