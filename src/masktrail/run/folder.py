"""The folder of a run: whose it is, what may go on in it, what may be replaced or removed.

Nothing else resumes, replaces or removes runs. What a run makes is written down, in its journal,
before it is made, and nothing is touched that was not.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masktrail.errors import InputError
from masktrail.export import WRITERS
from masktrail.files import delete, make_folder, part_of, remove_empty, write_json
from masktrail.run import products
from masktrail.run.identity import difference, is_another
from masktrail.run.journal import NAME, Journal, busy, files_of, unborn
from masktrail.run.rows import OtherRun

RECORD = "run.json"
"""Of the file that says what a run did."""

KNOWN = frozenset(products.names_of(WRITERS.values()))
"""Names of all that runs make: no file of another name is ever removed, whatever a record says."""

NOTHING = range(0)


@dataclass(frozen=True)
class Left:
    """What a run left: names of products, and the frames that there may be files of; None: any."""

    names: Sequence[str] = ()
    frames: range | None = NOTHING


class RunFolder:
    """A folder for one run.

    Args:
        path: of the folder; it need not be there.
        names: of what the run that is asked for makes, see `products`.

    Raises:
        InputError: its name is empty.
    """

    def __init__(self, path: str | Path, names: Sequence[str] = ()) -> None:
        if path == "":
            raise InputError("The folder for the results has no name; write one, as out.")
        self.path, self._names = Path(path), list(names)

    @property
    def holds_journal(self) -> bool:
        """Whether a run was begun that may be gone on with."""
        return (self.path / NAME).is_file()

    @property
    def begun(self) -> bool:
        """Whether there is a run, of any kind, in any state."""
        return self.holds_journal or self._record() is not None

    @property
    def model(self) -> str | None:
        """The model as `run.json` names it, if a run wrote that."""
        record = self._record()
        return None if record is None else str(record["model"]) if "model" in record else None

    def check(self, resume: bool, overwrite: bool) -> None:
        """Refuses, before anything is loaded, what cannot be done whatever the run is.

        Args:
            resume: a run that is there may be gone on with.
            overwrite: it may be replaced; where both are allowed, only if it is another one.

        Raises:
            OtherRun: what is there cannot be resumed, or is no run but would be replaced.
            InputError: a run is there and nothing says what is to become of it, or it is of a
                camera or a pipe and cannot be resumed.
        """
        if not self.begun:
            return self.check_free()
        if not resume and not overwrite:
            raise InputError(
                f"{self.path} holds a run already ({NAME if self.holds_journal else RECORD}); give "
                "resume=True to go on with it, overwrite=True to replace it, or another folder."
            )
        if not overwrite and not self.holds_journal:
            raise OtherRun(
                f"{self.path} holds {RECORD} but no {NAME} to resume from; give overwrite=True "
                "to replace it, or another folder."
            )
        if resume and self.holds_journal:
            self._check_repeatable()

    def finished(self, identity: Mapping[str, Any]) -> dict[str, Any] | None:
        """The record of a run that is the one asked for, finished, with all that it is to make.

        On whatever device, by whatever engine and in whatever precision it was made.
        """
        record = self._record()
        if record is None or not self.holds_journal:
            return None
        try:
            with Journal(self.path) as journal:
                same = not is_another(journal.about["identity"], identity)
                whole = same and journal.finished and self._whole(journal)
        except OtherRun:
            return None
        return record if whole else None

    def identity(self) -> dict[str, Any]:
        """What the run that is there is of; nothing where none tells it."""
        try:
            with Journal(self.path) as journal:
                identity: dict[str, Any] = journal.about["identity"]
                return identity
        except InputError:
            return {}

    @contextmanager
    def run(
        self, about: Mapping[str, Any], resume: bool, overwrite: bool, soft: bool
    ) -> Iterator[Journal]:
        """The journal of a run that begins, or of the one that goes on.

        Nothing is left of a run that fails before anything of it is written.

        Args:
            about: what the run is of: its "identity", whether its source is "repeatable", and where
                that is, see `video_location.describe`.
            resume: see `check`.
            overwrite: see `check`.
            soft: keep soft masks too.

        Raises:
            OtherRun: the folder's run is another one, or cannot be read, and must not be replaced;
                something else has the name of what is to be made.
            InputError: see `check`, and what `Journal` raises.
        """
        self.check(resume, overwrite)
        created = not self.path.exists()
        make_folder(self.path)
        journal = self._taken_up(about, soft, overwrite) if resume and self.holds_journal else None
        if journal is None:
            if not overwrite:
                self.check(False, False)  # somebody may have been quicker
            self._replace(check=True, journal=overwrite)
            journal = Journal(self.path, about, soft)
            for path in unborn(self.path):
                delete(path)
        try:
            with self.claimed(journal):
                yield journal
        except BaseException:
            if not journal.frames and not any(products.existing(self.path, self._names)):
                journal.remove()
                if created:
                    remove_empty(self.path)
            raise
        finally:
            journal.close()

    @contextmanager
    def claimed(self, journal: Journal, overwrite: bool = False) -> Iterator[None]:
        """Writes down, before it is made, that the run makes what is asked for.

        What was not made after all is struck out again.

        Args:
            journal: of the run.
            overwrite: even if something else has such a name.

        Raises:
            OtherRun: something else has.
        """
        outputs = self._left_by(journal)
        if not overwrite:
            self.check_free(Left(outputs.names, None))
        journal.claim([*outputs.names, *self._names])
        try:
            yield
        except BaseException:
            added = [name for name in self._names if name not in outputs.names]
            with suppress(InputError):  # the first error is what matters
                journal.disclaim([n for n in added if not any(products.existing(self.path, [n]))])
            raise
        if (record := self._record()) is not None:
            self.record(journal, record)

    def check_free(
        self, outputs: Left = Left(), hint: str = "move it away, or give another folder"
    ) -> None:
        """Refuses to replace what is not of the run.

        Args:
            outputs: what is.
            hint: what to do.

        Raises:
            OtherRun: something else has the name of what is asked for.
        """
        repeated = [name for name in self._names if name in outputs.names]
        ours = set(products.existing(self.path, repeated, outputs.frames))
        strange = [path for path in products.existing(self.path, self._names) if path not in ours]
        if os.path.lexists(self.path / RECORD) and self._record() is None:
            strange.insert(0, self.path / RECORD)
        if strange:
            raise OtherRun(
                f"{strange[0]} is there already, and nothing tells that a run made it; {hint}."
            )

    def record(self, journal: Journal, content: Mapping[str, Any]) -> None:
        """Says what the run did, what it made, and up to which frame."""
        extra = {"products": journal.products, "until": journal.following}
        write_json(self.path / RECORD, {**content, **extra})

    def remove(self) -> None:
        """Removes the run; whatever else is in the folder stays.

        Raises:
            InputError: another run is writing there, or something cannot be removed.
        """
        self._replace(check=False, journal=True)

    def drop(self) -> None:
        """Removes the run as far as that can be done, and the folder if nothing else is in it."""
        with suppress(InputError):
            self.remove()
            remove_empty(self.path)

    def _replace(self, check: bool, journal: bool) -> None:
        """Removes what a run left; others cannot open its journal until that has gone.

        Args:
            check: refuse first if something else has the name of what is asked for.
            journal: whether there may be one; else it is of somebody who was quicker.
        """
        there = self.holds_journal
        if there and not journal:
            raise busy(self.path)
        with self._held() as (held, outputs):
            if check:
                self.check_free(outputs)
            products.remove(self.path, outputs.names, outputs.frames)
            delete(part_of(self.path / RECORD))
            if self._record() is not None:
                delete(self.path / RECORD)
            if there and held is not None:  # not one that somebody else has begun meanwhile
                held.remove()
        if there and held is None:
            for path in files_of(self.path):
                delete(path)

    @contextmanager
    def _held(self) -> Iterator[tuple[Journal | None, Left]]:
        """The journal that is there, if it can be read, and what its run left, by that or else by
        its record."""
        try:
            journal = Journal(self.path)
        except OtherRun:
            yield None, _recorded(self._record())
            return
        with journal:
            yield journal, self._left_by(journal)

    def _left_by(self, journal: Journal) -> Left:
        start, following = journal.about["identity"]["start"], journal.following
        written = following if journal.finished else max(start, following) + 1
        names = journal.products
        if not names:  # of version 0.1
            names = [*_exported(journal.about.get("export")), *_recorded(self._record()).names]
        return Left([n for n in dict.fromkeys(names) if n in KNOWN], range(start, written))

    def _taken_up(self, about: Mapping[str, Any], soft: bool, overwrite: bool) -> Journal | None:
        """The journal of the run that is there; None where it is another one, to be replaced."""
        try:
            journal = Journal(self.path, soft=soft)
            try:
                self._check_same(journal, about["identity"])
                journal.relocate({key: v for key, v in about.items() if key != "identity"})
            except BaseException:
                journal.close()
                raise
        except OtherRun:
            if overwrite:
                return None
            raise
        return journal

    def _check_same(self, journal: Journal, requested: Mapping[str, Any]) -> None:
        recorded = journal.about["identity"]
        key = difference(recorded, requested)
        if key is None:
            return
        values = "" if key == "video" else f" ({recorded[key]}, now {requested[key]})"
        raise OtherRun(
            f"{self.path} holds a run of another {key}{values}; give what it began with, "
            "overwrite=True, or another folder."
        )

    def _check_repeatable(self) -> None:
        try:
            with Journal(self.path) as journal:
                about = journal.about
        except OtherRun:
            return
        if not about["repeatable"]:
            raise InputError(
                f"The run in {self.path} is of a camera or a pipe ({about['source']}), and what "
                "that showed cannot be seen again; give overwrite=True to replace the run, or "
                "another folder."
            )

    def _whole(self, journal: Journal) -> bool:
        """Whether everything that is asked for is there."""
        if not set(self._names) <= set(self._left_by(journal).names):
            return False
        numbers = set(journal.numbers)
        return all(self._is_made(name, numbers) for name in self._names)

    def _is_made(self, name: str, numbers: set[int]) -> bool:
        files = [path for path in products.existing(self.path, [name]) if path.is_file()]
        if "{id}" in name or "{frame}" not in name:
            return bool(files) and all(path.stat().st_size for path in files)
        return numbers <= {products.frame_of(path) for path in files}

    def _record(self) -> dict[str, Any] | None:
        """What `run.json` tells, if a run wrote it."""
        try:
            record = json.loads((self.path / RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        ours = isinstance(record, dict) and "weights_sha256" in record
        return record if ours and isinstance(record.get("arguments"), dict) else None


def _recorded(record: Mapping[str, Any] | None) -> Left:
    """What a run left, as `run.json` tells it."""
    if record is None:
        return Left()
    arguments = record["arguments"]
    start, frames = arguments.get("start"), record.get("frames")
    until = record.get("until", start + frames if isinstance(start, int) and frames else None)
    if not isinstance(start, int) or not isinstance(until, int):
        return Left()
    listed = record.get("products")
    names = listed if isinstance(listed, list) else _exported(arguments.get("export"))
    return Left([name for name in names if name in KNOWN], range(start, until))


def _exported(export: object) -> list[str]:
    names = [name.strip().lower() for name in export.split(",")] if isinstance(export, str) else []
    return products.names_of(WRITERS[name] for name in names if name in WRITERS)
