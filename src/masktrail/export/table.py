"""A row per frame and object."""

import csv
from pathlib import Path
from typing import Any, TextIO

from masktrail.export.base import make_folder
from masktrail.masks import cannot_write
from masktrail.types import Frame, ObjectResult, Result, VideoInfo

COLUMNS = ("frame", "time", "id", "score", "area", "x0", "y0", "x1", "y1", "state")


class CsvWriter:
    """`objects.csv`: every object in every frame, box fields empty where nothing is seen.

    Time is in seconds, area and box in pixels, the box end exclusive. The table grows under a
    temporary name.

    Args:
        out: folder of the table.
    """

    def __init__(self, out: Path) -> None:
        self.path = Path(out) / "objects.csv"
        self._part = self.path.with_name(f".{self.path.name}.part")
        self._file: TextIO | None = None
        self._rows: Any = None

    def open(self, info: VideoInfo) -> None:
        make_folder(self.path.parent)
        try:
            self._file = self._part.open("w", newline="", encoding="utf-8")
            self._rows = csv.writer(self._file, lineterminator="\n")
            self._rows.writerow(COLUMNS)
        except OSError as error:
            self._fail(error)

    def write(self, frame: Frame, result: Result) -> None:
        try:
            for object_id, found in sorted(result.objects.items()):
                self._rows.writerow(_row(frame, object_id, found))
        except OSError as error:
            self._fail(error)

    def close(self) -> None:
        """Completes the table and gives it its name."""
        if self._file is None:
            return
        try:
            self._file.close()
            self._part.replace(self.path)
            self._file = None
        except OSError as error:
            self._fail(error)

    def abort(self) -> None:
        """Drops the unfinished table."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.close()
        except OSError:  # rows that a full disk did not take: they are dropped anyway
            pass
        finally:
            self._part.unlink(missing_ok=True)

    def _fail(self, error: OSError) -> None:
        self.abort()
        raise cannot_write(self.path, error) from error


def _row(frame: Frame, object_id: int, found: ObjectResult) -> tuple[object, ...]:
    box = found.box or ("", "", "", "")
    score, time = f"{found.score:.4f}", f"{frame.time:.6f}"
    return frame.index, time, object_id, score, found.area, *box, found.state
