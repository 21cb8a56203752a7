"""A hundred inputs as they should not be, the same ones every time; and that faults are seen."""

import subprocess
import sys
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

pytest.importorskip("resource", reason="trials need a system with forks and limits")

from fuzz import culprits, many, trial

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", range(4))
def test_no_traceback_no_hang_no_file_touched(seed: int, tmp_path: Path) -> None:
    tally = many.try_some(seed, 25, tmp_path / "fuzz")
    assert not tally.faulty, tally.faulty
    assert tally.endings.total() == 25


@pytest.mark.parametrize(
    ("work", "fault"),
    [
        (culprits.raises, "traceback, exit code 1"),
        (culprits.exits_with_one, "exit code 1"),
        (culprits.hangs, "hang"),
        (culprits.says_nothing, "said in another way, exit code 2"),
        (culprits.says_too_much, "said in another way, exit code 2"),
        (culprits.changes_a_file, "touched in/mine.txt"),
        (culprits.deletes_a_file, "touched in/mine.txt"),
        (culprits.writes_elsewhere, "wrote in/new.txt"),
        (culprits.leaves_rubbish, "wrote tmp/rubbish"),
        (culprits.does_well, None),
    ],
    ids=lambda what: getattr(what, "__name__", ""),
)
def test_faults_are_seen(
    work: Any, fault: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == "hang":
        monkeypatch.setattr(trial, "SECONDS", 2)
    files = MappingProxyType({"in/mine.txt": b"mine"})
    outcome = trial.tried(trial.Case("culprit", files, work, ()), tmp_path / "place")
    assert outcome.faults == ((fault,) if fault else ())


def test_what_is_wrong_is_kept_as_it_was_given(tmp_path: Path) -> None:
    tally, files = many.Tally(), MappingProxyType({"in/mine.txt": b"mine"})
    for work in (culprits.deletes_a_file, culprits.does_well, culprits.deletes_a_file):
        case = trial.Case("culprit", files, work, ())
        tally.add(case, trial.tried(case, tmp_path / "place"), tmp_path / "place")
    assert tally.endings == {("culprit", 0): 2, ("culprit", 3): 1}
    first, second = (Path(fault.split(": ")[0]) for fault in tally.faulty)
    assert first != second and all(": touched in/mine.txt" in fault for fault in tally.faulty)
    assert (first / "given/in/mine.txt").read_bytes() == b"mine"
    assert not (first / "left/trial/in/mine.txt").exists()
    typed = (first / "case.txt").read_text()
    assert "python -c 'from fuzz.culprits import deletes_a_file; deletes_a_file()'" in typed
    assert many.table(tally).splitlines()[1].split() == ["culprit", "3", "2", "0", "1", "0"]


def test_the_command_tries_at_least_one_and_sums_up(tmp_path: Path) -> None:
    how = ("--minutes", "0", "--jobs", "1", "--seed", "7", "--out", str(tmp_path / "fuzz"))
    tests = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "fuzz", *how], capture_output=True, text=True, cwd=tests
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 inputs of seed 7, 0 with something wrong" in done.stdout
    assert not list((tmp_path / "fuzz").iterdir())
