"""The list of frames worth a look: order, reasons, neighbours merged, bounded."""

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from masktrail.export import review
from masktrail.export.review import ReviewWriter, reason_for
from masktrail.results import ObjectResult, Result
from masktrail.types import Frame, VideoInfo

INFO = VideoInfo("none.mp4", 96, 64, Fraction(25), Fraction(1, 25))
LOST = ObjectResult(0.0, 0, None, "lost")


def seen(score: float, x: int = 10, side: int = 10) -> ObjectResult:
    return ObjectResult(score, side * side, (x, 10, x + side, 10 + side), "present")


def written(out: Path, *objects: list[ObjectResult]) -> list[tuple[int, int, str]]:
    """Rows (frame, id, reason) after writing what is said of objects 1, 2, ... frame by frame."""
    writer = ReviewWriter(out)
    writer.open(INFO)
    for t, found in enumerate(zip(*objects, strict=True)):
        frame = Frame(np.zeros((1, 1, 3), np.uint8), t, t, Fraction(1, 25))
        labels = np.zeros((1, 1), np.uint8)
        writer.write(frame, Result(labels, dict(enumerate(found, start=1))))
    writer.close()
    with (out / "review.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [(int(r["frame"]), int(r["id"]), r["reason"]) for r in rows]


def test_the_least_certain_frame_comes_first(tmp_path):
    scores = [1.0, 0.9, 0.8, 0.9, 0.9, 0.9, 0.2, 0.9, 0.9, 0.9, 0.5, 0.9]
    rows = written(tmp_path, [seen(s) for s in scores])
    assert rows[:3] == [(6, 1, "low score"), (10, 1, "low score"), (2, 1, "low score")]
    text = (tmp_path / "review.csv").read_text().splitlines()
    assert text[:2] == ["frame,time,id,score,reason", "6,0.240000,1,0.2000,low score"]


def test_neighbours_are_one_trouble(tmp_path):
    rows = written(tmp_path, [seen(0.9 - 0.02 * t) for t in range(30)])
    frames = [frame for frame, _, _ in rows]
    assert frames[0] == 29
    assert all(abs(a - b) >= review.APART for a in frames for b in frames if a != b)


def test_objects_are_listed_side_by_side(tmp_path):
    rows = written(tmp_path, [seen(0.9)] * 4, [seen(0.9), seen(0.3), seen(0.9), seen(0.9)])
    assert rows[0] == (1, 2, "low score") and {i for _, i, _ in rows} == {1, 2}


def test_an_object_that_stays_lost_is_listed_once(tmp_path):
    rows = written(tmp_path, [seen(1.0)] * 3 + [LOST] * 20 + [seen(0.7, x=80)] * 3)
    assert [row for row in rows if row[2] == "lost"] == [(3, 1, "lost")]
    assert rows[1][0] == 23  # where it came back


@pytest.mark.parametrize(
    ("before", "found", "reason"),
    [
        (None, seen(1.0), "low score"),
        (None, LOST, "lost"),
        (LOST, LOST, None),
        (seen(1.0), seen(1.0, x=14), "low score"),
        (seen(1.0), seen(1.0, x=40), "jumped"),
        (seen(1.0), seen(1.0, side=14), "changed size"),
        (seen(1.0, side=14), seen(1.0), "changed size"),
        (seen(1.0, side=14), seen(1.0, side=13), "low score"),
    ],
)
def test_reasons(before, found, reason):
    assert reason_for(before, found) == reason


def test_a_sure_jump_is_suspect_all_the_same(tmp_path):
    rows = written(tmp_path, [seen(0.9)] * 5 + [seen(0.9, x=60)] + [seen(0.9, x=60)] * 3)
    assert rows[0] == (5, 1, "jumped")


def test_rows_and_memory_are_bounded(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    scores = [seen(s) for s in rng.random(3000)]
    free = written(tmp_path / "free", scores)
    assert len(free) == review.MOST
    monkeypatch.setattr(review, "CANDIDATES", 10**6)
    assert written(tmp_path / "all", scores) == free


def test_without_frames_there_is_a_head_and_without_opening_nothing(tmp_path):
    assert written(tmp_path / "none", []) == []
    ReviewWriter(tmp_path / "never").close()
    assert not (tmp_path / "never").exists()
    writer = ReviewWriter(tmp_path / "dropped")
    writer.open(INFO)
    writer.abort()
    assert list((tmp_path / "dropped").iterdir()) == []
