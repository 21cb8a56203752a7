"""The folder of a run: whose it is, what may go on in it, what may be replaced or removed.

Nothing else resumes, replaces or removes runs. What a run makes is written down, in its journal,
before it is made, and nothing is touched that was not.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from masktrail.errors import InputError
from masktrail.export import WRITERS
from masktrail.files import delete, make_folder, part_of, remove_empty, write_json
from masktrail.run import products
from masktrail.run.identity import difference, modern
from masktrail.run.journal import NAME, Journal, OtherRun

RECORD = "run.json"
"""Of the file that says what a run did."""

AHEAD = 8
"""Frames behind the last one in the journal of which there may be files: more than wait to be
written."""


class RunFolder:
    """A folder for one run.

    Args:
        path: of the folder; it need not be there.
        names: of what the run that is asked for makes, see `products`.
    """

    def __init__(self, path: str | Path, names: Sequence[str] = ()) -> None:
        self.path, self._names = Path(path), list(names)

    @property
    def begun(self) -> bool:
        """Whether there is a run, of any kind, in any state."""
        return self._has(NAME) or self._has(RECORD)

    def check(self, resume: bool, overwrite: bool) -> None:
        """Refuses, before anything is loaded, what cannot be done whatever the run is.

        Args:
            resume: a run that is there may be gone on with.
            overwrite: it may be replaced; where both are allowed, only if it is another one.

        Raises:
            OtherRun: what is there cannot be resumed, or is no run but would be replaced.
            InputError: a run is there and nothing says what is to become of it.
        """
        if not self.begun:
            return self.check_free()
        if not resume and not overwrite:
            raise InputError(
                f"{self.path} holds a run already ({NAME if self._has(NAME) else RECORD}); give "
                "--resume to go on with it, --overwrite to replace it, or another folder."
            )
        if not overwrite and not self._has(NAME):
            raise OtherRun(
                f"{self.path} holds {RECORD} but no {NAME} to resume from; give --overwrite to "
                "replace it, or another folder."
            )

    def finished(self, identity: Mapping[str, Any]) -> dict[str, Any] | None:
        """The record of a run that is the one asked for, finished, with all that it is to make."""
        record = self._record()
        if record is None or not self._has(NAME):
            return None
        try:
            with Journal(self.path) as journal:
                same = difference(modern(journal.about)["identity"], identity) is None
                claimed = set(self._names) <= set(_claimed(journal))
                whole = same and journal.finished and claimed and self._whole(journal.frames)
        except OtherRun:
            return None
        return record if whole else None

    @contextmanager
    def run(
        self, about: Mapping[str, Any], resume: bool, overwrite: bool, soft: bool
    ) -> Iterator[Journal]:
        """The journal of a run that begins, or of the one that goes on; `check` comes before it.

        Nothing is left of a run that fails before anything of it is written.

        Args:
            about: what the run is of: its "identity", whether its source is "repeatable", and where
                that is, see `whereabouts.told`.
            resume: see `check`.
            overwrite: see `check`.
            soft: keep soft masks too.

        Raises:
            OtherRun: the folder's run is another one, or cannot be read, and must not be replaced;
                something else has the name of what is to be made.
            InputError: it cannot be resumed because its source cannot be seen again; what `Journal`
                raises.
        """
        self.check(resume, overwrite)
        made = not self.path.exists()
        make_folder(self.path)
        journal = self._taken_up(about, soft, overwrite) if resume and self._has(NAME) else None
        if journal is None:
            self.remove()
            self.check_free()
            journal = Journal(self.path, about, soft)
        try:
            self.claim(journal)
            yield journal
        except BaseException:
            if not journal.frames and not any(products.found(self.path, self._names)):
                journal.remove()
                if made:
                    remove_empty(self.path)
            raise
        finally:
            journal.close()

    def claim(self, journal: Journal, overwrite: bool = False) -> None:
        """Writes down that the run makes what is asked for.

        Args:
            journal: of the run.
            overwrite: even if something else has such a name.

        Raises:
            OtherRun: something else has.
        """
        claimed = _claimed(journal)
        if not overwrite:
            self.check_free(claimed)
        journal.claim([*claimed, *self._names])

    def check_free(self, claimed: Sequence[str] = ()) -> None:
        """Refuses to replace what is not of the run.

        Args:
            claimed: names of what is.

        Raises:
            OtherRun: something else has the name of what is asked for.
        """
        strange = [name for name in self._names if name not in claimed]
        for path in products.found(self.path, strange):
            raise OtherRun(
                f"{path} is there already, and this run did not make it; move it away, or give "
                "another folder."
            )

    def record(self, journal: Journal, content: Mapping[str, Any]) -> None:
        """Says what the run did, and what it made."""
        write_json(self.path / RECORD, {**content, "products": journal.products})

    def remove(self) -> None:
        """Removes the run; whatever else is in the folder stays.

        Raises:
            InputError: another run is writing there, or something cannot be removed.
        """
        try:
            with Journal(self.path) as journal:
                start = modern(journal.about)["identity"]["start"]
                frames = range(start, max(start, journal.following) + AHEAD)
                products.remove(self.path, _claimed(journal), frames)
        except OtherRun:
            products.remove(self.path, _recorded(self._record()), None)
        for path in (part_of(self.path / RECORD), self.path / RECORD, *self.path.glob(f"{NAME}*")):
            delete(path)

    def drop(self) -> None:
        """Removes the run as far as that can be done, and the folder if nothing else is in it."""
        with suppress(InputError):
            self.remove()
            remove_empty(self.path)

    def _taken_up(self, about: Mapping[str, Any], soft: bool, overwrite: bool) -> Journal | None:
        """The journal of the run that is there; None where it is another one, to be replaced."""
        try:
            journal = Journal(self.path, soft=soft)
            try:
                self._check_same(journal, about)
            except BaseException:
                journal.close()
                raise
        except OtherRun:
            if overwrite:
                return None
            raise
        return journal

    def _check_same(self, journal: Journal, about: Mapping[str, Any]) -> None:
        known, asked = modern(journal.about)["identity"], about["identity"]
        key = difference(known, asked)
        if key is not None:
            raise OtherRun(
                f"{self.path} holds a run of another {key} ({known[key]}, now {asked[key]}); give "
                "what it began with, --overwrite, or another folder."
            )
        if not about["repeatable"]:
            raise InputError(
                f"The run in {self.path} is of a camera or a pipe ({about['source']}), and what "
                "that showed cannot be seen again; give --overwrite to replace the run, or another "
                "folder."
            )

    def _whole(self, frames: int) -> bool:
        """Whether everything that is asked for is there."""
        counts = {name: len(list(products.found(self.path, [name]))) for name in self._names}
        return all(
            count >= (frames if "{frame}" in name and "{id}" not in name else 1)
            for name, count in counts.items()
        )

    def _record(self) -> dict[str, Any] | None:
        try:
            record = json.loads((self.path / RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return record if isinstance(record, dict) else None

    def _has(self, name: str) -> bool:
        return (self.path / name).is_file()


def _claimed(journal: Journal) -> list[str]:
    """Names of what a run makes; of one of version 0.1 those of its exports."""
    return journal.products or _exported(modern(journal.about).get("export"))


def _recorded(record: Mapping[str, Any] | None) -> list[str]:
    """The same, as `run.json` tells it."""
    if record is None:
        return []
    return record.get("products") or _exported(record.get("arguments", {}).get("export"))


def _exported(export: str | None) -> list[str]:
    asked = [name.strip().lower() for name in (export or "").split(",")]
    return products.names_of(WRITERS[name] for name in asked if name in WRITERS)
