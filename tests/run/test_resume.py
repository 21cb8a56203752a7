"""Runs that go on after any end, and runs in other formats afterwards."""

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image as Picture

from fake import random_network
from masktrail.errors import InputError
from masktrail.masks import write_labels
from masktrail.prompts.kinds import Box, Mask, Points
from masktrail.results import ObjectResult, Result
from masktrail.run import convert, loop, track
from masktrail.run.identity import REQUIRED
from masktrail.run.journal import NAME, Journal
from masktrail.run.rows import Damaged
from masktrail.tracking.soft import Opinion, OpinionMasks
from masktrail.tracking.tracker import Tracker
from masktrail.video.reader import open_video
from masktrail.zoo.weights import save_network
from painted_videos import paint_clip, write_video
from watched_runs import Stopped, count_steps, stop_after

FRAMES = 40
EXPORTS = "davis,csv,overlay,review"


@pytest.fixture(scope="module")
def clip():
    return paint_clip(FRAMES, (64, 48), objects=2)


@pytest.fixture(scope="module")
def video(clip, tmp_path_factory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "clip.mp4", clip.images)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save_network(folder / "weights.safetensors", random_network(), "memory", {})
    return folder


@pytest.fixture
def often(monkeypatch):
    """Keeps the tracker's state after every seventh frame."""
    monkeypatch.setattr(loop, "KEPT_EVERY", 7)


@pytest.fixture(scope="module")
def undisturbed(video, model, clip, tmp_path_factory) -> Path:
    """A run that nothing disturbed; not to be written to."""
    out = tmp_path_factory.mktemp("undisturbed") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "KEPT_EVERY", 7)
        track(video, prompts_of(clip), out, model, EXPORTS, size=64)
    return out


@pytest.fixture
def whole(undisturbed, tmp_path, often) -> Path:
    """The same, as one's own."""
    return shutil.copytree(undisturbed, tmp_path / "whole")


def prompts_of(clip, *others: int):
    """Both objects in frame 0; the first one again in others."""
    first = {i: Mask(clip.labels[0] == i) for i in (1, 2)}
    return {0: first, **{t: {1: Mask(clip.labels[t] == 1)} for t in others}}


def same(one: Path, other: Path) -> bool:
    """Whether two runs left the same masks, tables and pictures."""
    masks = sorted(path.name for path in (one / "masks").iterdir())
    assert masks == sorted(path.name for path in (other / "masks").iterdir())
    files = [f"masks/{name}" for name in masks] + ["objects.csv", "review.csv"]
    differing = [f for f in files if (one / f).read_bytes() != (other / f).read_bytes()]
    with av.open(str(one / "overlay.mp4")) as a, av.open(str(other / "overlay.mp4")) as b:
        for left, right in zip(a.decode(video=0), b.decode(video=0), strict=True):
            assert left.pts == right.pts
            assert np.array_equal(left.to_ndarray(), right.to_ndarray())
    return not differing


@pytest.mark.parametrize("frames", [1, 6, 7, 8, 23, FRAMES])
def test_a_run_goes_on_where_it_failed(whole, video, model, clip, tmp_path, frames):
    out, prompts = tmp_path / "out", prompts_of(clip)
    with pytest.raises(Stopped):
        track(video, prompts, out, model, EXPORTS, size=64, progress=stop_after(frames))
    report = track(video, prompts, out, model, EXPORTS, size=64, resume=True)
    assert report.frames == FRAMES and not report.interrupted
    assert same(out, whole)


@pytest.fixture(scope="module")
def whole_both_ways(video, model, clip, tmp_path_factory) -> Path:
    """A run with later prompts that nothing disturbed."""
    out = tmp_path_factory.mktemp("both") / "whole"
    track(video, prompts_of(clip, 12, 21), out, model, EXPORTS, size=64)
    return out


@pytest.mark.parametrize("frames", [3, 20, 24, 35, 45, 61])
def test_a_run_in_both_directions_goes_on(
    whole_both_ways, video, model, clip, tmp_path, often, frames
):
    """Prompts in frames 0, 12 and 21: 22 frames are tracked before the first is written."""
    prompts = prompts_of(clip, 12, 21)
    with pytest.raises(Stopped):
        track(
            video, prompts, tmp_path / "out", model, EXPORTS, size=64, progress=stop_after(frames)
        )
    resumed = frames > 22  # before that no frame was done, and nothing is left
    assert (tmp_path / "out" / NAME).exists() == resumed
    track(video, prompts, tmp_path / "out", model, EXPORTS, size=64, resume=resumed)
    assert same(tmp_path / "out", whole_both_ways)


def test_a_run_with_clicks_that_correct_goes_on(video, model, clip, tmp_path, often):
    """13 frames tracked to the clicks, 22 from the last prompt back, and 15 written."""
    prompts = prompts_of(clip, 21) | {12: {1: Points([(3, 3)], [True])}}
    whole, out = tmp_path / "whole", tmp_path / "out"
    track(video, prompts, whole, model, EXPORTS, size=64)
    with pytest.raises(Stopped):
        track(video, prompts, out, model, EXPORTS, size=64, progress=stop_after(50))
    track(video, prompts, out, model, EXPORTS, size=64, resume=True)
    assert same(out, whole)


def test_both_ways_only_frames_behind_the_last_state_are_tracked_again(
    video, model, clip, tmp_path, often, monkeypatch
):
    """Those that are prompted, from the last prompt back to the state, and on from there."""
    prompts = prompts_of(clip, 12, 21)
    with pytest.raises(Stopped):
        track(video, prompts, tmp_path / "out", model, "davis", size=64, progress=stop_after(40))
    stepped, step = [], Tracker.step
    monkeypatch.setattr(
        Tracker, "step", lambda *given, **seen: (stepped.append(1), step(*given, **seen))[1]
    )
    track(video, prompts, tmp_path / "out", model, "davis", size=64, resume=True)
    assert len(stepped) == 3 + len(range(14, 22)) + len(range(14, FRAMES))


def test_only_frames_behind_the_last_state_are_tracked_again(
    whole, video, model, clip, tmp_path, monkeypatch
):
    out, prompts = tmp_path / "out", prompts_of(clip)
    with pytest.raises(Stopped):
        track(video, prompts, out, model, EXPORTS, size=64, progress=stop_after(30))
    stepped = count_steps(monkeypatch)
    track(video, prompts, out, model, EXPORTS, size=64, resume=True)
    assert stepped == list(range(28, FRAMES))


def test_a_finished_run_is_not_tracked_again_but_made_whole(
    whole, video, model, clip, tmp_path, monkeypatch
):
    shutil.copytree(whole, tmp_path / "out")
    (tmp_path / "out/overlay.mp4").unlink()
    shutil.rmtree(tmp_path / "out/masks")
    stepped = count_steps(monkeypatch)
    track(video, prompts_of(clip), tmp_path / "out", model, EXPORTS, size=64, resume=True)
    assert not stepped
    assert same(tmp_path / "out", whole)


KILLED = """
import sys
from masktrail.run import loop, track
from masktrail.prompts.text import read_prompts
loop.KEPT_EVERY = 7
video, mask, out, model, resume = sys.argv[1:]
def tell(done, expected):
    print(done, flush=True)
    if done == {frames} - 1:
        __import__("time").sleep(600)  # it never ends by itself
prompts = read_prompts([("mask", mask)])
track(video, prompts, out, model, "{exports}", size=64, progress=tell, resume=bool(resume))
""".replace("{exports}", EXPORTS).replace("{frames}", str(FRAMES))


def test_a_killed_process_goes_on(whole, video, model, clip, tmp_path):
    """`kill -9` at four frames, one after the other in the same run, wherever each thread is."""
    write_labels(tmp_path / "first.png", clip.labels[0])
    given = [str(x) for x in (video, tmp_path / "first.png", tmp_path / "out", model)]
    chosen = sorted(random.Random(7).sample(range(2, FRAMES - 2), 4))
    for nth, frame in enumerate(chosen):
        command = [sys.executable, "-c", KILLED, *given, "yes" if nth else ""]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                if int(line) >= frame:
                    break
            process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "out/run.json").exists()
    track(video, prompts_of(clip), tmp_path / "out", model, EXPORTS, size=64, resume=True)
    assert same(tmp_path / "out", whole), f"killed at {chosen}"


def test_the_state_is_gone_when_the_run_is_done(whole):
    with Journal(whole) as journal:
        assert journal.finished and journal.frames == FRAMES and journal.state() is None


def test_what_cannot_be_resumed_is_refused(whole, video, model, clip, tmp_path):
    prompts = prompts_of(clip)
    for other, told in (
        ({"size": 80}, "another size \\(64, now 80\\)"),
        ({"start": 1, "prompts": {1: prompts[0]}}, "another prompts|another start"),
        ({"prompts": {0: {1: Box(4, 4, 20, 20)}}}, "another prompts"),
        ({"end": 9}, "another end"),
        ({"settings": {"capacity": "2"}}, "another settings \\({}, now {'capacity': 2}\\)"),
    ):
        asked = {"prompts": prompts, "size": 64} | other
        with pytest.raises(InputError, match=told):
            track(video, asked.pop("prompts"), whole, model, resume=True, **asked)
    shorter = write_video(tmp_path / "clip.mp4", clip.images[:30])
    with pytest.raises(InputError, match="another video; give"):
        track(shorter, prompts, whole, model, size=64, resume=True)


def test_a_journal_of_another_version_or_a_damaged_one_is_told(whole, video, model, clip):
    with closing(sqlite3.connect(whole / NAME)) as file, file:
        file.execute("UPDATE about SET value = '99' WHERE key = 'format'")
    with pytest.raises(InputError, match="another version of MaskTrail"):
        track(video, prompts_of(clip), whole, model, size=64, resume=True)
    (whole / NAME).write_bytes(b"no journal at all" * 100)
    with pytest.raises(InputError, match="is damaged"):
        track(video, prompts_of(clip), whole, model, size=64, resume=True)


def test_two_runs_cannot_write_into_one_folder(whole, video, model, clip):
    with Journal(whole) as journal:
        assert journal.frames
        with pytest.raises(InputError, match="Another run is writing"):
            track(video, prompts_of(clip), whole, model, size=64, resume=True)


def test_a_full_disk_loses_nothing(whole, video, model, clip, tmp_path, monkeypatch):
    out, prompts, real = tmp_path / "out", prompts_of(clip), loop.Journal.add

    def full(self, frame, result):
        if frame.index == 25:
            self._file.execute("PRAGMA max_page_count = 1")
            result = Result(np.random.default_rng(0).integers(0, 9, (600, 800), np.uint8))
        return real(self, frame, result)

    monkeypatch.setattr(loop.Journal, "add", full)
    with pytest.raises(InputError, match="The disk is full"):
        track(video, prompts, out, model, EXPORTS, size=64)
    monkeypatch.setattr(loop.Journal, "add", real)
    assert track(video, prompts, out, model, EXPORTS, size=64, resume=True).frames == FRAMES
    assert same(out, whole)


def test_results_come_back_as_they_were(tmp_path, clip, video):
    with open_video(video) as opened:
        frame = next(iter(opened))
    labels = np.where(clip.labels[0] == 2, 300, clip.labels[0]).astype(np.uint16)
    objects = {
        1: ObjectResult(0.25, 7, (1, 2, 3, 4), "present"),
        300: ObjectResult(0.0, 0, None, "lost", rotated=()),
    }
    corners = ((0.5, 1.0), (2.0, 1.0), (2.0, 3.25), (0.5, 3.25))
    objects[1] = replace(objects[1], rotated=corners)
    rng = np.random.default_rng(0)
    opinions = {i: Opinion(rng.normal(0, 3, (12, 16)).astype(np.float32), 0.5) for i in objects}
    given = Result(labels, objects, OpinionMasks(opinions, labels))
    tmp_path.joinpath("out").mkdir()
    identity = dict.fromkeys(REQUIRED)
    about = {"identity": identity, "source": "v.mp4", "repeatable": True}
    with Journal(tmp_path / "out", about, soft=True) as journal:
        journal.add(frame, given)
        found = journal.read(frame)
        assert found.objects == objects and found.labels.dtype == np.uint16
        assert np.array_equal(found.labels, labels)
        before, after = given.soft, found.soft
        assert list(after) == [1, 300] and after[1].shape == (48, 64)
        for object_id, mask in after.items():
            np.testing.assert_array_equal(mask, before[object_id])
        with pytest.raises(Damaged, match="nothing of frame 1"):
            journal.read(replace(frame, index=1))
    with Journal(tmp_path / "out") as journal:
        assert journal.about == about


@pytest.mark.parametrize("edges", ["plain", "refined"])
def test_soft_masks_of_a_run_its_resumption_and_its_journal_are_the_same(
    video, model, clip, tmp_path, edges
):
    """Also where edges are refined, which the journal does not keep."""
    how = {"export": "soft,csv", "size": 64, "edges": edges}
    prompts = {0: {1: Mask(clip.labels[0] == 1), 300: Mask(clip.labels[0] == 2)}}
    track(video, prompts, tmp_path / "whole", model, **how)
    with pytest.raises(Stopped):
        track(video, prompts, tmp_path / "cut", model, progress=stop_after(9), **how)
    track(video, prompts, tmp_path / "cut", model, resume=True, **how)
    convert(tmp_path / "whole", "soft", tmp_path / "again")
    for t in (0, 5, 20):
        files = [tmp_path / out / f"soft/1/{t:05d}.png" for out in ("whole", "cut", "again")]
        assert len({file.read_bytes() for file in files}) == 1, t
    marked = np.asarray(Picture.open(tmp_path / "again/soft/300/00000.png")) > 0
    np.testing.assert_array_equal(marked, prompts[0][300].mask)


def test_soft_masks_as_large_as_the_video_are_still_read(video, model, clip, tmp_path):
    """As version 0.1 kept them, 16 bits a pixel."""
    track(video, prompts_of(clip), tmp_path / "run", model, "csv", size=64, keep_soft=True)
    steps = np.linspace(0, 65535, 2 * 48 * 64).reshape(2, 48, 64).round()
    with closing(sqlite3.connect(tmp_path / "run" / NAME)) as file, file:
        file.execute(
            "UPDATE frames SET soft = ?", (zlib.compress(steps.astype("<u2").tobytes(), 1),)
        )
        file.execute("UPDATE about SET value = '2' WHERE key = 'format'")
    assert convert(tmp_path / "run", "soft") == FRAMES
    found = np.asarray(Picture.open(tmp_path / "run/soft/1/00003.png"))
    np.testing.assert_array_equal(found, steps[0])


def test_a_run_is_converted_without_tracking(whole, video, tmp_path, monkeypatch):
    monkeypatch.setattr("masktrail.zoo.load", None)
    assert convert(whole, "csv,davis,overlay,review", tmp_path / "again") == FRAMES
    assert same(tmp_path / "again", whole)
    moved = shutil.copy(video, tmp_path / "moved.mp4")
    convert(whole, "csv", tmp_path / "moved", moved)
    assert (tmp_path / "moved/objects.csv").read_bytes() == (whole / "objects.csv").read_bytes()


def test_what_cannot_be_converted_is_refused(whole, clip, tmp_path):
    with pytest.raises(InputError, match="no run was begun there"):
        convert(tmp_path / "none", "csv")
    other = write_video(tmp_path / "other.mp4", clip.images[:20])
    with pytest.raises(InputError, match="is not the video that the run"):
        convert(whole, "csv", tmp_path / "out", other)


def test_a_resumed_run_tells_what_it_did(whole, video, model, clip, tmp_path):
    with pytest.raises(Stopped):
        track(
            video, prompts_of(clip), tmp_path / "out", model, "csv", size=64, progress=stop_after(9)
        )
    began = time.monotonic()
    report = track(video, prompts_of(clip), tmp_path / "out", model, "csv", size=64, resume=True)
    record = json.loads((tmp_path / "out/run.json").read_text())
    assert record["frames"] == FRAMES == report.frames
    assert 0 < record["seconds"] <= time.monotonic() - began
