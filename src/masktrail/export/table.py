"""A row per frame and object."""

import csv
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

from masktrail.export.growing import GrowingFile
from masktrail.results import ObjectResult, Result
from masktrail.types import Corners, Frame, VideoInfo

COLUMNS = ("frame", "time", "id", "score", "area", "x0", "y0", "x1", "y1", "state", "x", "y")

TURNED = tuple(f"rotated_{axis}{corner}" for corner in range(4) for axis in "xy")
"""More of them, where the model gives rotated boxes: corners, one after the other."""


class CsvWriter:
    """`objects.csv`: every object in every frame, box fields empty where nothing is seen.

    Time is in seconds, area, box and centroid (x, y) in pixels, the box end exclusive. Where the
    model gives rotated boxes, their corners follow. The table grows under a temporary name.

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
        self._begun = False

    def open(self, info: VideoInfo) -> None:
        self._file = GrowingFile(self.path)
        self._rows, self._begun = csv.writer(self._file, lineterminator="\n"), False

    def write(self, frame: Frame, result: Result) -> None:
        for object_id, object_result in sorted(result.objects.items()):
            self._begin(object_result.rotated is not None)
            self._rows.writerow(_row(frame, object_id, object_result))

    def close(self, whole: bool = True) -> None:
        """Completes the table and gives it its name."""
        file, self._file = self._file, None
        if file is not None:
            self._begin(turned=False)
            file.finish()

    def abort(self) -> None:
        """Drops the unfinished table."""
        file, self._file = self._file, None
        if file is not None:
            file.drop()

    def _begin(self, turned: bool) -> None:
        """Writes the names of the columns, once the first object has told which there are."""
        if not self._begun:
            self._rows.writerow((*COLUMNS, *TURNED) if turned else COLUMNS)
            self._begun = True


def _row(frame: Frame, object_id: int, result: ObjectResult) -> tuple[object, ...]:
    box = result.box or ("", "", "", "")
    score, time = f"{result.score:.4f}", f"{frame.time:.6f}"
    middle = ("", "") if result.centroid is None else (round(c, 2) for c in result.centroid)
    row = frame.index, time, object_id, score, result.area, *box, result.state, *middle
    return (*row, *turned_row(result.rotated, ""))


def turned_row(rotated: Corners | None, missing: object) -> tuple[object, ...]:
    """What stands under `TURNED`: nothing at all where the model gives no rotated boxes.

    Args:
        rotated: corners, none where nothing is seen.
        missing: what then stands for each.
    """
    if rotated is None:
        return ()
    return tuple(round(value, 2) for value in chain(*rotated)) or (missing,) * len(TURNED)
