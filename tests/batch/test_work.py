"""Many videos in several processes: every one of them gets its due."""

import csv
import json
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import pytest

from fake import random_network
from masktrail import zoo
from masktrail.batch import work
from masktrail.batch.manifest import Task
from masktrail.batch.work import Options, Status, do, read_status, run_batch
from masktrail.errors import InputError
from masktrail.models.weights import save_network
from masktrail.run import track
from masktrail.run.journal import Journal
from masktrail.types import Box
from painted_videos import paint_clip, write_video

BOX = (("box", "1:4,4,30,30"),)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three videos, one file that is none, and a model."""
    folder = tmp_path_factory.mktemp("batch")
    for name, frames in (("a", 6), ("b", 9), ("c", 4)):
        write_video(folder / f"{name}.mp4", paint_clip(frames, (64, 48)).images)
    (folder / "bad.mp4").write_text("no video")
    save_network(folder / "weights.safetensors", random_network(), "memory", {})
    return folder


@pytest.fixture
def options(folder) -> Options:
    return Options(str(folder / "weights.safetensors"), "davis,csv", size=64, device="cpu")


def task(folder: Path, name: str, marks=BOX) -> Task:
    return Task(name, str(folder / f"{name}.mp4"), marks)


def test_one_bad_video_never_stops_the_rest(folder, options, tmp_path):
    told = []
    tasks = [task(folder, name) for name in ("a", "b", "bad", "c")]
    found = run_batch(tasks, tmp_path, options, 2, lambda s, *counts: told.append((s.name, counts)))
    assert [(s.name, s.state, s.frames) for s in found] == [
        ("a", "done", 6), ("b", "done", 9), ("bad", "failed", 0), ("c", "done", 4),
    ]  # fmt: skip
    assert "bad.mp4" in found[2].said
    assert sorted(name for name, _ in told) == ["a", "b", "bad", "c"]
    assert [counts for _, counts in told] == [(i, 4) for i in (1, 2, 3, 4)]
    with (tmp_path / work.SUMMARY).open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["state"]) for row in rows] == [(s.name, s.state) for s in found]
    track(folder / "b.mp4", {1: Box(4, 4, 30, 30)}, tmp_path / "alone", options.model, size=64)
    for path in (tmp_path / "alone/masks").iterdir():
        assert path.read_bytes() == (tmp_path / "b/masks" / path.name).read_bytes()


def test_what_is_done_is_skipped_and_what_failed_is_tried_again(
    folder, options, tmp_path, monkeypatch
):
    good, bad = task(folder, "a"), task(folder, "bad")
    assert do(good, tmp_path / "a", options).finished
    assert do(bad, tmp_path / "bad", options).state == "failed"
    tracked = []
    real = work.track_video

    def track_video(job, **named):
        tracked.append(Path(job.source).stem)
        return real(job, **named)

    monkeypatch.setattr(work, "track_video", track_video)
    assert do(good, tmp_path / "a", options).finished and not tracked
    do(bad, tmp_path / "bad", options)
    assert tracked == ["bad"]
    assert do(good, tmp_path / "a", replace(options, overwrite=True)).finished
    assert tracked == ["bad", "a"]


def test_a_task_that_changed_is_done_anew(folder, options, tmp_path):
    do(task(folder, "a"), tmp_path, options)
    before = (tmp_path / "objects.csv").read_text()
    status = do(task(folder, "a", (("box", "7:10,10,40,40"),)), tmp_path, options)
    assert status.state == "done", status.said
    rows = (tmp_path / "objects.csv").read_text()
    assert rows != before and rows.splitlines()[1].split(",")[2] == "7"


def test_other_settings_are_another_task(folder, options, tmp_path):
    def told(**settings: object) -> dict:
        given = replace(options, settings=settings)
        (status,) = run_batch([task(folder, "a")], tmp_path, given)
        assert status.state == "done", status.said
        return json.loads((tmp_path / "a/run.json").read_text())["arguments"]["settings"]

    assert (told()["capacity"], told(capacity="2")["capacity"]) == (4, 2)
    before = (tmp_path / "a/run.json").stat().st_mtime_ns
    assert told(capacity=2)["capacity"] == told(every="3", capacity="02")["capacity"] == 2
    assert (tmp_path / "a/run.json").stat().st_mtime_ns == before, "said otherwise, but the same"
    for wrong in ({"capacity": "-1"}, {"vieuw": "x"}):
        with pytest.raises(InputError, match=r"0 or more|has no setting 'vieuw'"):
            run_batch([task(folder, "a")], tmp_path, replace(options, settings=wrong))
    assert (tmp_path / "a/run.json").stat().st_mtime_ns == before, "what was done is kept"


def test_what_was_done_before_there_were_settings_is_done(folder, options, tmp_path):
    assert do(task(folder, "a"), tmp_path, options).state == "done"
    assert "settings" not in json.loads(read_status(tmp_path).task)


def test_what_was_ended_goes_on(folder, options, tmp_path, monkeypatch):
    real, calls = work.track_video, []

    def killed(job, **named):
        def progress(done, expected):
            if done == 5:
                raise MemoryError("too much")

        return real(job, progress, **named)

    monkeypatch.setattr(work, "track_video", killed)
    status = do(task(folder, "b"), tmp_path, options)
    assert (status.state, status.said) == ("failed", "MemoryError: too much")
    with Journal(tmp_path) as journal:
        begun = journal.about
    monkeypatch.setattr(work, "track_video", lambda *a, **n: calls.append(1) or real(*a, **n))
    assert do(task(folder, "b"), tmp_path, options).frames == 9
    with Journal(tmp_path) as journal:
        assert calls and journal.finished and journal.about == begun


def test_weights_are_loaded_once_and_nothing_is_carried_over(
    folder, options, tmp_path, monkeypatch
):
    real, loads = zoo.load, []
    work._loaded.cache_clear()
    monkeypatch.setattr(zoo, "load", lambda *given: loads.append(given) or real(*given))
    for out, name in (("first", "a"), ("other", "c"), ("second", "a")):
        assert do(task(folder, name), tmp_path / out, options).state == "done"
    assert len(loads) == 1
    one, two = (tmp_path / out / "objects.csv" for out in ("first", "second"))
    assert one.read_text() == two.read_text()


class Dying:
    """A pool whose process dies at its first task."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1

    def submit(self, work, task, out, options):
        future: Future[Status] = Future()
        if task.name == "a":
            future.set_exception(BrokenProcessPool("gone"))
        else:
            future.set_result(work(task, out, options))
        return future

    def shutdown(self) -> None:
        pass


def test_a_process_that_dies_costs_its_own_video_only(folder, options, tmp_path, monkeypatch):
    monkeypatch.setattr(work, "_process", lambda jobs: Dying())
    found = run_batch([task(folder, "a"), task(folder, "c")], tmp_path, options)
    assert [(s.name, s.state) for s in found] == [("a", "failed"), ("c", "done")]
    assert found[0].said == "The process was ended from outside." and Dying.made == 2
    assert read_status(tmp_path / "a") == found[0]


def test_fewer_than_one_process_are_refused(folder, options, tmp_path):
    with pytest.raises(InputError, match="--jobs is 0; expected 1 or more"):
        run_batch([task(folder, "a")], tmp_path, options, 0)


def test_a_status_that_cannot_be_read_is_none(tmp_path):
    assert read_status(tmp_path) is None
    (tmp_path / work.STATUS).write_text('{"name": 3')
    assert read_status(tmp_path) is None
