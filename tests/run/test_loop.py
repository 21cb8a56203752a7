"""From a video and prompts to files, and what is left when it does not come to an end."""

import csv
import errno
import gc
import hashlib
import json
import os
import re
import signal
import sys
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import masktrail
from fake import fake_tracker
from masktrail.devices import choose_device, has_fast_bfloat16
from masktrail.errors import InputError
from masktrail.masks import areas, read_labels
from masktrail.prompts.kinds import Box, Mask
from masktrail.run import convert, track
from masktrail.run.job import Job
from masktrail.run.loop import track_video
from masktrail.run.record import peak_memory_mb
from masktrail.settings import ModelOptions
from masktrail.tracking.confidence import LOST
from masktrail.video import open_video
from memory_use import LABELS_MB, growth_of, paint_long
from painted_videos import paint_clip

SIZE = (64, 48)
PROMPTS = {1: Box(36, 12, 60, 36), 300: Box(4, 12, 28, 36)}
FILES = ["masks", "objects.csv", "overlay.mp4", "review.csv", "run.json"]


@pytest.fixture
def fake(monkeypatch, tmp_path) -> Path:
    """Makes runs track with drifting masks; gives a weights file to name."""
    monkeypatch.setattr("masktrail.run.loop.tracker_of", lambda *arguments: fake_tracker())
    (tmp_path / "fake.safetensors").write_bytes(b"fake")
    return tmp_path / "fake.safetensors"


@pytest.fixture
def video(paint_video) -> Path:
    return paint_video(frames=8, size=SIZE)


def names(folder: Path) -> list[str]:
    """What a run left, but for its journal."""
    found = folder.iterdir() if folder.exists() else ()
    return sorted(path.name for path in found if not path.name.startswith("journal"))


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "objects.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def times(path: Path) -> list[Fraction]:
    """Presentation times from the first frame on, in seconds."""
    found = [frame.pts * frame.time_base for frame in open_video(path)]
    return [time - found[0] for time in found]


def test_a_video_becomes_masks_table_overlay_and_record(video, model, tmp_path):
    out, seen = tmp_path / "deep" / "out", []
    report = track(video, PROMPTS, out, model, size=64, progress=lambda *now: seen.append(now))
    assert names(out) == FILES
    assert names(out / "masks") == [f"{i:05d}.png" for i in range(8)]
    assert seen == [(i + 1, 8) for i in range(8)]
    assert (report.frames, report.loss, report.interrupted) == (8, None, False)
    assert times(out / "overlay.mp4") == times(video)
    rows = rows_of(out)
    assert [(int(row["frame"]), int(row["id"])) for row in rows] == [
        (t, i) for t in range(8) for i in (1, 300)
    ]
    for row in rows:
        labels, _ = read_labels(out / "masks" / f"{int(row['frame']):05d}.png")
        assert labels.shape == (48, 64)
        assert areas(labels).get(int(row["id"]), 0) == int(row["area"])
        assert float(row["time"]) == pytest.approx(int(row["frame"]) / 25)


def test_the_record_says_what_made_it(video, model, tmp_path):
    given = {"size": 64, "end": 3, "settings": {"top_k": "9"}}
    track(video, {1: Box(36, 12, 60, 36)}, tmp_path / "out", model, "csv", **given)
    record = json.loads((tmp_path / "out/run.json").read_text())
    floats = "bfloat16" if has_fast_bfloat16(choose_device("cpu")) else "float"
    weights = (model / "weights.safetensors").read_bytes()
    assert record["weights_sha256"] == hashlib.sha256(weights).hexdigest()
    assert record["model"] == str(model)
    assert record["arguments"] == {
        "video": str(video), "prompts": {"1": [36, 12, 60, 36]}, "export": "csv", "size": 64,
        "device": "cpu", "engine": "torch", "precision": floats, "edges": "plain",
        "start": 0, "end": 3, "direction": "both", "values": None,
        "settings": {"capacity": 4, "every": 3, "top_k": 9, "min_score": LOST, "adapt": 0.0},
    }  # fmt: skip
    assert record["versions"]["masktrail"] == masktrail.__version__
    assert {"python", "torch", "numpy", "av"} <= set(record["versions"])
    assert record["frames"] == 3 and record["fps"] > 0 and record["tracking_fps"] > 0
    assert record["peak_memory_mb"] > 50 and record["seconds"] > 0
    assert record["loss"] is None and record["interrupted"] is False
    assert names(tmp_path / "out") == ["objects.csv", "run.json"]


def test_a_variable_frame_rate_is_kept(paint_video, fake, tmp_path):
    pts = [0, 40, 50, 200, 210, 500, 501, 1000]
    source = paint_video(
        "vfr.mkv", frames=8, size=SIZE, pts=pts, time_base=Fraction(1, 1000), tone=None
    )
    track(source, PROMPTS, tmp_path / "out", fake)
    assert [round(time * 1000) for time in times(tmp_path / "out/overlay.mp4")] == pts
    told = [float(row["time"]) for row in rows_of(tmp_path / "out") if row["id"] == "1"]
    assert told == [t / 1000 for t in pts]


def test_a_range_is_named_by_the_frames_of_the_source(video, fake, tmp_path):
    report = track(video, PROMPTS, tmp_path / "out", fake, start=3, end=6)
    assert report.frames == 3
    assert names(tmp_path / "out/masks") == ["00003.png", "00004.png", "00005.png"]
    assert Counter(row["frame"] for row in rows_of(tmp_path / "out")) == {"3": 2, "4": 2, "5": 2}
    assert len(times(tmp_path / "out/overlay.mp4")) == 3
    first, _ = read_labels(tmp_path / "out/masks/00003.png")
    assert areas(first) == {1: 24 * 24, 300: 24 * 24}  # the prompt is for the first frame


def test_a_folder_of_pictures_is_a_video_too(picture_folder, fake, tmp_path, clip):
    track(picture_folder, {1: Mask(clip.labels[0] == 1)}, tmp_path / "out", fake)
    assert len(names(tmp_path / "out/masks")) == len(clip.images)
    assert len(times(tmp_path / "out/overlay.mp4")) == len(clip.images)


def test_a_truncated_video_is_tracked_as_far_as_it_goes(paint_video, fake, tmp_path):
    source = paint_video(frames=30, size=SIZE, faststart=True, tone=None)
    os.truncate(source, source.stat().st_size * 6 // 10)
    report = track(source, PROMPTS, tmp_path / "out", fake)
    assert report.loss and "truncated" in report.loss and 0 < report.frames < 30
    assert names(tmp_path / "out") == FILES
    assert len(names(tmp_path / "out/masks")) == report.frames
    assert json.loads((tmp_path / "out/run.json").read_text())["loss"] == report.loss


def check_whole(out: Path, frames: int) -> None:
    """All files are there, valid, and end with the same frame."""
    assert names(out) == FILES
    assert names(out / "masks") == [f"{i:05d}.png" for i in range(frames)]
    assert len(times(out / "overlay.mp4")) == frames
    assert Counter(row["frame"] for row in rows_of(out)) == {str(i): 2 for i in range(frames)}
    record = json.loads((out / "run.json").read_text())
    assert (record["interrupted"], record["frames"]) == (True, frames)


def test_an_interruption_between_frames_keeps_what_is_done(video, fake, tmp_path):
    def stop(done: int, expected: int | None) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        track(video, PROMPTS, tmp_path / "out", fake, progress=stop)
    check_whole(tmp_path / "out", 4)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"progress": 5}, "Progress is told to a function or to None, not to 5."),
        ({"learning": "yes"}, "Progress is told to a function or to None, not to 'yes'."),
        ({"prompts": Box(8, 8, 40, 40)}, "Prompts are given by object id, as {1: Box(40, 60, "),
        ({"start": 1.5}, "The start 1.5 is no integer; give one, as 1."),
        ({"end": "9"}, "The end '9' is no integer; give one, as 1."),
        ({"out": ""}, "The folder for the results has no name; write one, as out."),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_touched(
    video, fake, tmp_path, monkeypatch, wrong, told
):
    monkeypatch.chdir(tmp_path)
    track(video, PROMPTS, "out", fake, progress=None, learning=None)
    before = {path: path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*"))}
    with pytest.raises(InputError, match=re.escape(told)):
        usual = {"prompts": PROMPTS, "out": "out", "model": fake, "overwrite": True}
        track(video, **{**usual, **wrong})
    assert {path: path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*"))} == before


def interrupting(real, nth: int):
    """The function, with Ctrl-C pressed in its n-th call."""
    calls = []

    def call(*arguments):
        calls.append(1)
        if len(calls) == nth:
            signal.raise_signal(signal.SIGINT)
        return real(*arguments)

    return call


def test_ctrl_c_while_tracking_keeps_what_is_done(video, fake, tmp_path, monkeypatch):
    tracker = fake_tracker()
    tracker.step = interrupting(tracker.step, 4)
    monkeypatch.setattr("masktrail.run.loop.tracker_of", lambda *arguments: tracker)
    with pytest.raises(KeyboardInterrupt):
        track(video, PROMPTS, tmp_path / "out", fake)
    check_whole(tmp_path / "out", 3)


@pytest.mark.parametrize("where", ["pictures.write_labels", "overlay.overlay"])
@pytest.mark.parametrize("nth", [1, 3])
def test_ctrl_c_while_writing_cuts_all_files_alike(video, fake, tmp_path, monkeypatch, where, nth):
    module, name = f"masktrail.export.{where}".rsplit(".", 1)
    real = getattr(sys.modules[module], name)
    monkeypatch.setattr(f"{module}.{name}", interrupting(real, nth))
    gc.disable()  # hypothesis listens to it, and an interruption in there is lost
    try:
        with pytest.raises(KeyboardInterrupt):
            track(video, PROMPTS, tmp_path / "out", fake)
    finally:
        gc.enable()
    frames = json.loads((tmp_path / "out" / "run.json").read_text())["frames"]
    assert nth <= frames <= 8
    check_whole(tmp_path / "out", frames)


def test_ctrl_c_while_files_are_completed_waits_for_them(video, fake, tmp_path, monkeypatch):
    close = sys.modules["masktrail.export.overlay"].OverlayWriter.close
    monkeypatch.setattr("masktrail.export.overlay.OverlayWriter.close", interrupting(close, 1))
    with pytest.raises(KeyboardInterrupt):
        track(video, PROMPTS, tmp_path / "out", fake)
    check_whole(tmp_path / "out", 8)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_was_whole_when_it_was_interrupted_is_finished(video, fake, tmp_path, monkeypatch):
    close = sys.modules["masktrail.export.overlay"].OverlayWriter.close
    with monkeypatch.context() as patch:
        patch.setattr("masktrail.export.overlay.OverlayWriter.close", interrupting(close, 1))
        with pytest.raises(KeyboardInterrupt):
            track(video, PROMPTS, tmp_path / "out", fake)
    report = track(video, PROMPTS, tmp_path / "out", fake, resume=True, keep_finished=True)
    assert report.frames == 8 and not report.interrupted


def test_an_interruption_before_the_first_frame_is_done(video, fake, tmp_path, monkeypatch):
    tracker = fake_tracker()

    def step(*arguments):
        raise KeyboardInterrupt

    tracker.step = step
    monkeypatch.setattr("masktrail.run.loop.tracker_of", lambda *arguments: tracker)
    with pytest.raises(KeyboardInterrupt):
        track(video, PROMPTS, tmp_path / "out", fake)
    assert names(tmp_path / "out") == ["run.json"]


def test_any_other_failure_leaves_finished_masks_only(video, fake, tmp_path):
    def fail(done: int, expected: int | None) -> None:
        if done == 3:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        track(video, PROMPTS, tmp_path / "out", fake, progress=fail)
    assert names(tmp_path / "out") in ([], ["masks"])  # the writers may be a little behind
    done = names(tmp_path / "out/masks")
    assert done == ["00000.png", "00001.png", "00002.png"][: len(done)]


def full_disk(*arguments, **more):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_disk_that_fills_up_is_told(video, fake, tmp_path, monkeypatch):
    real, saved = Image.Image.save, []

    def save(picture, path, *arguments, **more):
        saved.append(path)
        real(picture, path, *arguments, **more)
        if len(saved) == 3:  # with the beginning of the file already there
            full_disk()

    monkeypatch.setattr(Image.Image, "save", save)
    with pytest.raises(InputError, match="disk is full"):
        track(video, PROMPTS, tmp_path / "out", fake)
    assert names(tmp_path / "out") == ["masks"]
    assert names(tmp_path / "out/masks") == ["00000.png", "00001.png"]


@pytest.mark.parametrize("writer", ["table.CsvWriter", "overlay.OverlayWriter"])
def test_a_disk_that_is_full_at_the_very_end_leaves_nothing_half_done(
    video, fake, tmp_path, monkeypatch, writer
):
    def close(self, whole=True):
        raise InputError("The disk is full")

    monkeypatch.setattr(f"masktrail.export.{writer}.close", close)
    with pytest.raises(InputError, match="disk is full"):
        track(video, PROMPTS, tmp_path / "out", fake)
    done = {"table.CsvWriter": [], "overlay.OverlayWriter": ["objects.csv"]}[writer]
    assert names(tmp_path / "out") == ["masks", *done]


def test_writers_are_opened_before_the_first_frame_is_written(video, fake, tmp_path, monkeypatch):
    monkeypatch.setattr("masktrail.export.table.CsvWriter.open", full_disk)
    with pytest.raises(OSError, match="No space"):
        track(video, PROMPTS, tmp_path / "out", fake)
    assert names(tmp_path / "out/masks") == []


def test_nothing_is_written_for_prompts_that_do_not_fit(video, fake, tmp_path):
    for prompts in ({}, {1: Box(100, 100, 120, 120)}, {1: Mask(np.ones((5, 5), bool))}):
        with pytest.raises(InputError):
            track(video, prompts, tmp_path / "out", fake)
    assert not (tmp_path / "out").exists()


def test_peak_memory_is_that_of_this_process():
    ballast = np.ones(2**23)
    assert peak_memory_mb() > ballast.nbytes / 2**20


@pytest.mark.slow
@pytest.mark.parametrize("keep", [False, True])
def test_memory_does_not_grow_with_the_length_of_the_video(tmp_path, keep):
    """Not by a third of the label maps of its frames; were they kept, it would show."""
    video = paint_long(tmp_path / "long.mp4", 300)
    prompts = {0: {1: Box(360, 120, 600, 360)}}
    (growth,) = growth_of(video, prompts, tmp_path / "out", 60, 290, keep=keep)
    assert (growth > 230 * LABELS_MB / 3) == keep, growth


def test_edges_can_be_refined(video, tmp_path):
    """Everything that is written follows; what was drawn stays; a resumption keeps to it."""
    mask = paint_clip(8, SIZE).labels[0] == 1
    masks = {}
    for edges in ("plain", "refined"):
        track(video, {1: Mask(mask)}, tmp_path / edges, "memory-s", "davis,csv", 64, edges=edges)
        folder = tmp_path / edges / "masks"
        masks[edges] = [read_labels(path)[0] for path in sorted(folder.iterdir())]
        for row, labels in zip(rows_of(tmp_path / edges), masks[edges], strict=True):
            assert int(row["area"]) == (labels == 1).sum()
    np.testing.assert_array_equal(masks["refined"][0] == 1, mask)
    changed = [(a != b).mean() for a, b in zip(*masks.values(), strict=True)]
    assert changed[0] == 0 and 0 < max(changed) < 0.2
    with pytest.raises(InputError, match=r"another edges \(refined, now plain\)"):
        track(video, {1: Mask(mask)}, tmp_path / "refined", "memory-s", "csv", 64, resume=True)
    with pytest.raises(InputError, match="No edges 'soft'; there are plain, refined"):
        track(video, {1: Mask(mask)}, tmp_path / "x", "memory-s", edges="soft")
    assert not (tmp_path / "x").exists()


def test_soft_masks_are_kept_when_they_are_asked_for(video, model, tmp_path):
    for keep in (False, True):
        out = tmp_path / str(keep)
        track(video, PROMPTS, out, model, "csv", 64, keep_soft=keep)
        if keep:
            assert convert(out, "soft") == 8 and (out / "soft" / "1" / "00007.png").is_file()
        else:
            with pytest.raises(InputError, match="soft"):
                convert(out, "soft")


def test_other_writers_see_every_frame_of_a_resumption_too(video, model, tmp_path):
    """Of a run that its progress ended as Ctrl-C does."""

    class Listener:
        about, files, needs_soft = "frames", (), False

        def __init__(self):
            self.frames = []

        def open(self, info):
            pass

        def write(self, frame, result):
            self.frames.append(frame.index)

        def close(self, whole=True):
            pass

        abort = close

    def stop(done, expected):
        if done == 5:
            raise KeyboardInterrupt

    job = Job(video, PROMPTS, tmp_path / "out", ModelOptions(model, 64), "csv")
    first, second = Listener(), Listener()
    assert track_video(job, stop, also=[first]).interrupted
    assert not track_video(replace(job, resume=True), also=[second]).interrupted
    assert first.frames == list(range(5)) and second.frames == list(range(8))
