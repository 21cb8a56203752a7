"""Many videos in several processes: every one of them gets its due."""

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from fake import random_network
from masktrail import zoo
from masktrail.batch import work
from masktrail.batch.manifest import Task, read_tasks
from masktrail.batch.work import Options, Status, do, run_batch
from masktrail.engines.threads import threads
from masktrail.errors import TOO_LARGE, InputError
from masktrail.masks import write_labels
from masktrail.prompts.kinds import Box
from masktrail.run import track
from masktrail.run.journal import Journal
from masktrail.settings import ModelOptions
from masktrail.zoo.weights import save_network
from painted_videos import paint_clip, through_pipe, write_video
from watched_runs import count_steps

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
    return Options(
        ModelOptions(str(folder / "weights.safetensors"), size=64, device="cpu"), "davis,csv"
    )


def run_batch_here(monkeypatch, tasks, out, options) -> list[Status]:
    """A batch whose processes are threads of this one."""
    monkeypatch.setattr(work, "_process", lambda jobs: ThreadPoolExecutor(1))
    return run_batch(tasks, out, options)


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
    track(
        folder / "b.mp4",
        {1: Box(4, 4, 30, 30)},
        tmp_path / "alone",
        options.model_options.model,
        size=64,
    )
    for path in (tmp_path / "alone/masks").iterdir():
        assert path.read_bytes() == (tmp_path / "b/masks" / path.name).read_bytes()


def test_what_is_done_is_skipped_and_what_failed_is_tried_again(
    folder, options, tmp_path, monkeypatch
):
    good, bad = task(folder, "a"), task(folder, "bad")
    first = do(good, tmp_path / "a", options)
    assert (first.state, first.frames) == ("done", 6)
    assert do(bad, tmp_path / "bad", options).state == "failed"
    stepped = count_steps(monkeypatch)
    before = (tmp_path / "a/objects.csv").stat().st_mtime_ns
    assert do(good, tmp_path / "a", options) == first and not stepped
    assert (tmp_path / "a/objects.csv").stat().st_mtime_ns == before
    write_video(tmp_path / "bad.mp4", paint_clip(4, (64, 48)).images)
    assert do(replace(bad, video=str(tmp_path / "bad.mp4")), tmp_path / "bad", options).frames == 4
    assert stepped == [0, 1, 2, 3]
    assert do(good, tmp_path / "a", replace(options, overwrite=True)).state == "done"
    assert stepped[4:] == list(range(6))


def test_what_is_missing_of_what_is_done_is_made_again(folder, options, tmp_path, monkeypatch):
    do(task(folder, "a"), tmp_path, options)
    (tmp_path / "masks/00003.png").unlink()
    stepped = count_steps(monkeypatch)
    assert do(task(folder, "a"), tmp_path, options).frames == 6
    assert not stepped and (tmp_path / "masks/00003.png").is_file()


def test_a_mask_or_a_video_that_changed_is_another_task(folder, options, tmp_path, monkeypatch):
    """Though it has the same name."""
    clip = paint_clip(5, (64, 48))
    write_video(tmp_path / "v.mp4", clip.images)
    write_labels(tmp_path / "v.png", clip.labels[0])
    asked = Task("v", str(tmp_path / "v.mp4"), (("mask", str(tmp_path / "v.png")),))
    assert do(asked, tmp_path / "out", options).frames == 5
    stepped = count_steps(monkeypatch)
    assert do(asked, tmp_path / "out", options).frames == 5 and not stepped
    write_labels(tmp_path / "v.png", clip.labels[1])
    assert do(asked, tmp_path / "out", options).frames == 5 and len(stepped) == 5
    write_video(tmp_path / "v.mp4", clip.images[::-1])
    assert do(asked, tmp_path / "out", options).frames == 5 and len(stepped) == 10


def test_a_task_that_changed_is_done_anew(folder, options, tmp_path):
    do(task(folder, "a"), tmp_path, options)
    before = (tmp_path / "objects.csv").read_text()
    status = do(task(folder, "a", (("box", "7:10,10,40,40"),)), tmp_path, options)
    assert status.state == "done", status.said
    rows = (tmp_path / "objects.csv").read_text()
    assert rows != before and rows.splitlines()[1].split(",")[2] == "7"


def test_other_settings_are_another_task(folder, options, tmp_path, monkeypatch):
    def told(**settings: object) -> dict:
        given = replace(options, model_options=replace(options.model_options, settings=settings))
        (status,) = run_batch_here(monkeypatch, [task(folder, "a")], tmp_path, given)
        assert status.state == "done", status.said
        return json.loads((tmp_path / "a/run.json").read_text())["arguments"]["settings"]

    assert (told()["capacity"], told(capacity="2")["capacity"]) == (4, 2)
    before = (tmp_path / "a/run.json").stat().st_mtime_ns
    assert told(capacity=2)["capacity"] == told(every="3", capacity="02")["capacity"] == 2
    assert (tmp_path / "a/run.json").stat().st_mtime_ns == before, "said otherwise, but the same"
    for wrong in ({"capacity": "-1"}, {"vieuw": "x"}):
        with pytest.raises(InputError, match=r"0 or more|has no setting 'vieuw'"):
            told(**wrong)
    assert (tmp_path / "a/run.json").stat().st_mtime_ns == before, "what was done is kept"


def test_what_was_ended_goes_on(folder, options, tmp_path, monkeypatch):
    real, calls = work.track_video, []

    def killed(job, **named):
        def progress(done, expected):
            if done == 5:
                raise MemoryError("too much")

        return real(job, progress, **named)

    monkeypatch.setattr(work, "track_video", killed)
    status = do(task(folder, "b"), tmp_path, options)
    assert (status.state, status.said) == ("failed", TOO_LARGE)
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
    assert json.loads((tmp_path / "a" / work.STATUS).read_text()) == asdict(found[0])


KILLED = """
import sys, time
from pathlib import Path
from masktrail.batch import work
from masktrail.batch.manifest import Task
from masktrail.run import loop
from masktrail.settings import ModelOptions
loop.KEPT_EVERY = 2
real = work.track_video
def slow(job, **named):
    def tell(done, expected):
        print(done, flush=True)
        time.sleep(600 * (done == 7))  # it never ends by itself
    return real(job, tell, **named)
work.track_video = slow
video, model, out = sys.argv[1:]
options = work.Options(ModelOptions(model, size=64, device="cpu"), "davis,csv")
work.do(Task("b", video, (("box", "1:4,4,30,30"),)), Path(out), options)
"""


def test_a_process_that_is_killed_loses_nothing(folder, options, tmp_path, monkeypatch):
    """Nor does what the others said of it: the next start goes on where it was."""
    out, video = tmp_path / "b", folder / "b.mp4"
    command = [sys.executable, "-c", KILLED, str(video), options.model_options.model, str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if int(line) == 7:
                break
        process.send_signal(signal.SIGKILL)
    work.write_status(out, Status("b", "failed", "The process was ended from outside."))
    stepped = count_steps(monkeypatch)
    (status,) = run_batch_here(monkeypatch, [task(folder, "b")], tmp_path, options)
    assert (status.state, status.frames) == ("done", 9) and 1 < stepped[0] < 7
    assert stepped == list(range(stepped[0], 9))
    do(task(folder, "b"), tmp_path / "undisturbed", options)
    for path in (out / "masks").iterdir():
        assert path.read_bytes() == (tmp_path / "undisturbed/masks" / path.name).read_bytes()


KILLED_WHOLE = """
import sys, time
from masktrail.batch.manifest import read_tasks
from masktrail.batch.work import Options, run_batch
from masktrail.run import loop
from masktrail.settings import ModelOptions
real = loop.ForwardPass.step
def step(self, frame, seen):
    time.sleep(600 * (frame.index == 70))  # it never ends by itself
    return real(self, frame, seen)
loop.ForwardPass.step = step  # in its own processes too, which import this file
if __name__ == "__main__":
    run_batch(read_tasks(sys.argv[1]), sys.argv[2], Options(ModelOptions("copy"), "davis,csv"))
"""


def test_a_batch_that_is_killed_leaves_no_process_and_loses_nothing(tmp_path):
    clip, out = paint_clip(frames=80, size=(96, 64)), tmp_path / "out"
    for name in ("a", "b"):
        (tmp_path / "in").mkdir(exist_ok=True)
        write_video(tmp_path / f"in/{name}.mp4", clip.images, tone=None)
        write_labels(tmp_path / f"in/{name}.png", clip.labels[0])
    (tmp_path / "batch.py").write_text(KILLED_WHOLE)
    command = [sys.executable, tmp_path / "batch.py", tmp_path / "in", out]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        while not (out / "a/masks/00060.png").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)  # to the end of what its own processes say too
    assert not (out / "b").exists() and json.loads((out / "a/status.json").read_text())
    found = run_batch(read_tasks(tmp_path / "in"), out, Options(ModelOptions("copy"), "davis,csv"))
    assert [(s.state, s.frames) for s in found] == [("done", 80)] * 2
    for name in os.listdir(out / "a/masks"):  # the other one was never disturbed
        assert (out / "a/masks" / name).read_bytes() == (out / "b/masks" / name).read_bytes()


def test_a_folder_that_cannot_be_made_fails_alone(folder, options, tmp_path, monkeypatch):
    (tmp_path / "a").write_text("mine")
    found = run_batch_here(monkeypatch, [task(folder, n) for n in "ac"], tmp_path, options)
    assert [(s.name, s.state) for s in found] == [("a", "failed"), ("c", "done")]
    assert "could not be written" in found[0].said and (tmp_path / "a").read_text() == "mine"


def test_what_no_batch_began_is_not_replaced(folder, options, tmp_path):
    track(
        folder / "a.mp4",
        {7: Box(9, 9, 30, 30)},
        tmp_path / "a",
        options.model_options.model,
        size=64,
    )
    before = (tmp_path / "a/objects.csv").read_text()
    for _ in range(2):
        status = do(task(folder, "a"), tmp_path / "a", options)
        assert status.state == "failed" and "holds a run of another prompts" in status.said
        assert (tmp_path / "a/objects.csv").read_text() == before
    assert do(task(folder, "a"), tmp_path / "a", replace(options, overwrite=True)).state == "done"


@pytest.mark.parametrize("name", ["a/status.json", "summary.csv"])
def test_tables_of_other_programs_are_left_alone(folder, options, tmp_path, monkeypatch, name):
    (tmp_path / "a").mkdir()
    (tmp_path / name).write_text("mine")
    if name == "summary.csv":
        with pytest.raises(InputError, match=r"summary.csv is there already and is of no batch"):
            run_batch_here(monkeypatch, [task(folder, "a")], tmp_path, options)
    else:
        (status,) = run_batch_here(monkeypatch, [task(folder, "a")], tmp_path, options)
        assert status.state == "failed" and "status.json is there already" in status.said
    assert (tmp_path / name).read_text() == "mine"


def test_what_is_done_stays_done_when_its_video_has_gone(folder, options, tmp_path):
    video = write_video(tmp_path / "v.mp4", paint_clip(4, (64, 48)).images)
    gone = Task("v", str(video), BOX)
    first = do(gone, tmp_path / "out", options)
    video.unlink()
    assert do(gone, tmp_path / "out", options) == first
    never = do(replace(gone, name="w"), tmp_path / "w", options)
    assert never.state == "failed" and "There is no file" in never.said


def test_what_came_through_a_pipe_is_done_once(folder, options, tmp_path):
    film = write_video(tmp_path / "film.ts", paint_clip(4, (64, 48)).images, tone=None)
    pipe = through_pipe(tmp_path / "pipe.ts", film.read_bytes())
    asked = Task("p", str(pipe), BOX)
    first = do(asked, tmp_path / "out", options)
    assert (first.state, first.frames) == ("done", 4), first.said
    assert do(asked, tmp_path / "out", options) == first, "nobody sends anything now"


def test_what_another_processor_did_is_done(folder, options, tmp_path, monkeypatch):
    do(task(folder, "a"), tmp_path, options)
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as file, file:
        file.execute(
            "UPDATE about SET value = replace(replace(value, 'cpu', 'cuda'), 'float', 'int8')"
        )
    stepped = count_steps(monkeypatch)
    assert do(task(folder, "a"), tmp_path, options).state == "done" and not stepped


def test_a_journal_that_is_damaged_inside_is_begun_anew(folder, options, tmp_path):
    do(task(folder, "a"), tmp_path, options)
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as file, file:
        file.execute("UPDATE frames SET labels = 'x' WHERE frame = 2")
    (tmp_path / "masks/00001.png").unlink()
    status = do(task(folder, "a"), tmp_path, options)
    assert (status.state, status.frames) == ("done", 6), status.said


def test_fewer_than_one_process_are_refused(folder, options, tmp_path):
    with pytest.raises(InputError, match="jobs=0 is not possible; expected 1 or more"):
        run_batch([task(folder, "a")], tmp_path, options, 0)


def test_processes_share_the_processor(monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    with work._process(2) as process:
        share = process.submit(threads).result()
    assert 1 <= share <= max(1, (os.cpu_count() or 1) // 2)
    assert os.environ["OMP_NUM_THREADS"] == "64"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="the system does not tell")
def test_libraries_of_processes_know_their_share_when_they_are_loaded(monkeypatch) -> None:
    monkeypatch.setattr(work, "threads", lambda: 6)
    with work._process(2) as process:
        begun_with = process.submit(Path.read_bytes, Path("/proc/self/environ")).result()
    assert b"OMP_NUM_THREADS=3" in begun_with.split(b"\0")
