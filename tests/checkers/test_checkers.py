"""Programs that use the library, right and wrong ones, as type checkers see them."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent
WRONG = [
    number
    for number, line in enumerate((HERE / "wrong.py").read_text().splitlines(), start=1)
    if line.endswith("# wrong")
]


def mypy(program: str, tmp_path: Path) -> list[int]:
    """Lines in which mypy finds errors, as somebody runs it who has nothing set."""
    asked = ["--strict", "--config-file=", "--cache-dir", str(tmp_path), str(HERE / program)]
    done = _run("mypy", *asked)
    return sorted({int(n) for n in re.findall(rf"{program}:(\d+): error", done.stdout)})


def pyright(program: str, tmp_path: Path) -> list[int]:
    """The same of pyright."""
    asked = ["--outputjson", "--pythonpath", sys.executable, str(HERE / program)]
    found = json.loads(_run("pyright", *asked).stdout)["generalDiagnostics"]
    errors = [each for each in found if each["severity"] == "error"]
    return sorted({each["range"]["start"]["line"] + 1 for each in errors})


def _run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    quiet = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=280, env=quiet)


@pytest.mark.slow
@pytest.mark.parametrize("checker", [mypy, pyright])
def test_right_programs_are_clean_and_wrong_ones_are_caught(checker, tmp_path) -> None:
    if find_spec(checker.__name__) is None:
        pytest.skip(f"{checker.__name__} is not installed")
    assert checker("right.py", tmp_path) == []
    assert checker("wrong.py", tmp_path) == WRONG and len(WRONG) > 20
