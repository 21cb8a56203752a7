"""One run a folder: what is the run's, what is another's, and what happens to either."""

import hashlib
import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from masktrail.errors import InputError
from masktrail.export import WRITERS
from masktrail.run import convert, loop, track
from masktrail.run.folder import RunFolder
from masktrail.run.journal import NAME, Journal, OtherRun
from masktrail.types import Box
from painted_videos import paint_clip, through_pipe, write_video

FRAMES = 12
BOX = {1: Box(8, 8, 40, 40)}


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    return write_video(
        tmp_path_factory.mktemp("video") / "clip.mp4", paint_clip(FRAMES).images, tone=None
    )


@pytest.fixture
def run(video, tmp_path):
    """A function that tracks into `out` without a network; all but the video may be told."""

    def run(export: str = "davis,csv", prompts=BOX, out: Path = tmp_path / "out", **how):
        return track(how.pop("source", video), prompts, out, "copy", export, **how)

    return run


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


class Stopped(Exception):
    pass


def stop_after(frames: int):
    def progress(done, expected):
        if done == frames:
            raise Stopped

    return progress


def test_a_run_is_not_replaced_unasked(run, tmp_path):
    run()
    before = hashes(tmp_path / "out")
    with pytest.raises(InputError, match=r"holds a run already \(journal.sqlite\).*--resume"):
        run("csv")
    assert hashes(tmp_path / "out") == before


def test_what_the_user_has_in_the_folder_stays(run, tmp_path):
    """Beside what a run made, among it, and under the names of exports that it did not make."""
    out = tmp_path / "out"
    mine = {
        "notes.txt", "data.yaml", "labels/00000.txt", "labels/classes.txt", "overlay.mp4",
        "soft/1/00000.png",
    }  # fmt: skip
    for name in mine:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(f"my {name}")
    run()
    later = {"masks/readme.txt", "masks/00099.png", "masks/00003.old.png"}
    for name in later:
        (out / name).write_text(f"my {name}")
    run("csv", end=5, overwrite=True)
    left = hashes(out)
    assert set(left) == mine | later | {NAME, "run.json", "objects.csv"}
    assert all((out / name).read_text() == f"my {name}" for name in mine | later)


@pytest.mark.parametrize("how", [{}, {"overwrite": True}, {"resume": True}])
@pytest.mark.parametrize("begun", [False, True])
def test_what_is_of_no_run_is_not_replaced(run, tmp_path, how, begun):
    out = tmp_path / "out"
    if begun:
        run("csv")
    for name in ("masks/00004.png", "overlay.mp4"):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("mine")
    before = hashes(out)
    told = "holds a run already" if begun and not how else r"00004.png is there already, and this"
    with pytest.raises(InputError, match=told):
        run("davis", **how)
    after = hashes(out)
    if begun and how == {"overwrite": True}:  # the run may go, the rest may not
        before = {name: before[name] for name in ("masks/00004.png", "overlay.mp4")}
    assert after == before


def test_nothing_is_left_of_a_replaced_run(run, tmp_path):
    run(",".join(WRITERS.keys() - {"coco", "yolo", "labelme"}), keep_soft=True)
    assert (tmp_path / "out/soft/1/00000.png").exists()
    (tmp_path / "out/masks/.00003.png.part").write_text("of a process that was killed")
    RunFolder(tmp_path / "out").remove()
    assert list((tmp_path / "out").rglob("*")) == []


def test_what_was_converted_is_of_the_run(run, tmp_path):
    out = tmp_path / "out"
    run("csv")
    assert convert(out, "json,davis") == convert(out, "json,davis") == FRAMES
    run("csv", end=3, overwrite=True)
    assert set(hashes(out)) == {NAME, "run.json", "objects.csv"}


def test_the_video_of_a_run_is_found_again(video, tmp_path, monkeypatch):
    """From any folder, after both were moved, after the run alone was; else it is said."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    shutil.copy(video, "v.mp4")
    track("v.mp4", BOX, "out", "copy", "csv")
    monkeypatch.chdir(tmp_path)
    assert convert("work/out", "json") == FRAMES
    shutil.move("work", "moved")
    assert convert("moved/out", "json") == FRAMES
    shutil.move("moved", "work")
    shutil.move("work/out", "alone")
    assert convert("alone", "json") == FRAMES
    shutil.move("work/v.mp4", "elsewhere.mp4")
    with pytest.raises(InputError, match=r"no longer at .*work/v\.mp4; say where.*--video"):
        convert("alone", "json")
    assert convert("alone", "json", video="elsewhere.mp4") == FRAMES
    assert track("elsewhere.mp4", BOX, "alone", "copy", "csv", resume=True).frames == FRAMES


def test_a_conversion_replaces_nothing_unasked(run, tmp_path):
    run("csv")
    other = tmp_path / "other"
    (other / "masks").mkdir(parents=True)
    (other / "masks/00002.png").write_text("mine")
    with pytest.raises(InputError, match=r"00002.png is there already"):
        convert(tmp_path / "out", "davis", other)
    assert set(hashes(other)) == {"masks/00002.png"}
    assert convert(tmp_path / "out", "davis", other, overwrite=True) == FRAMES
    run("davis", out=tmp_path / "second", end=4)
    before = hashes(tmp_path / "second")
    with pytest.raises(InputError, match="is there already"):
        convert(tmp_path / "out", "davis", tmp_path / "second")
    assert hashes(tmp_path / "second") == before


def test_both_permissions_go_on_with_the_same_run_and_replace_another(run, tmp_path, monkeypatch):
    both = {"resume": True, "overwrite": True}
    with pytest.raises(Stopped):
        run(progress=stop_after(7))
    monkeypatch.setattr(loop, "KEPT_EVERY", 5)
    run(**both)
    whole = hashes(tmp_path / "out/masks")
    run(out=tmp_path / "undisturbed")
    assert hashes(tmp_path / "undisturbed/masks") == whole
    run(prompts={2: Box(20, 20, 50, 50)}, end=4, **both)
    assert len(hashes(tmp_path / "out/masks")) == 4


def test_only_a_run_that_is_the_same_and_whole_is_finished(run, tmp_path, monkeypatch):
    kept = {"resume": True, "overwrite": True, "keep_finished": True}
    first = run()
    monkeypatch.setattr(loop, "_loop", None)
    assert run(**kept) == first
    for other in ({"export": "json"}, {"end": 5}, {"prompts": {3: Box(8, 8, 40, 40)}}):
        with pytest.raises(TypeError, match="NoneType"):
            run(**other, out=tmp_path / "out", **kept)
        monkeypatch.undo()
        run(overwrite=True)
        monkeypatch.setattr(loop, "_loop", None)


def test_a_folder_of_pictures_that_changed_is_another_video(run, picture_folder, tmp_path):
    run(source=picture_folder)
    (picture_folder / sorted(os.listdir(picture_folder))[3]).write_bytes(b"changed")
    with pytest.raises(InputError, match="another video"):
        run(source=picture_folder, resume=True)


def test_a_journal_that_is_none_is_another_run(run, tmp_path):
    run()
    journal = tmp_path / "out" / NAME
    with closing(sqlite3.connect(journal)) as file, file:
        file.execute("UPDATE about SET value = '99' WHERE key = 'format'")
    with pytest.raises(OtherRun, match="another version of MaskTrail"):
        run(resume=True)
    for damage in (b"no journal at all" * 100, b"", journal.read_bytes()[:5000]):
        journal.write_bytes(damage)
        with pytest.raises(OtherRun, match="is damaged"):
            run(resume=True)
        assert run(resume=True, overwrite=True).frames == FRAMES


@pytest.mark.parametrize("column", ["labels", "objects"])
def test_a_frame_that_is_damaged_is_told(run, tmp_path, column):
    run()
    with closing(sqlite3.connect(tmp_path / "out" / NAME)) as file, file:
        file.execute(f"UPDATE frames SET {column} = 'x' WHERE frame = 4")
    with pytest.raises(OtherRun, match="is damaged"):
        run(resume=True)


def test_a_state_that_is_damaged_is_told(run, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "KEPT_EVERY", 5)
    with pytest.raises(Stopped):
        run(progress=stop_after(7))
    with closing(sqlite3.connect(tmp_path / "out" / NAME)) as file, file:
        file.execute("UPDATE state SET content = substr(content, 1, 100)")
    with pytest.raises(OtherRun, match="is damaged"):
        run(resume=True)


def test_a_run_without_its_journal_is_known_by_its_record(run, tmp_path):
    out = tmp_path / "out"
    run()
    (out / NAME).unlink()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(OtherRun, match=r"holds run.json but no journal.sqlite to resume"):
        run(resume=True)
    run("csv", overwrite=True)
    assert set(hashes(out)) == {NAME, "run.json", "objects.csv", "notes.txt"}


def test_a_folder_in_use_is_not_replaced(run, tmp_path):
    run()
    before = hashes(tmp_path / "out/masks")
    with Journal(tmp_path / "out"):
        for how in ({"overwrite": True}, {"resume": True}, {"resume": True, "overwrite": True}):
            with pytest.raises(InputError, match="Another run is writing"):
                run(**how)
    assert hashes(tmp_path / "out/masks") == before


@pytest.mark.parametrize("frames", [5, None])
def test_what_came_through_a_pipe_is_neither_resumed_nor_converted(
    run, paint_video, tmp_path, frames
):
    film = paint_video("film.ts", frames=FRAMES, tone=None).read_bytes()
    out, numbers = tmp_path / "out", iter(range(9))

    def piped() -> Path:
        return through_pipe(tmp_path / f"{next(numbers)}.ts", film)

    if frames is None:
        run(source=piped())
    else:
        with pytest.raises(Stopped):
            run(source=piped(), progress=stop_after(frames))
    before = hashes(out / "masks")
    told = r"is of a camera or a pipe \(.*\.ts\)"
    for how in ({"resume": True}, {"resume": True, "overwrite": True}):
        with pytest.raises(InputError, match=told + ".*--overwrite"):
            run(source=piped(), **how)
    with pytest.raises(InputError, match=told):
        convert(out, "json")
    assert hashes(out / "masks") == before
    assert run(source=piped(), overwrite=True).frames == FRAMES


def test_a_record_tells_what_was_made(run, tmp_path):
    run("davis,csv")
    record = json.loads((tmp_path / "out/run.json").read_text())
    assert record["products"] == ["masks/{frame}.png", "objects.csv"]
    assert record["arguments"]["export"] == "davis,csv"
