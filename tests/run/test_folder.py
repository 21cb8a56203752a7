"""One run a folder: what is the run's, what is another's, and what happens to either."""

import hashlib
import json
import shutil
import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from masktrail.errors import InputError
from masktrail.export import WRITERS
from masktrail.prompts.kinds import Box
from masktrail.run import convert, loop, track
from masktrail.run.folder import RunFolder
from masktrail.run.journal import NAME, Journal
from masktrail.run.rows import OtherRun
from painted_videos import paint_clip, through_pipe, write_video
from watched_runs import Stopped, stop_after

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


def test_a_run_is_not_replaced_unasked(run, tmp_path):
    run()
    before = hashes(tmp_path / "out")
    with pytest.raises(
        InputError, match=r"holds a run already \(journal.sqlite\).*resume=True .*overwrite=True"
    ):
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
    later = {
        "masks/readme.txt", "masks/00003.old.png", "masks/00012.png", "masks/000003.png",
        "masks/٠٠٠٠٣.png", "journal.sqlite.bak",
    }  # fmt: skip
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
    told = "holds a run already" if begun and not how else r"00004.png is there already, and noth"
    with pytest.raises(InputError, match=told):
        run("davis", **how)
    assert hashes(out) == before, "the run is there, too"


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
    write_video(tmp_path / "v.mp4", paint_clip(5).images)  # another one, where it was beside
    assert convert("alone", "json") == FRAMES
    shutil.move("work/v.mp4", "elsewhere.mp4")
    with pytest.raises(
        InputError, match=r'v\.mp4 is not the video that .*; say .* as video="clip.mp4"\.'
    ):
        convert("alone", "json")
    with pytest.raises(InputError, match=r"v\.mp4 is not the video that .*; give that one\."):
        convert("alone", "json", video="v.mp4")
    (tmp_path / "v.mp4").unlink()
    with pytest.raises(InputError, match=r'no longer at .*work/v\.mp4; say where.* as video="'):
        convert("alone", "json")
    assert convert("alone", "json", video="elsewhere.mp4") == FRAMES
    assert track("elsewhere.mp4", BOX, "alone", "copy", "csv", resume=True).frames == FRAMES
    assert convert("alone", "json") == FRAMES


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
    with Journal(tmp_path / "second"), pytest.raises(InputError, match="Another run is writing"):
        convert(tmp_path / "out", "davis", tmp_path / "second", overwrite=True)


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


def test_a_library_that_is_missing_costs_nothing(run, tmp_path, monkeypatch):
    run()
    before = hashes(tmp_path / "out")
    monkeypatch.setitem(sys.modules, "pycocotools.mask", None)
    with pytest.raises(InputError, match="needs pycocotools"):
        run("coco", overwrite=True)
    assert hashes(tmp_path / "out") == before


RECORDS = [
    {"tool": "another"},
    {"products": ["../precious.txt"]},
    {"weights_sha256": None, "arguments": None},
    {"weights_sha256": None, "arguments": {}, "products": ["../precious.txt", 7, "/etc/x"]},
    {"weights_sha256": None, "arguments": {"start": 0}, "frames": 3, "products": 5},
    [1],
]


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_is_not_trusted_with_files(run, tmp_path, record):
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "precious.txt").write_text("mine")
    (out / "run.json").write_text(json.dumps(record))
    ours = isinstance(record, dict) and isinstance(record.get("arguments"), dict)
    if ours:
        run(overwrite=True)
    else:
        for how in ({}, {"resume": True}, {"overwrite": True}):
            with pytest.raises(InputError, match=r"run.json is there already, and nothing tells"):
                run(**how)
        assert json.loads((out / "run.json").read_text()) == record
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_a_table_of_another_program_is_left_alone(run, tmp_path):
    (tmp_path / "out").mkdir()
    with closing(sqlite3.connect(tmp_path / "out" / NAME)) as file, file:
        file.execute("CREATE TABLE diary (day TEXT)")
    before = hashes(tmp_path / "out")
    for how in ({"resume": True}, {"overwrite": True}):
        with pytest.raises(InputError, match="is a table of another program"):
            run(**how)
    assert hashes(tmp_path / "out") == before


def test_a_link_that_leads_nowhere_is_not_replaced(run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/objects.csv").symlink_to("/nonexistent/o.csv")
    with pytest.raises(InputError, match=r"objects.csv is there already"):
        run()
    assert (tmp_path / "out/objects.csv").is_symlink()


def test_what_was_not_made_after_all_is_not_claimed(run, tmp_path):
    run("csv")
    with pytest.raises(InputError, match="keeps none"):
        convert(tmp_path / "out", "soft")
    (tmp_path / "out/soft/1").mkdir(parents=True)
    (tmp_path / "out/soft/1/00000.png").write_text("mine")
    run("csv", overwrite=True)
    assert (tmp_path / "out/soft/1/00000.png").read_text() == "mine"


def test_what_a_killed_process_left_of_a_journal_is_in_nobodys_way(run, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    for name in (f".{NAME}.0123abcd.part", f".{NAME}.0123abcd.part-journal", f"{NAME}-wal"):
        (out / name).write_bytes(b"half of it")
    run(resume=True)
    assert set(hashes(out)) == {NAME, "run.json", "objects.csv"} | {
        f"masks/{i:05d}.png" for i in range(FRAMES)
    }


def test_only_one_of_those_who_begin_at_once_has_the_folder(run, tmp_path):
    said: list[str] = []

    def begin() -> None:
        try:
            said.append(str(run().frames))
        except InputError as error:
            said.append(str(error))

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count(str(FRAMES)) == 1, said
    others = [one for one in said if one != str(FRAMES)]
    assert all("Another run is writing" in one or "holds a run already" in one for one in others)


def test_only_a_run_that_is_the_same_and_whole_is_finished(run, tmp_path, monkeypatch):
    kept = {"resume": True, "overwrite": True, "keep_finished": True}
    first = run()
    monkeypatch.setattr(loop, "_loop", None)
    assert run(**kept) == first
    (tmp_path / "out/masks/00099.png").write_text("mine")
    for harm in (
        lambda: (tmp_path / "out/masks/00003.png").unlink(),
        lambda: (tmp_path / "out/objects.csv").write_bytes(b""),
    ):
        harm()
        with pytest.raises(TypeError, match="NoneType"):
            run(**kept)
        monkeypatch.undo()
        run(resume=True)
        monkeypatch.setattr(loop, "_loop", None)
        assert run(**kept).frames == FRAMES
    (tmp_path / "out/masks/00099.png").unlink()
    for other in ({"export": "json"}, {"end": 5}, {"prompts": {3: Box(8, 8, 40, 40)}}):
        with pytest.raises(TypeError, match="NoneType"):
            run(**other, out=tmp_path / "out", **kept)
        monkeypatch.undo()
        run(overwrite=True)
        monkeypatch.setattr(loop, "_loop", None)


def test_a_folder_of_pictures_is_known_by_its_pictures(run, picture_folder, clip, tmp_path):
    bitmaps = tmp_path / "bitmaps"
    bitmaps.mkdir()
    for index, image in enumerate(clip.images):
        Image.fromarray(image).save(bitmaps / f"{index}.bmp")
    run(source=bitmaps)
    (bitmaps / ".DS_Store").write_text("other")
    (bitmaps / "notes.txt").write_text("other")
    assert run(source=bitmaps, resume=True).frames == FRAMES
    Image.fromarray(255 - clip.images[3]).save(bitmaps / "3.bmp")  # of equal size
    with pytest.raises(InputError, match="a run of another video; give"):
        run(source=bitmaps, resume=True)
    run(source=picture_folder, out=picture_folder)
    assert run(source=picture_folder, out=picture_folder, resume=True).frames == FRAMES
    assert convert(picture_folder, "json") == FRAMES


def test_a_journal_that_is_none_is_another_run(run, tmp_path):
    run()
    journal = tmp_path / "out" / NAME
    with closing(sqlite3.connect(journal)) as file, file:
        file.execute("UPDATE about SET value = '99' WHERE key = 'format'")
    with pytest.raises(OtherRun, match="another version of MaskTrail"):
        run(resume=True)
    with pytest.raises(OtherRun, match="another version of MaskTrail"):
        convert(tmp_path / "out", "json")
    for damage in (b"no journal at all" * 100, b"", journal.read_bytes()[:5000]):
        journal.write_bytes(damage)
        with pytest.raises(OtherRun, match="is damaged"):
            run(resume=True)
        assert run(resume=True, overwrite=True).frames == FRAMES


HARM = [
    "UPDATE frames SET labels = 'x' WHERE frame = 4",
    "UPDATE frames SET objects = 'x' WHERE frame = 4",
    "UPDATE frames SET objects = '[]' WHERE frame = 4",
    "UPDATE frames SET objects = replace(objects, '\"box\": [', '\"box\": [1, ') WHERE frame = 4",
    'UPDATE frames SET objects = replace(objects, \'"score": \', \'"score": null, "x": \')'
    " WHERE frame = 4",
    "DELETE FROM frames WHERE frame = 4",
    "UPDATE about SET value = '{}' WHERE key = 'about'",
    """UPDATE about SET value = '{"identity": {}}' WHERE key = 'about'""",
    "DELETE FROM about WHERE key = 'about'",
]


@pytest.mark.parametrize("harm", HARM)
def test_a_journal_that_is_damaged_inside_is_told_and_replaced(run, tmp_path, harm):
    run()
    with closing(sqlite3.connect(tmp_path / "out" / NAME)) as file, file:
        file.execute(harm)
    for what in (lambda: run(resume=True), lambda: convert(tmp_path / "out", "json")):
        with pytest.raises(OtherRun, match="is damaged"):
            what()
    assert run(resume=True, overwrite=True).frames == FRAMES
    assert convert(tmp_path / "out", "json") == FRAMES


def test_of_a_damaged_journal_alone_nobody_knows_what_was_made(run, tmp_path):
    """The run was killed, so there is no record either: nothing is removed."""
    with pytest.raises(Stopped):
        run(progress=stop_after(7))
    (tmp_path / "out" / NAME).write_bytes(b"damaged")
    before = hashes(tmp_path / "out")
    with pytest.raises(InputError, match=r"00000.png is there already, and nothing tells"):
        run(overwrite=True)
    assert hashes(tmp_path / "out") == before


@pytest.mark.parametrize("harm", ["content = substr(content, 1, 100)", "frame = NULL"])
def test_a_state_that_is_damaged_is_told(run, tmp_path, monkeypatch, harm):
    monkeypatch.setattr(loop, "KEPT_EVERY", 5)
    with pytest.raises(Stopped):
        run(progress=stop_after(7))
    with closing(sqlite3.connect(tmp_path / "out" / NAME)) as file, file:
        file.execute(f"UPDATE state SET {harm}")
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
        with pytest.raises(InputError, match=told + ".*overwrite=True"):
            run(source=tmp_path / "nobody-writes.ts", **how)  # said before it is opened
    with pytest.raises(InputError, match=told):
        convert(out, "json")
    assert hashes(out / "masks") == before
    assert run(source=piped(), overwrite=True).frames == FRAMES


def test_a_record_tells_what_was_made(run, tmp_path):
    run("davis,csv")
    record = json.loads((tmp_path / "out/run.json").read_text())
    assert record["products"] == ["masks/{frame}.png", "objects.csv"] and record["until"] == FRAMES
    convert(tmp_path / "out", "json")
    record = json.loads((tmp_path / "out/run.json").read_text())
    assert record["products"][2:] == ["objects.json"]
    assert record["arguments"]["export"] == "davis,csv"
