"""Data sets of one's own runs."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from masktrail.collecting import collect
from masktrail.data.check import check_data
from masktrail.data.davis import find_sequences
from masktrail.data.rules import ERROR
from masktrail.errors import InputError
from masktrail.masks import read_labels
from masktrail.prompts.kinds import Box
from masktrail.run import track
from masktrail.run.reading import open_run
from painted_videos import PaintVideo
from said import Said

BOX, OTHER = Box(60, 20, 88, 46), Box(30, 20, 58, 46)


@pytest.fixture
def run(paint_video: PaintVideo, tmp_path: Path) -> Path:
    """A run of 12 frames, marked in frames 0 and 7."""
    video = paint_video(frames=12)
    track(video, {0: {1: BOX}, 7: {1: OTHER}}, tmp_path / "runs" / "fly", "copy", "davis")
    return tmp_path / "runs" / "fly"


def test_corrected_frames_are_taken_and_every_so_many_others(run: Path, tmp_path: Path) -> None:
    came = collect([run], tmp_path / "set", every=5)
    assert (came.videos, came.frames, came.corrected) == (1, 4, 2)
    (sequence,) = find_sequences(tmp_path / "set")
    assert sequence.name == "fly" and [p.stem for p in sequence.frames] == [
        "00000", "00005", "00007", "00010",
    ]  # fmt: skip
    for place, path in enumerate(sequence.frames):
        kept = read_labels(run / "masks" / f"{path.stem}.png")[0]
        np.testing.assert_array_equal(sequence.truth(place), kept)
    assert not [finding for finding in check_data(tmp_path / "set") if finding.severity == ERROR]


def test_what_a_run_is_unsure_of_is_left_to_it(run: Path, tmp_path: Path) -> None:
    opened = open_run(run)
    scores = {
        frame: min(o.score for o in opened.result(frame).objects.values()) for frame in range(12)
    }
    middle = sorted(scores.values())[6]
    collect([run], tmp_path / "set", every=1, score=middle)
    (sequence,) = find_sequences(tmp_path / "set")
    kept = [int(path.stem) for path in sequence.frames]
    assert kept == [t for t in range(12) if t in (0, 7) or scores[t] >= middle]
    assert len(kept) < 12, "some are left out"


def test_what_a_pipe_showed_is_not_collected(tmp_path: Path, paint_video: PaintVideo) -> None:
    with paint_video(frames=4).open("rb") as pipe:
        subprocess.run(
            [sys.executable, "-m", "masktrail.cli", "track", "-", "--box", "1:60,20,88,46",
             "--model", "copy", "--export", "davis", "--out", str(tmp_path / "run")],
            stdin=pipe, check=True,
        )  # fmt: skip
    with pytest.raises(InputError, match=r"is of a camera or a pipe \(.*\), and what that showed"):
        collect([tmp_path / "run"], tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_names_with_numbers_are_not_taken_twice(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "other" / "fly-2")
    shutil.copytree(run, tmp_path / "third" / "fly")
    came = collect([run, tmp_path / "other", tmp_path / "third"], tmp_path / "set", every=100)
    assert [s.name for s in find_sequences(tmp_path / "set")] == ["fly", "fly-2", "fly-3"]
    assert came.videos == 3 and came.frames == 6


def test_runs_of_a_batch_and_of_one_name(run: Path, tmp_path: Path) -> None:
    came = collect([run, run.parent], tmp_path / "set", every=100)
    assert came.videos == 2
    assert [s.name for s in find_sequences(tmp_path / "set")] == ["fly", "fly-2"]


def test_what_cannot_be_collected_is_refused(run: Path, tmp_path: Path) -> None:
    for runs, how, words in (
        ([tmp_path / "nowhere"], {}, "holds no run"),
        ([run], {"every": 0}, "every=0"),
        ([run], {"score": 2.0}, "score=2"),
    ):
        with pytest.raises(InputError, match=words):
            collect(runs, tmp_path / "set", **how)
    with pytest.raises(InputError, match="is there already"):
        collect([run], run)
    assert not (tmp_path / "set").exists()


def test_the_command(run: Path, tmp_path: Path, command: Callable[..., Said]) -> None:
    said = command("collect", run, "--out", tmp_path / "set", "--every", 5)
    assert said.code == 0
    assert said.out.startswith("4 frames of 1 runs, 2 of them marked by hand, 0 empty, in ")
