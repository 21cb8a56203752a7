"""A row per frame and object."""

import csv
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

from masktrail.export.growing import GrowingFile
from masktrail.results import ObjectResult, Result
from masktrail.types import Corners, Frame, VideoInfo

COLUMNS = ("frame", "time", "id", "score", "area", "x0", "y0", "x1", "y1", "state", "x", "y")

TURNED = tuple(f"rotated_{axis}{corner}" for corner in range(4) for axis in "xy")
"""More of them, where the model gives rotated boxes: corners, one after the other."""

DECIMALS = {"score": 4, "time": 6}
"""Written even where they are 0."""


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
            row = row_of(frame.index, frame.time, object_id, object_result)
            self._rows.writerow(_texts(row))

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


def row_of(index: int, time: float | None, object_id: int, result: ObjectResult) -> dict[str, Any]:
    """An object in a frame as a row of every table: plain values by column, None for none.

    Score and time are rounded to 4 and 6 decimals, centroids to 2. Corners follow where the model
    gives rotated boxes, and stand under no column at all where it gives none.

    Args:
        index: of the frame.
        time: of the frame in seconds, where it is known.
        object_id: of the object.
        result: what was said of it.
    """
    box = (None,) * 4 if result.box is None else map(int, result.box)
    seconds = None if time is None else round(time, 6)
    score, area = round(float(result.score), 4), int(result.area)
    middle = (None, None) if result.centroid is None else (round(c, 2) for c in result.centroid)
    row = (index, seconds, object_id, score, area, *box, result.state, *middle)
    return dict(zip((*COLUMNS, *TURNED), (*row, *_turned(result.rotated)), strict=False))


def _turned(rotated: Corners | None) -> tuple[float | None, ...]:
    """What stands under `TURNED`: nothing at all where the model gives no rotated boxes."""
    if rotated is None:
        return ()
    return tuple(round(value, 2) for value in chain(*rotated)) or (None,) * len(TURNED)


def _texts(row: Mapping[str, Any]) -> Iterator[object]:
    """The values of a row as they stand in the table."""
    for name, value in row.items():
        decimals = DECIMALS.get(name)
        yield "" if value is None else value if decimals is None else f"{value:.{decimals}f}"
