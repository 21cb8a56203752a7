"""A hundred inputs as they should not be, the same ones every time; and that faults are seen."""

import subprocess
import sys
from pathlib import Path
from types import MappingProxyType
from typing import Any

import hypothesis
import pytest

from fuzz import culprits, many, trial
from fuzz.kinds import cases


@hypothesis.settings(max_examples=100, phases=[hypothesis.Phase.generate])
@hypothesis.given(case=cases())
def test_no_traceback_no_hang_no_file_touched(
    case: trial.Case, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("fuzz")
    outcome = trial.tried(case, place)
    assert not outcome.faults, f"{case} in {place}: {outcome}"


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


def test_what_is_wrong_is_kept(tmp_path: Path) -> None:
    tally, files = many.Tally(), MappingProxyType({"in/mine.txt": b"mine"})
    for work in (culprits.deletes_a_file, culprits.does_well):
        case = trial.Case("culprit", files, work, ())
        tally.add(case, trial.tried(case, tmp_path / "0000"), tmp_path / "0000")
    assert tally.endings == {("culprit", 0): 1, ("culprit", 3): 1}
    assert [fault.endswith("touched in/mine.txt") for fault in tally.faulty] == [True]
    assert "deletes_a_file" in (tmp_path / "0000-00001" / "case.txt").read_text()
    assert many.table(tally).splitlines()[1].split() == ["culprit", "2", "1", "0", "1", "0"]


def test_the_command_sums_up(tmp_path: Path) -> None:
    how = ("--minutes", "0.05", "--jobs", "1", "--out", str(tmp_path / "fuzz"))
    tests = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "fuzz", *how], capture_output=True, text=True, cwd=tests
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 with something wrong" in done.stdout
