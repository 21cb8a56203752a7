"""The table as JSON."""

import json
from pathlib import Path
from typing import ClassVar

from masktrail.export.growing import GrowingFile
from masktrail.export.table import row_of
from masktrail.results import Result
from masktrail.types import Frame, VideoInfo


class JsonWriter:
    """`objects.json`: a list with an object per row of `objects.csv`, one on each line.

    The columns are those of the table, a box nobody sees is null. The list grows under a temporary
    name.

    Args:
        out: folder of the file.
    """

    about: ClassVar[str] = "table (JSON)"
    files: ClassVar[tuple[str, ...]] = ("objects.json",)
    needs_soft: ClassVar[bool] = False

    def __init__(self, out: Path) -> None:
        self.path = Path(out) / "objects.json"
        self._file: GrowingFile | None = None
        self._between = ""

    def open(self, info: VideoInfo) -> None:
        self._file, self._between = GrowingFile(self.path), "\n"
        self._file.write("[")

    def write(self, frame: Frame, result: Result) -> None:
        if self._file is None:
            raise ValueError("Call open(info) before write.")
        for object_id, object_result in sorted(result.objects.items()):
            row = row_of(frame.index, frame.time, object_id, object_result)
            self._file.write(self._between + json.dumps(row))
            self._between = ",\n"

    def close(self, whole: bool = True) -> None:
        """Completes the list and gives the file its name."""
        file, self._file = self._file, None
        if file is not None:
            file.write("\n]\n")
            file.finish()

    def abort(self) -> None:
        """Drops the unfinished list."""
        file, self._file = self._file, None
        if file is not None:
            file.drop()
