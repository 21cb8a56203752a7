"""What must not go unnoticed: each does one thing that a trial has to find."""

import sys
import time
from pathlib import Path


def raises() -> None:
    raise RuntimeError("unforeseen")


def exits_with_one() -> int:
    print("Error: all is said, but not by the right number.", file=sys.stderr)
    return 1


def hangs() -> None:
    time.sleep(600)


def says_nothing() -> int:
    return 2


def says_too_much() -> int:
    print("Error: the first thing.\nError: the second.", file=sys.stderr)
    return 2


def changes_a_file() -> None:
    Path("in/mine.txt").write_text("yours")


def deletes_a_file() -> None:
    Path("in/mine.txt").unlink()


def writes_elsewhere() -> None:
    Path("in/new.txt").write_text("")


def leaves_rubbish() -> None:
    Path("tmp/rubbish").write_text("")


def does_well() -> int:
    Path("out").mkdir()
    Path("out/masks.txt").write_text("")
    print("Warning: a little was lost.", file=sys.stderr)
    return 3
