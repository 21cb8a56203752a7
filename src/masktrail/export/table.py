"""A row per frame and object."""

import csv
from pathlib import Path
from typing import Any, ClassVar

from masktrail.export.growing import GrowingFile
from masktrail.types import Frame, ObjectResult, Result, VideoInfo

COLUMNS = ("frame", "time", "id", "score", "area", "x0", "y0", "x1", "y1", "state")


class CsvWriter:
    """`objects.csv`: every object in every frame, box fields empty where nothing is seen.

    Time is in seconds, area and box in pixels, the box end exclusive. The table grows under a
    temporary name.

    Args:
        out: folder of the table.
    """

    about: ClassVar[str] = "table (CSV): score, area and box of every object in every frame"
    files: ClassVar[tuple[str, ...]] = ("objects.csv",)
    needs_soft: ClassVar[bool] = False

    def __init__(self, out: Path) -> None:
        self.path = Path(out) / "objects.csv"
        self._file: GrowingFile | None = None
        self._rows: Any = None

    def open(self, info: VideoInfo) -> None:
        self._file = GrowingFile(self.path)
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._rows.writerow(COLUMNS)

    def write(self, frame: Frame, result: Result) -> None:
        for object_id, object_result in sorted(result.objects.items()):
            self._rows.writerow(_row(frame, object_id, object_result))

    def close(self, whole: bool = True) -> None:
        """Completes the table and gives it its name."""
        file, self._file = self._file, None
        if file is not None:
            file.finish()

    def abort(self) -> None:
        """Drops the unfinished table."""
        file, self._file = self._file, None
        if file is not None:
            file.drop()


def _row(frame: Frame, object_id: int, result: ObjectResult) -> tuple[object, ...]:
    box = result.box or ("", "", "", "")
    score, time = f"{result.score:.4f}", f"{frame.time:.6f}"
    return frame.index, time, object_id, score, result.area, *box, result.state
