"""One input tried: laid out, run in a forked process with a limit of time, judged."""

import hashlib
import multiprocessing
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from fuzz import child

SECONDS = 20
"""After which a trial hangs."""

GOOD = (0, 2, 3)
"""Exit codes: done; cannot be used; done, but something was lost."""

SENTENCES = re.compile(r"(Warning: .+\n)*(Error: .+\n)?")
"""All that may be said on standard error."""

NOT_OURS = re.compile(r"^(\w+Decode|TIFF\w*|\w*[Tt]emp\w*\.tif): .+\n", re.MULTILINE)
"""What libtiff says there by itself; Pillow gives nobody a way to stop it."""


@dataclass(frozen=True)
class Case:
    """Something to try.

    Attributes:
        kind: name of what was changed, for the table.
        files: of the user, by path; the changed ones among them.
        work: a function of a module, as those of `child`.
        arguments: of the work.
        made: paths that the program owns: what is under them may change.
    """

    kind: str
    files: MappingProxyType[str, bytes]
    work: child.Work
    arguments: tuple[str, ...]
    made: tuple[str, ...] = ("out",)

    def __repr__(self) -> str:
        return f"{self.kind}: {self.typed()}"

    def lay_out(self, folder: Path) -> None:
        """Writes the files into a folder, with those that every trial has."""
        for name in ("home", "tmp"):
            (folder / name).mkdir(parents=True)
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)

    def typed(self) -> str:
        """What does the same in a shell; where it is no command, with `tests` on the path."""
        if self.work is child.command:
            return shlex.join(("masktrail", *self.arguments))
        call = f"{self.work.__name__}{self.arguments}"
        code = f"from {self.work.__module__} import {self.work.__name__}; {call}"
        return shlex.join(("python", "-c", code))


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Attributes:
        code: exit code; None where it was ended for hanging.
        said: on standard error.
        faults: what is wrong, a short text each.
    """

    code: int | None
    said: str
    faults: tuple[str, ...]


def tried(case: Case, place: Path) -> Outcome:
    """Tries a case in a folder `place`, which is emptied first and left as the case leaves it."""
    shutil.rmtree(place, ignore_errors=True)
    folder = place / "trial"
    case.lay_out(folder)
    before = _owned_by_user(folder, case.made)
    code = _exit_code(folder, case)
    said, shown = ((place / f"said.{name}").read_text(errors="replace") for name in ("err", "out"))
    faults = [*_of_ending(code, said, shown), *_of_files(before, _owned_by_user(folder, case.made))]
    return Outcome(code, said, tuple(faults))


def _exit_code(folder: Path, case: Case) -> int | None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(child.PRELOADED)
    process = context.Process(target=child.run, args=(folder, case.work, case.arguments))
    process.start()
    process.join(SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
        return None
    return process.exitcode


def _owned_by_user(folder: Path, made: tuple[str, ...]) -> dict[str, str]:
    """Hashes of files, by path, that are not the program's."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not any(path.is_relative_to(folder / name) for name in made)
    }


def _of_ending(code: int | None, said: str, shown: str) -> list[str]:
    if code is None:
        return ["hang"]
    if code not in GOOD or "Traceback" in said:
        return [f"traceback, exit code {code}" if "Traceback" in said else f"exit code {code}"]
    if not SENTENCES.fullmatch(NOT_OURS.sub("", said)) or (
        code == 2 and "Error: " not in said and not shown.strip()
    ):
        return [f"said in another way, exit code {code}"]
    return []


def _of_files(before: dict[str, str], after: dict[str, str]) -> list[str]:
    touched = [name for name in before if after.get(name) != before[name]]
    return [f"touched {name}" for name in touched] + [
        f"wrote {name}" for name in after.keys() - before.keys()
    ]
