"""Runs of the page that cannot be gone on with, and those of earlier versions: no dead ends."""

import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from masktrail.run.journal import NAME
from visitor import Enter, begin_and_stand_still, marked, wait

STORED = Path(__file__).parents[1] / "stored" / "version-0.1.zip"
MARK = marked(settings={"model": "copy"}, box=[62, 22, 86, 44])


@pytest.fixture
def paused(opened: Any, allowed: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run that was paused."""
    opened.put("/api/mark", json=MARK)
    with monkeypatch.context() as patch:
        patch.setattr("masktrail.run.loop.KEPT_EVERY", 2)
        begin_and_stand_still(opened, patch)
        assert opened.post("/api/run/pause").json()["state"] == "paused"
    return allowed.projects / "clip" / "runs" / "0001"


def of_other_weights(run: Path) -> None:
    with closing(sqlite3.connect(run / NAME)) as file, file:
        file.execute(
            """UPDATE about SET value = replace(value, '"weights": null', '"weights": 7')"""
        )


def of_another_version(run: Path) -> None:
    with closing(sqlite3.connect(run / NAME)) as file, file:
        file.execute("UPDATE about SET value = '99' WHERE key = 'format'")


def damaged(run: Path) -> None:
    (run / NAME).write_bytes(b"no journal at all" * 100)


def without_rows(run: Path) -> None:
    with closing(sqlite3.connect(run / NAME)) as file, file:
        file.execute("DELETE FROM frames WHERE frame = 1")


def of_nothing(run: Path) -> None:
    with closing(sqlite3.connect(run / NAME)) as file, file:
        file.execute("UPDATE about SET value = '{}' WHERE key = 'about'")


def lost(run: Path) -> None:
    for path in run.glob("*.*"):
        path.unlink()


@pytest.mark.parametrize(
    ("harm", "reopened"),
    [
        (of_other_weights, False),
        (of_another_version, True),
        (damaged, False),
        (damaged, True),
        (without_rows, False),
        (of_nothing, True),
        (lost, True),
    ],
)
def test_a_run_that_cannot_go_on_begins_anew(
    opened: Any, paused: Path, harm: Any, reopened: bool
) -> None:
    if reopened:
        opened.post("/api/close")
    harm(paused)
    if reopened:
        assert opened.post("/api/open", json={"project": "clip"}).status_code == 200
    kept = sorted(paused.glob("masks/*"))
    opened.post("/api/run")
    told = wait(opened, "run", "done", "failed")
    assert (told["state"], told["next"], told["version"]) == ("done", 16, 2), told
    assert not told["stale"] and sorted(paused.glob("masks/*")) == kept


@pytest.mark.parametrize("harm", [of_another_version, damaged, of_nothing])
def test_the_page_tells_what_can_be_done_there(opened: Any, paused: Path, harm: Any) -> None:
    opened.post("/api/close")
    harm(paused)
    said = opened.post("/api/open", json={"project": "clip"}).json()["run"]["message"]
    assert NAME in said and said.endswith("; track again.")
    opened.post("/api/export", json={"exports": ["csv"]})
    assert wait(opened, "export", "done", "failed")["message"] == said


def test_what_the_user_keeps_in_a_run_stays(opened: Any, paused: Path) -> None:
    (paused / "notes.txt").write_text("mine")
    for x in range(3):
        mark = marked(settings={"model": "copy"}, box=[60 - x, 22, 86, 44])
        opened.put("/api/mark", json=mark)
        opened.post("/api/run")
        assert wait(opened, "run", "done", "failed")["state"] == "done"
    assert [path.name for path in paused.iterdir()] == ["notes.txt"]
    assert sorted(path.name for path in paused.parent.iterdir()) == ["0001", "0003", "0004"]


def test_downloads_leave_other_files_alone(opened: Any, paused: Path) -> None:
    folder = paused.parents[1] / "exports"
    (folder / ".making-x").mkdir(parents=True)
    mine = {"notes.txt", "clip-csv.xlsx", "clip-davis", "clip-csv.csv.bak"}
    for name in mine:
        (folder / name).write_text("mine")
    (folder / "csv").mkdir()
    (folder / "csv" / "clip-csv.csv").write_text("of version 0.1")
    for names in (["csv", "davis"], ["davis"]):
        opened.post("/api/export", json={"exports": names})
        assert wait(opened, "export", "done", "failed")["state"] == "done"
    assert {path.name for path in folder.iterdir()} == {"clip-davis.zip", *mine}


def test_a_project_of_version_0_1_goes_on(enter: Enter, allowed: Any) -> None:
    with zipfile.ZipFile(STORED) as archive:
        inside = [name for name in archive.namelist() if name.startswith("project/")]
        archive.extractall(allowed.projects, inside)
    client = enter()
    state = client.post("/api/open", json={"project": "project"}).json()
    assert (state["run"]["state"], state["run"]["next"]) == ("paused", 12)
    assert not state["run"]["stale"]
    client.post("/api/export", json={"exports": ["davis"]})
    assert wait(client, "export", "done", "failed")["state"] == "done"
    client.post("/api/run")
    told = wait(client, "run", "done", "failed")
    assert (told["state"], told["next"], told["version"]) == ("done", 16, 1), told
