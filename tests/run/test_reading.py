"""Runs read from their folders: while another process writes, after it was killed, and at rest."""

import csv
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

import masktrail
from masktrail.errors import InputError
from masktrail.masks import read_labels
from masktrail.prompts.kinds import Box, Mask, Points
from masktrail.run import track, write_ahead
from masktrail.run.identity import prompts_to_json
from masktrail.run.journal import NAME, Journal
from masktrail.run.lock import END, Lock, is_held
from masktrail.run.plan import Plan
from painted_videos import paint_clip, through_pipe, write_video
from watched_runs import Stopped, stop_after

FRAMES = 40
BOX = {1: Box(8, 8, 40, 40)}


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    images = paint_clip(FRAMES, (64, 48)).images
    return write_video(tmp_path_factory.mktemp("film") / "clip.mp4", images, tone=None)


@pytest.fixture
def done(film, tmp_path) -> Path:
    track(film, BOX, tmp_path / "out", "copy", "davis,csv,json")
    return tmp_path / "out"


def content_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): (p.read_bytes(), p.stat().st_mtime_ns) for p in files}


WRITER = """
import sys, time
from masktrail.run import loop, track
from masktrail.prompts.kinds import Box
video, out, held, pause = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
def tell(done, expected):
    print(done, flush=True)
    time.sleep(600 if done == held else pause)
track(video, {1: Box(8, 8, 40, 40)}, out, "copy", "davis,csv", progress=tell)
"""


@contextmanager
def writing(film: Path, out: Path, held: int = -1, pause: float = 0.02) -> Iterator:
    """A process that tracks; it stands still after `held` frames."""
    command = [sys.executable, "-c", WRITER, *map(str, (film, out, held, pause))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_run_is_read_while_another_process_writes_it(film, done, tmp_path):
    out, seen, problems = tmp_path / "live", [], []
    with writing(film, out) as process:
        process.stdout.readline()

        def look() -> None:
            try:
                run, before = masktrail.open_run(out), 0
                while process.poll() is None:
                    there = run.frames
                    assert there == list(range(len(there))) and len(there) >= before
                    before = len(there)
                    seen.append(before)
                    if there:
                        assert run.labels(there[-1]).shape == (48, 64)
                        assert len(run.objects) >= before
            except BaseException as problem:
                problems.append(problem)

        readers = [threading.Thread(target=look) for _ in range(2)]
        for reader in readers:
            reader.start()
        process.communicate(timeout=120)
        for reader in readers:
            reader.join()
    assert process.returncode == 0 and not problems, problems
    assert len(set(seen)) > 5, "it was seen to grow"
    assert not list(out.glob(f"{NAME}-*")), "nothing is left beside the journal"
    for path in sorted((done / "masks").iterdir()):
        assert (out / "masks" / path.name).read_bytes() == path.read_bytes()
    assert (out / "objects.csv").read_bytes() == (done / "objects.csv").read_bytes()
    with Journal(out) as journal, Journal(done) as other:
        assert list(journal.objects()) == list(other.objects())


def test_what_is_not_done_yet_is_told_and_a_second_run_is_refused(film, tmp_path):
    out = tmp_path / "live"
    with writing(film, out, held=7) as process:
        while int(process.stdout.readline()) < 7:
            pass
        run = masktrail.open_run(out)
        deadline = time.monotonic() + 30
        while len(run) < 7 and time.monotonic() < deadline:
            time.sleep(0.05)  # the journal is written on a thread behind
        assert run.running and not run.finished and repr(run).endswith("7 frames, 0 to 6, running>")
        assert run.model == "copy" and run.prompts == {0: BOX} and Path(run.video) == film
        with pytest.raises(
            InputError, match=r"no frame 9: it has 7 frames, 0 to 6 so far; .*later"
        ):
            run.labels(9)
        for how in ({}, {"resume": True}, {"overwrite": True}):
            with pytest.raises(InputError, match=r"holds a run already|Another run is writing"):
                track(film, BOX, out, "copy", "davis,csv", **how)
        with pytest.raises(InputError, match="Another run is writing"):
            Journal(out)
        assert run.running and len(run) == 7


def test_a_killed_run_is_read_and_goes_on(film, done, tmp_path):
    out = tmp_path / "killed"
    with writing(film, out, held=12) as process:
        while int(process.stdout.readline()) < 12:
            pass
        time.sleep(0.5)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    assert (out / f"{NAME}-wal").stat().st_size, "it was not written back"
    before = content_of(out)
    run = masktrail.open_run(out)
    there = run.frames
    assert there == list(range(len(there))) and 10 <= len(there) <= 12
    assert not run.running and not run.finished and "ended early" in repr(run)
    np.testing.assert_array_equal(run.labels(3), read_labels(done / "masks/00003.png")[0])
    with pytest.raises(InputError, match=r"no frame 30: .*ended early and goes on .*resume=True"):
        run.result(30)
    (out / f"{NAME}-shm").rename(tmp_path / "shm")  # as earlier versions left it
    assert masktrail.open_run(out).frames == there, "by way of a copy"
    assert not (out / f"{NAME}-shm").exists()
    (tmp_path / "shm").rename(out / f"{NAME}-shm")
    assert content_of(out) == before
    assert track(film, BOX, out, "copy", "davis,csv", resume=True).frames == FRAMES
    assert run.finished and len(run) == FRAMES
    assert not list(out.glob(f"{NAME}-*"))
    assert (out / "objects.csv").read_bytes() == (done / "objects.csv").read_bytes()


def test_a_finished_run_is_read_and_nothing_of_it_is_changed(film, done):
    before = content_of(done)
    with masktrail.open_run(done) as run:
        assert run.finished and not run.running and run.frames == list(range(FRAMES))
        for (k, result), name in zip(run, sorted(os.listdir(done / "masks")), strict=True):
            np.testing.assert_array_equal(result.labels, read_labels(done / "masks" / name)[0])
            assert result == run.result(k)
        assert repr(run) == f"<Run {str(done)!r}: 40 frames, 0 to 39, finished>"
    assert content_of(done) == before
    with pytest.raises(InputError, match=r"was closed; open it again, with masktrail.open_run"):
        run.frames  # noqa: B018


def test_rows_are_those_of_the_tables(done):
    rows = masktrail.open_run(done).objects
    assert rows == json.loads((done / "objects.json").read_text())
    with (done / "objects.csv").open() as file:
        table = csv.DictReader(file)
        texts = list(table)
    assert list(rows[0]) == table.fieldnames
    assert [float(row["time"]) for row in texts] == [row["time"] for row in rows]


def test_rows_need_no_export_and_resumed_frames_keep_their_times(film, done, tmp_path):
    with pytest.raises(Stopped):
        track(film, BOX, tmp_path / "other", "copy", "davis", progress=stop_after(9))
    track(film, BOX, tmp_path / "other", "copy", "davis", resume=True)
    assert masktrail.open_run(tmp_path / "other").objects == masktrail.open_run(done).objects


PROMPTS = {
    0: {1: Box(8, 8.5, 40, 40), 2: Mask(np.eye(48, 64) * 0.8), 3: Mask(np.eye(48, 64, 9) * 255)},
    5: {4: Points([(30.5, 20), (2, 3)], [True, False], Box(20, 10, 40, 30))},
    9: {5: Points([(9.5, 4)], [True], None, Mask(np.eye(48, 64, 4) > 0)), 1: Mask(np.eye(48, 64))},
}


@pytest.mark.parametrize("frames", [{0}, {0, 5, 9}])
def test_prompts_come_back(film, tmp_path, frames, monkeypatch):
    """Of which the identity tells masks as hashes."""
    plan = Plan({t: PROMPTS[t] for t in frames}, 0, "both")
    about = {"identity": {**dict.fromkeys(("end", "weights")), "direction": "both", "start": 0,
             "size": None, "settings": {}, "video": {"size": [64, 48]},
             "prompts": prompts_to_json(plan)}, "source": "v.mp4", "repeatable": True}  # fmt: skip
    with Journal(tmp_path, about) as journal:
        journal.keep_masks(plan.prompts)
        found = masktrail.open_run(tmp_path).prompts
    assert found.keys() == frames
    assert {t: list(objects) for t, objects in found.items()} == {
        t: list(PROMPTS[t]) for t in frames
    }
    for t in frames:
        for i, prompt in PROMPTS[t].items():
            again = found[t][i]
            assert type(again) is type(prompt)
            if isinstance(prompt, Box):
                assert again == prompt
            if isinstance(prompt, Points):
                assert (again.points, again.labels, again.box) == (
                    prompt.points, prompt.labels, prompt.box)  # fmt: skip
            if (
                mask := prompt if isinstance(prompt, Mask) else getattr(prompt, "mask", None)
            ) is None:
                continue
            mask_again = again if isinstance(again, Mask) else again.mask
            np.testing.assert_array_equal(mask_again.mask, np.asarray(mask.mask) > 0)


def test_the_prompts_of_a_run_track_it_again(film, tmp_path):
    clip = paint_clip(FRAMES, (64, 48))
    prompts = {0: {1: Mask(clip.labels[0] == 1)}, 6: {2: Mask((clip.labels[6] == 2) * 255)}}
    track(film, prompts, tmp_path / "one", "copy", "davis")
    run = masktrail.open_run(tmp_path / "one")
    track(run.video, run.prompts, tmp_path / "two", run.model, "davis")
    for (_, one), (_, two) in zip(run, masktrail.open_run(tmp_path / "two"), strict=True):
        np.testing.assert_array_equal(one.labels, two.labels)


@pytest.mark.parametrize(("folder", "count"), [("finished", 16), ("ended", 12)])
def test_runs_of_earlier_versions_are_read(stored, folder, count):
    before = content_of(stored)
    run = masktrail.open_run(folder)
    assert run.frames == list(range(count)) and run.finished == (count == 16) and not run.running
    for k, result in run:
        np.testing.assert_array_equal(result.labels, read_labels(f"{folder}/masks/{k:05d}.png")[0])
    rows = run.objects
    if count == 16:
        with open("finished/objects.csv") as file:
            told = [(row["frame"], row["id"], row["area"]) for row in csv.DictReader(file)]
        assert [(str(r["frame"]), str(r["id"]), str(r["area"])) for r in rows] == told
        assert run.model == "copy"
    assert {row["time"] for row in rows} == {None}, "which they did not keep"
    (marked,) = run.prompts.values()
    for object_id, prompt in marked.items():
        np.testing.assert_array_equal(prompt.mask, read_labels("first.png")[0] == object_id)
    assert os.path.samefile(run.video, "clip.mp4")
    assert content_of(stored) == before


def test_a_mask_of_a_frame_that_an_earlier_version_had_not_done_is_not_told(stored):
    with closing(sqlite3.connect("ended/" + NAME)) as file, file:
        file.execute("DELETE FROM frames WHERE frame < 5")
    with pytest.raises(InputError, match=r"does not tell the mask of object \d in frame 0"):
        masktrail.open_run("ended").prompts  # noqa: B018


def test_the_video_is_found_by_its_content(film, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    shutil.copy(film, tmp_path / "a/v.mp4")
    track(tmp_path / "a/v.mp4", BOX, tmp_path / "a/out", "copy", "csv")
    shutil.move(tmp_path / "a/out", tmp_path / "b/out")
    write_video(tmp_path / "b/v.mp4", paint_clip(5, (64, 48)).images)  # where it was beside
    run = masktrail.open_run(tmp_path / "b/out")
    assert run.video == str((tmp_path / "a/v.mp4").resolve())
    (tmp_path / "a/v.mp4").unlink()
    with pytest.raises(InputError, match=r"no longer at .*v.mp4; open it .*masktrail.open_video"):
        run.video  # noqa: B018


def test_what_came_through_a_pipe_is_named(film, tmp_path, paint_video):
    content = paint_video("film.ts", frames=8, tone=None).read_bytes()
    pipe = through_pipe(tmp_path / "pipe.ts", content)
    track(pipe, BOX, tmp_path / "out", "copy", "csv")
    assert masktrail.open_run(tmp_path / "out").video == str(pipe)


def test_a_folder_that_cannot_be_written_is_read(film, done, tmp_path):
    """Also that of a run which was killed, of this version and of an earlier one."""
    with pytest.raises(Stopped):
        track(film, BOX, tmp_path / "early", "copy", "csv", progress=stop_after(9))
    if os.geteuid() == 0:
        pytest.skip("nothing is forbidden to root")
    for folder in (done, tmp_path / "early"):
        for path in (*folder.rglob("*"), folder):
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            run = masktrail.open_run(folder)
            assert len(run) in (9, FRAMES) and run.labels(8).any() and not run.running
        finally:
            for path in (folder, *folder.rglob("*")):
                path.chmod(0o755 if path.is_dir() else 0o644)


def spoil(sql: str):
    def spoiled(out: Path) -> None:
        with closing(sqlite3.connect(out / NAME)) as file, file:
            file.execute(sql)

    return spoiled


def cut_off(out: Path) -> None:
    (out / NAME).write_bytes((out / NAME).read_bytes()[:5000])


def strange(out: Path) -> None:
    (out / NAME).unlink()
    with closing(sqlite3.connect(out / NAME)) as file, file:
        file.execute("CREATE TABLE diary (day TEXT)")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda out: (out / NAME).write_bytes(b"no journal" * 99), "is damaged"),
        (lambda out: (out / NAME).write_bytes(b""), "is damaged"),
        (cut_off, "is damaged"),
        (strange, "is a table of another program; expected the folder of a run"),
        (
            spoil("UPDATE about SET value = '99' WHERE key = 'format'"),
            "has format 99; this version",
        ),
        (spoil("UPDATE about SET value = '{}' WHERE key = 'about'"), "is damaged"),
        (spoil("DELETE FROM about WHERE key = 'about'"), "is damaged"),
        (lambda out: (out / NAME).unlink(), r"holds no run \(no journal.sqlite\); give the folder"),
        (shutil.rmtree, "holds no run"),
    ],
)
def test_what_is_no_run_is_refused(done, harm, told):
    run = masktrail.open_run(done)
    harm(done)
    for ask in (lambda: masktrail.open_run(done), lambda: run.frames, lambda: run.labels(3)):
        with pytest.raises(InputError, match=told) as error:
            ask()
        assert "--" not in str(error.value).replace(str(done), "")
    assert "cannot be read" in repr(run)


@pytest.mark.parametrize("what", ["labels = 'x'", "objects = '[]'", "kind = 'x'"])
def test_a_frame_that_is_damaged_is_told(done, what):
    spoil(f"UPDATE frames SET {what} WHERE frame = 4")(done)
    run = masktrail.open_run(done)
    with pytest.raises(InputError, match="is damaged"):
        run.result(4)
    assert run.labels(3).any()
    with pytest.raises(InputError, match="The frame '3' is no integer"):
        run.labels("3")


def test_a_folder_without_a_name_is_refused():
    with pytest.raises(InputError, match="has no name"):
        masktrail.open_run("")


def test_where_processes_share_no_memory_a_run_is_read_when_it_has_ended(
    film, tmp_path, monkeypatch
):
    """As on some network drives, which `unix-none` of SQLite stands for."""
    real = sqlite3.connect

    def connect(path, *args, **how):
        if Path(str(path)).name == NAME:
            path, how = f"file:{path}?vfs=unix-none", {**how, "uri": True}
        return real(path, *args, **how)

    monkeypatch.setattr(write_ahead.sqlite3, "connect", connect)
    looked = []

    def look(done: int, expected: int | None) -> None:
        looked.append(sorted(path.name for path in (tmp_path / "out").glob(f"{NAME}*")))

    track(film, BOX, tmp_path / "out", "copy", "davis", progress=look)
    monkeypatch.undo()
    assert f"{NAME}-shm" not in {name for names in looked for name in names}
    assert f"{NAME}-wal" in looked[-1]
    assert len(masktrail.open_run(tmp_path / "out")) == FRAMES
    assert not list((tmp_path / "out").glob(f"{NAME}-*"))


def test_a_reader_that_stays_does_not_hold_up_the_end_for_long(film, done, monkeypatch):
    monkeypatch.setattr(write_ahead, "SETTLING", 0.2)
    with Journal(done) as journal:
        journal.disclaim([])
        journal.claim(["review.csv"])
        where = f"file:{done / NAME}?mode=ro"
        reader = sqlite3.connect(where, uri=True, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM frames").fetchall()
    assert len(masktrail.open_run(done)) == FRAMES
    reader.close()
    with Journal(done) as journal:
        assert "review.csv" in journal.products
    assert not list(done.glob(f"{NAME}-*"))


def test_only_one_holds_a_lock(tmp_path):
    journal = tmp_path / NAME
    assert not is_held(journal) and not list(tmp_path.iterdir())
    lock = Lock(journal)
    assert is_held(journal)
    with pytest.raises(BlockingIOError):
        Lock(journal)
    lock.release()
    lock.release()
    assert not is_held(journal) and not list(tmp_path.iterdir())


HOLDER = """
import sys, time
from pathlib import Path
from masktrail.run.lock import Lock
journal, held = Path(sys.argv[1]), Path(sys.argv[2])
end = time.monotonic() + float(sys.argv[3])
times = 0
while time.monotonic() < end:
    try:
        lock = Lock(journal)
    except BlockingIOError:
        continue
    held.mkdir()  # fails if somebody else is there
    times += 1
    held.rmdir()
    lock.release()
print(times)
"""


def test_a_lock_that_is_removed_whenever_it_is_released_is_still_held_by_one(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path / NAME), str(tmp_path / "held"), "5"]
    holders = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    counts = [int(holder.communicate(timeout=60)[0]) for holder in holders]
    assert all(holder.returncode == 0 for holder in holders)
    assert sum(counts) > 8 and not list(tmp_path.iterdir()), counts


def test_the_lock_of_a_killed_process_is_in_nobodys_way(done):
    (done / f"{NAME}{END}").write_bytes(b"")
    run = masktrail.open_run(done)
    assert not run.running
    with Journal(done):
        assert run.running
    assert not (done / f"{NAME}{END}").exists()
