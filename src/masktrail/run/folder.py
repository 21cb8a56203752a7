"""The folder of a run: one run each, nothing of another one replaced unasked."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from masktrail.errors import InputError
from masktrail.export import WRITERS
from masktrail.files import cannot_write, make_folder
from masktrail.run.journal import NAME, Journal

FREE = ("video", "export")
"""What may change when a run is resumed: where the video lies, and what is made of the masks."""

ADDED: Mapping[str, Any] = {"settings": {}}
"""What runs were of before it was written down."""

RECORD = "run.json"
"""Of the file that says what a run did."""


def products(out: Path) -> list[Path]:
    """What is there of what a run can leave in `out`, its journal included."""
    names = [name for writer in WRITERS.values() for name in writer.files]
    named = [out / name for name in (RECORD, *dict.fromkeys(names))]
    return [*sorted(out.glob(f"{NAME}*")), *(path for path in named if path.exists())]


def check_folder(out: Path, resume: bool, overwrite: bool) -> None:
    """Refuses a folder that cannot be used as it is asked for.

    Raises:
        InputError: it holds a run and nothing says what is to become of it, or something of a run
            that cannot be resumed.
    """
    if resume and overwrite:
        raise InputError("A run is either resumed or overwritten; give --resume or --overwrite.")
    found = products(out)
    if found and resume and not (out / NAME).is_file():
        raise InputError(
            f"{out} holds {found[0].name} but no {NAME} to resume from; give --overwrite to "
            "replace it, or another folder."
        )
    if found and not resume and not overwrite:
        raise InputError(
            f"{out} holds a run already ({', '.join(path.name for path in found[:3])}); give "
            "--resume to go on with it, --overwrite to replace it, or another folder."
        )


def clear_folder(out: Path) -> None:
    """Removes what a run left; whatever else is in the folder stays, and all where no run was.

    Raises:
        InputError: something cannot be removed.
    """
    if not any((out / name).exists() for name in (NAME, RECORD)):
        return
    for path in products(out):
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError as error:
            raise cannot_write(path, error) from error


@contextmanager
def keeping_journal(
    out: Path, about: Mapping[str, Any], resume: bool, soft: bool
) -> Iterator[Journal]:
    """The journal of a run that begins, or of one that goes on.

    Nothing is left of a run that fails before anything of it is written.

    Args:
        out: folder of the results, made where it is not there.
        about: what the run is of.
        resume: whether it goes on, if it had begun at all.
        soft: keep soft masks too.

    Raises:
        InputError: the folder's run is another one, or what `Journal` raises.
    """
    made = not out.exists()
    make_folder(out)
    begun = resume and (out / NAME).is_file()
    journal = Journal(out, None if begun else about, soft)
    try:
        _check_same(journal, json.loads(json.dumps(about)))
        yield journal
    except BaseException:
        if not journal.frames and all(path.name.startswith(NAME) for path in products(out)):
            journal.remove()
            if made:
                out.rmdir()
        raise
    finally:
        journal.close()


def _check_same(journal: Journal, about: Mapping[str, Any]) -> None:
    begun = {**ADDED, **journal.about}
    other = [key for key in about if begun.get(key) != about[key] and key not in FREE]
    if other:
        key = other[0]
        raise InputError(
            f"{journal.path.parent} holds a run of another {key} ({begun.get(key)}, now "
            f"{about[key]}); give what it began with, --overwrite, or another folder."
        )
