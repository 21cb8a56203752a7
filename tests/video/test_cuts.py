"""Cuts: found where two shots meet, not where things or the camera move, or a light flashes."""

import csv
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from masktrail.export import review
from masktrail.prompts.kinds import Box
from masktrail.run import convert, track
from masktrail.run.journal import NAME, Journal
from masktrail.video import open_video
from masktrail.video.cuts import with_cuts
from painted_videos import PaintVideo, paint_clip, through_pipe, write_video
from watched_runs import Stopped, stop_after

CLIP = paint_clip(12, (96, 64)).images
OTHER = np.ascontiguousarray(255 - paint_clip(12, (96, 64)).images[:, ::-1])
"""Another place."""


def cuts(path: Path, **how: Any) -> list[int]:
    return [frame.index for frame in with_cuts(open_video(path, **how)) if frame.cut]


def film(path: Path, *shots: np.ndarray) -> Path:
    return write_video(path, np.concatenate(shots), tone=None)


def test_a_frame_after_a_cut_is_told(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", CLIP[:7], OTHER[:5], CLIP[7:])
    assert cuts(path) == [7, 12]
    assert cuts(path, start=3) == [7, 12] and cuts(path, start=7) == [12]
    assert cuts(path, end=9) == [7]
    assert cuts(path, end=8) == [], "the last frame has none after it that could tell"
    frames = list(with_cuts(open_video(path)))
    assert [frame.index for frame in frames] == list(range(17))
    for frame, same in zip(frames, open_video(path), strict=True):
        np.testing.assert_array_equal(frame.image, same.image)


def test_a_flash_is_no_cut(tmp_path: Path) -> None:
    for lasting in (1, 2, 3):
        flash = np.full_like(CLIP[:lasting], 255)
        assert cuts(film(tmp_path / f"{lasting}.mp4", CLIP[:5], flash, CLIP[5:])) == []
    white = np.full_like(CLIP[:5], 255)
    assert cuts(film(tmp_path / "long.mp4", CLIP[:5], white, CLIP[5:])) == [5, 10]
    assert cuts(film(tmp_path / "to.mp4", CLIP[:5], white[:1], OTHER[:5])) == [5, 6]
    assert cuts(film(tmp_path / "last.mp4", CLIP[:5], white[:1])) == []


def test_motion_and_light_are_no_cuts(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    texture = noise.repeat(16, 0).repeat(16, 1)
    panned = np.stack([texture[40:104, 9 * t : 9 * t + 96] for t in range(12)])
    assert cuts(film(tmp_path / "panned.mp4", panned)) == []
    fading = np.stack([CLIP[0] * (1 - t / 12) for t in range(12)]).astype(np.uint8)
    assert cuts(film(tmp_path / "fading.mp4", fading)) == []


def test_lost_frames_are_not_looked_at(picture_folder: Path) -> None:
    """What stands for them is black where nothing came before."""
    for name in ("1.png", "6.png"):
        whole = (picture_folder / name).read_bytes()
        (picture_folder / name).write_bytes(whole[: len(whole) // 2])
    frames = list(with_cuts(open_video(picture_folder)))
    assert [frame.index for frame in frames if frame.lost] == [0, 5]
    assert not any(frame.cut for frame in frames)


@pytest.mark.parametrize("size", [(2, 2), (16, 1000), (2000, 16)])
def test_pictures_of_any_shape_are_looked_at(tmp_path: Path, size: tuple[int, int]) -> None:
    from PIL import Image

    for index, grey in enumerate((10, 10, 240, 240, 240)):
        Image.new("RGB", size, (grey, grey, grey)).save(tmp_path / f"{index}.png")
    assert cuts(tmp_path) == [2]


def test_a_pipe_is_not_kept_waiting(tmp_path: Path) -> None:
    path = film(tmp_path / "a.ts", CLIP[:6], OTHER[:6])
    fifo = through_pipe(tmp_path / "pipe", path.read_bytes())
    frames = list(with_cuts(open_video(fifo)))
    assert len(frames) == 12 and not any(frame.cut for frame in frames)


def test_a_run_lists_them_however_it_came_to_its_end(tmp_path: Path) -> None:
    path, out = film(tmp_path / "a.mp4", CLIP[:7], OTHER[:5]), tmp_path / "out"

    def told() -> list[list[str]]:
        with (out / "review.csv").open(newline="") as file:
            return [row for row in csv.reader(file) if row[-1] == "cut"]

    track(path, {1: Box(60, 20, 88, 46)}, out, "copy", "review", end=6)
    assert told() == []
    track(path, {1: Box(60, 20, 88, 46)}, out, "copy", "review", overwrite=True)
    assert told() == [["7", "0.280000", "", "", "cut"]]
    with Journal(out) as journal:
        assert journal.cuts == [7]
    (out / "review.csv").unlink()
    convert(out, "review")
    assert told() == [["7", "0.280000", "", "", "cut"]]


def test_a_run_that_told_none_yet_tells_them_when_it_goes_on(tmp_path: Path) -> None:
    path, out = film(tmp_path / "a.mp4", CLIP[:7], OTHER[:5]), tmp_path / "out"
    with pytest.raises(Stopped):
        track(path, {1: Box(60, 20, 88, 46)}, out, "copy", "csv", progress=stop_after(9))
    with closing(sqlite3.connect(out / NAME)) as base, base:
        base.execute("DROP TABLE cuts")
    track(path, {1: Box(60, 20, 88, 46)}, out, "copy", "csv", resume=True)
    with Journal(out) as journal:
        assert journal.cuts == [7]


def test_what_the_run_saw_counts_where_less_is_converted(tmp_path: Path) -> None:
    """It was ended at the frame after the cut, but had read on."""

    def interrupt(done: int, expected: int | None) -> None:
        if done == 8:
            raise KeyboardInterrupt  # after which what is done is kept, to the last frame

    path, out = film(tmp_path / "a.mp4", CLIP[:7], OTHER[:5]), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        track(path, {1: Box(60, 20, 88, 46)}, out, "copy", "csv", progress=interrupt)
    convert(out, "review")
    assert (out / "review.csv").read_text().splitlines()[-1] == "7,0.280000,,,cut"


def test_a_film_of_cuts_alone_is_listed_to_an_end(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(review, "MOST_CUTS", 3)
    writer = review.ReviewWriter(tmp_path)
    for frame in range(1, 9):
        writer.note_cut(frame, frame / 25)
    assert writer.cuts == [1, 2, 3]


def test_a_video_without_cuts_has_none(paint_video: PaintVideo, tmp_path: Path) -> None:
    track(paint_video(), {1: Box(60, 20, 88, 46)}, tmp_path / "out", "copy", "review")
    with Journal(tmp_path / "out") as journal:
        assert journal.cuts == []
    assert "cut" not in (tmp_path / "out/review.csv").read_text()
