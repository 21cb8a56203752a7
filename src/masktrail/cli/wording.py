"""What the library says, which speaks Python, in the words of the command line."""

import re
import sys
from ast import literal_eval
from shlex import quote

SAME = (
    *("count", "device", "edges", "engine", "export", "frames", "held_out", "jobs", "model"),
    *("negatives", "out", "overwrite", "precision", "recording", "resume", "seed", "size", "video"),
)
"""Keywords of the library that are options of the same name."""

OPTIONS = {name: f"--{name.replace('_', '-')}" for name in SAME}
OPTIONS |= {"settings": "--set", "values": "--range"}
"""The option by which a keyword is given."""

DIRECTIONS = {"backward": "--reverse", "forward": "--forward"}

_TEXT = r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'"""
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?"
_KEYWORD = re.compile(
    rf"(?<![\w./\\=-])({'|'.join(OPTIONS)}|direction)="
    rf"(True|{_TEXT}|{_NUMBER}|\([^()]*\)|\{{[^{{}}]*\}})(?![\w/\\]|[.=-]\w)"
)
"""A keyword as Python has it, but not where it is part of the name of a file."""


def in_options(text: str) -> str:
    """A sentence with options in the place of keywords.

    `resume=True` becomes `--resume`, `video="my clip.mp4"` becomes `--video 'my clip.mp4'`,
    `values=(0, 4095)` becomes `--range 0,4095`, `settings={"view": "square"}` becomes
    `--set view=square`; all else, and what was typed like a keyword, stays as it is.
    """
    given = [word for word in sys.argv[1:] if not word.startswith("-")]
    typed = {part for word in given for part in word.split()}

    def worded(found: re.Match[str]) -> str:
        if found[0] in typed:  # a folder may be called size=256
            return found[0]
        return _option(found[1], found[2]) or found[0]

    return _KEYWORD.sub(worded, text)


def _option(name: str, value: str) -> str | None:
    """A keyword and its value, both as Python has them, as an option; None where there is none."""
    if name == "direction":
        return DIRECTIONS.get(value[1:-1])
    if value == "True":
        return OPTIONS[name]
    if value.startswith("("):
        return f"{OPTIONS[name]} {value[1:-1].replace(' ', '')}"
    try:
        read = literal_eval(value)
    except (ValueError, SyntaxError):
        return None
    if isinstance(read, dict):
        return " ".join(f"{OPTIONS[name]} {quote(f'{key}={each}')}" for key, each in read.items())
    return f"{OPTIONS[name]} {quote(str(read))}"
