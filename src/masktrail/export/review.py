"""Frames worth a look, the least certain first."""

import csv
import heapq
import math
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, NamedTuple

from masktrail.files import make_folder, replacing
from masktrail.results import ObjectResult, Result
from masktrail.types import Frame, VideoInfo

COLUMNS = ("frame", "time", "id", "score", "reason")

MOST = 100
"""Rows at most."""

APART = 2
"""Frames between two rows of one object, at least: what lies nearer is the same trouble."""

MOST_CUTS = 1000
"""Rows for cuts at most, the first ones."""

CANDIDATES = MOST * (2 * APART - 1)
"""Frames remembered at most; so many that rows for those left out could not be missing."""

JUMP, GROWTH = 1.0, 1.7
"""How far the middle of a box may go in a frame, in diagonals of it; how much an area may change,
as a factor."""

SUSPECT = 0.5
"""What the score of a frame in which the object jumped or changed size is worth in the order."""


class Candidate(NamedTuple):
    """A row, and its place in the order: the higher the doubt, the earlier."""

    doubt: float
    frame: int
    time: float
    object_id: int
    score: float
    reason: str


class ReviewWriter:
    """`review.csv`: where to look first, and why: "lost", "jumped", "changed size", "low score".

    A row per trouble: of an object's frames nearer than `APART` the least certain stands for all,
    of those it is lost in the first. At most `MOST` rows; below them one for every "cut", with
    neither id nor score, at most `MOST_CUTS`. The memory needed does not grow with the video. Time
    is in seconds.

    Args:
        out: folder of the table.
    """

    about: ClassVar[str] = "table (CSV) of the frames worth a look"
    files: ClassVar[tuple[str, ...]] = ("review.csv",)
    needs_soft: ClassVar[bool] = False

    def __init__(self, out: Path) -> None:
        self.path = Path(out) / "review.csv"
        self._worst: list[Candidate] = []
        self._last: dict[int, ObjectResult] = {}
        self._cuts: list[tuple[int, float]] = []
        self._opened = False

    def open(self, info: VideoInfo) -> None:
        make_folder(self.path.parent)
        self._opened = True

    def write(self, frame: Frame, result: Result) -> None:
        self.note(frame.index, frame.time, result.objects)
        if frame.cut:
            self.note_cut(frame.index, frame.time)

    def note(self, frame: int, time: float, objects: Mapping[int, ObjectResult]) -> None:
        """Takes the next frame; its pixels do not matter."""
        for object_id, result in objects.items():
            reason = reason_for(self._last.get(object_id), result)
            if reason is not None:
                worth = SUSPECT if reason in ("jumped", "changed size") else 1.0
                doubt = -result.score * worth
                self._add(Candidate(doubt, frame, time, object_id, result.score, reason))
        self._last = dict(objects)

    def note_cut(self, frame: int, time: float) -> None:
        """Takes a frame that is the first after a cut."""
        if len(self._cuts) < MOST_CUTS:
            self._cuts.append((frame, time))

    @property
    def cuts(self) -> list[int]:
        """Frames after cuts, so far."""
        return [frame for frame, _ in self._cuts]

    @property
    def rows(self) -> list[Candidate]:
        """Those of the table, of the frames so far."""
        return chosen(self._worst)

    def close(self, whole: bool = True) -> None:
        """Writes the table and gives it its name."""
        if not self._opened:
            return
        self._opened = False
        with replacing(self.path) as part, part.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(COLUMNS)
            for row in self.rows:
                time, score = f"{row.time:.6f}", f"{row.score:.4f}"
                rows.writerow((row.frame, time, row.object_id, score, row.reason))
            rows.writerows((frame, f"{time:.6f}", "", "", "cut") for frame, time in self._cuts)

    def abort(self) -> None:
        """Nothing to drop: the table is written at the end."""
        self._opened = False

    def _add(self, row: Candidate) -> None:
        if len(self._worst) < CANDIDATES:
            heapq.heappush(self._worst, row)
        else:
            heapq.heappushpop(self._worst, row)  # the least doubtful goes


def reason_for(before: ObjectResult | None, now: ObjectResult) -> str | None:
    """Why a frame may be worth a look; None while an object stays lost.

    Args:
        before: the object in the frame before, None where it was not known.
        now: the object now.
    """
    if now.state == "lost" or now.box is None:
        return None if before is not None and before.state == "lost" else "lost"
    if before is None or before.box is None:
        return "low score"
    x0, y0, x1, y1 = before.box
    u0, v0, u1, v1 = now.box
    moved = math.hypot(u0 + u1 - x0 - x1, v0 + v1 - y0 - y1) / 2
    if moved > JUMP * math.hypot(x1 - x0, y1 - y0):
        return "jumped"
    ratio = now.area / before.area
    return "changed size" if max(ratio, 1 / ratio) > GROWTH else "low score"


def chosen(candidates: list[Candidate]) -> list[Candidate]:
    """The rows, most doubtful first: each stands for those of its object that lie near it."""
    rows: list[Candidate] = []
    covered: set[tuple[int, int]] = set()
    for row in sorted(candidates, key=lambda c: (-c.doubt, c.frame, c.object_id)):
        if len(rows) == MOST:
            break
        if (row.object_id, row.frame) not in covered:
            rows.append(row)
            near = range(row.frame - APART + 1, row.frame + APART)
            covered.update((row.object_id, frame) for frame in near)
    return rows
