"""Runs and projects of earlier versions, kept as they left them: open, resume, convert, replace.

`stored/version-0.1.zip`: a clip and its first masks; a run that is finished, one that was ended
after 12 of 16 frames, one of a batch, and a paused one of the page's project.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

from masktrail.batch.manifest import Task
from masktrail.batch.work import Options, do
from masktrail.errors import InputError
from masktrail.masks import read_labels
from masktrail.prompts.text import read_prompts
from masktrail.run import convert, loop, track
from masktrail.run.journal import Journal
from masktrail.run.rows import OtherRun
from masktrail.settings import ModelOptions
from watched_runs import count_steps

FRAMES = 16


def again(out: str, **how):
    prompts = read_prompts([("mask", "first.png")])
    return track("clip.mp4", prompts, out, "copy", "davis,csv,overlay,review", **how)


def same_masks(one: Path, other: Path) -> bool:
    names = sorted(os.listdir(one))
    assert names == sorted(os.listdir(other)) and names
    return all((read_labels(one / name)[0] == read_labels(other / name)[0]).all() for name in names)


def rows_of(out: Path) -> list[list[str]]:
    """Of the table, without the centroids that there were not in version 0.1."""
    return [row.split(",")[:10] for row in (out / "objects.csv").read_text().splitlines()]


def test_a_run_that_was_ended_goes_on(stored, monkeypatch):
    stepped = count_steps(monkeypatch)
    assert again("ended", resume=True).frames == FRAMES
    assert stepped == list(range(10, FRAMES)), "from the state that was kept"
    assert same_masks(stored / "ended/masks", stored / "finished/masks")
    assert rows_of(stored / "ended") == rows_of(stored / "finished")


def test_without_torch_it_is_said_what_reads_its_state(stored, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(OtherRun, match=r"^This run is of version 0.1, .*masktrail\[torch\]"):
        again("ended", resume=True)
    assert convert("finished", "json") == FRAMES


def test_a_finished_run_is_converted_and_made_whole(stored):
    assert convert("finished", "json") == FRAMES
    shutil.rmtree("finished/masks")
    assert again("finished", resume=True).frames == FRAMES
    assert len(os.listdir("finished/masks")) == FRAMES


def test_another_run_is_refused(stored):
    with pytest.raises(InputError, match="another end"):
        again("finished", resume=True, end=9)
    with pytest.raises(InputError, match="another edges"):
        again("ended", resume=True, edges="refined")


def test_a_replaced_run_leaves_what_is_not_of_it(stored):
    for name in ("masks/mine.txt", "data.yaml"):
        (stored / "finished" / name).write_text("mine")
    track("clip.mp4", read_prompts([("mask", "first.png")]), "finished", "copy", "csv", end=3,
          overwrite=True)  # fmt: skip
    left = sorted(
        p.relative_to("finished").as_posix() for p in Path("finished").rglob("*") if p.is_file()
    )
    assert left == ["data.yaml", "journal.sqlite", "masks/mine.txt", "objects.csv", "run.json"]


def test_a_batch_skips_what_it_had_done(stored, monkeypatch):
    monkeypatch.setattr(loop, "_loop", None)
    task = Task("batch", "clip.mp4", (("mask", "first.png"),))
    status = do(task, Path("batch"), Options(ModelOptions("copy"), "davis,csv"))
    assert (status.state, status.frames) == ("done", FRAMES)


def test_a_journal_is_read(stored):
    with Journal(stored / "ended") as journal:
        assert journal.frames == 12 and not journal.finished and journal.products == []


def test_a_video_that_was_moved_is_asked_for(stored):
    (stored / "clip.mp4").rename(stored / "other.mp4")
    with pytest.raises(InputError, match=r'no longer at clip.mp4; say where .* as video="'):
        convert("finished", "json")
    assert convert("finished", "json", video="other.mp4") == FRAMES


def test_exports_that_it_was_resumed_with_are_its_own(stored):
    """Of which version 0.1 told in `run.json` alone."""
    record = Path("finished/run.json")
    record.write_text(record.read_text().replace("davis,csv,overlay,review", "json,davis"))
    Path("finished/objects.json").write_text("{}")
    prompts = read_prompts([("mask", "first.png")])
    track("clip.mp4", prompts, "finished", "copy", "json", overwrite=True)
    left = sorted(path.name for path in Path("finished").iterdir())
    assert left == ["journal.sqlite", "objects.json", "run.json"]
