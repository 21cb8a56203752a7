"""A journal read by others than the run that writes it: nothing is locked, changed or left behind.

A journal at rest is read without any lock, and once more if it changed meanwhile. Beside a log
(WAL) SQLite shows each reader what was written when it began, while the run goes on. What cannot
be read in place, as SQLite would have to mend it or share memory there, is read from a copy.
"""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeVar

from masktrail.errors import InputError
from masktrail.prompts.kinds import Mask, Prompt
from masktrail.run.identity import modern, prompts_from_json
from masktrail.run.journal import READ
from masktrail.run.lock import address, is_held
from masktrail.run.rows import Rows

T = TypeVar("T")

PATIENCE = 2.0
"""Seconds to wait for a journal that cannot be read just now."""

LONGEST_REST = 0.1
"""Seconds between two looks at a run that is being written, however long they take."""

LOG, MENDING = "-wal", "-journal"
"""Ends of the names of what may have to be read with a journal."""


class Snapshot(Rows):
    """A journal as it was at one moment.

    Args:
        path: of the journal, as it is to be called.
        file: where it is read.

    Attributes:
        shape: of the video, (H, W).

    Raises:
        Damaged: it cannot be read; other methods may see that later.
        InputError: it is of another program or version.
        sqlite3.OperationalError: not in this way, or not now; also from other methods.
    """

    def __init__(self, path: Path, file: sqlite3.Connection) -> None:
        self.path, self._file = path, file
        tables = {name for (name,) in self._all("SELECT name FROM sqlite_master")}
        if tables and "about" not in tables:
            raise InputError(f"{path} is a table of another program; expected the folder of a run.")
        version = self._stored("format")
        if version not in READ:
            raise InputError(
                f"{path} has format {version}; this version of MaskTrail reads "
                f"{', '.join(map(str, READ))}. Read it with the version that wrote it."
            )
        with self._explained():
            self.about = modern(self._stored("about"))
            width, height = self.about["identity"]["video"]["size"]
            self.shape: tuple[int, int] = (height, width)

    def prompts(self, mask_of: Callable[[int, int, str], Mask]) -> dict[int, dict[int, Prompt]]:
        """What was marked, see `identity.prompts_from_json`."""
        identity = self.about["identity"]
        with self._explained():
            return prompts_from_json(identity["prompts"], identity["start"], mask_of)

    def _all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._explained():
            return self._file.execute(query, values).fetchall()

    def _operational(self, error: sqlite3.OperationalError) -> Exception:
        return error


class _State(NamedTuple):
    """Number, size and time of the files of a journal, None of those that are not there."""

    journal: tuple[int, ...] | None
    log: tuple[int, ...] | None
    mending: tuple[int, ...] | None

    @classmethod
    def of(cls, path: Path) -> "_State":
        return cls(*(_stat(path.with_name(path.name + end)) for end in ("", LOG, MENDING)))

    @property
    def logged(self) -> bool:
        """Whether there is something in the log."""
        return self.log is not None and self.log[1] > 0

    @property
    def halfway(self) -> bool:
        """Whether a change of the journal itself is under way, or was when its process ended."""
        return self.mending is not None and self.mending[1] > 0


class _NotNow(Exception):
    """It is to be tried again."""


class Snapshots:
    """Moments of the journal of a run, as many as are asked for.

    Args:
        path: of the journal.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._copy: tuple[_State, TemporaryDirectory[str]] | None = None
        self._rests_until = 0.0

    def ask(self, question: Callable[[Snapshot], T]) -> T:
        """What is answered of the journal as it is now.

        Args:
            question: reads all that it needs before it returns; asked again where that failed.

        Raises:
            InputError: there is no journal, it is damaged, or cannot be read now.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            state = _State.of(self.path)
            if state.journal is None:
                raise InputError(
                    f"{self.path.parent} holds no run (no {self.path.name}); give the folder that "
                    "was out when a video was tracked."
                )
            try:
                with self._in_turn(state):
                    return self._answer(question, state)
            except _NotNow as error:
                if time.monotonic() > deadline:
                    raise InputError(
                        f"The run in {self.path.parent} is being written and cannot be read "
                        "meanwhile, as on some network drives; read it when it has ended."
                    ) from error
            time.sleep(0.01)

    def close(self) -> None:
        """Removes what was copied."""
        if self._copy is not None:
            self._copy[1].cleanup()
            self._copy = None

    @contextmanager
    def _in_turn(self, state: _State) -> Iterator[None]:
        """Beside a log, half of the time nothing is read: a run that ends needs a moment alone."""
        if state.logged:
            time.sleep(max(0.0, self._rests_until - time.monotonic()))
        begun = time.monotonic()
        try:
            yield
        finally:
            ended = time.monotonic()
            self._rests_until = ended + min(ended - begun, LONGEST_REST)

    def _answer(self, question: Callable[[Snapshot], T], state: _State) -> T:
        if state.halfway:
            return self._of_copy(question, state)
        how = "mode=ro&readonly_shm=1" if state.logged else "mode=ro&immutable=1"
        try:
            answer = self._at(self.path, how, question)
        except (InputError, sqlite3.OperationalError) as error:
            if self._has_changed(state):
                raise _NotNow from error
            if isinstance(error, InputError):
                raise
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise _NotNow from error
            if state.logged:
                return self._of_copy(question, state)
            raise self._unreadable(error) from error
        if self._has_changed(state):
            raise _NotNow
        return answer

    def _has_changed(self, state: _State) -> bool:
        """Whether what was read without a lock may have been half of it."""
        return not state.logged and _State.of(self.path) != state

    def _of_copy(self, question: Callable[[Snapshot], T], state: _State) -> T:
        """What is answered of a copy, if nobody writes: whoever opens files of the journal but by
        SQLite would drop the locks that his own process has on them."""
        if is_held(self.path):
            raise _NotNow
        if self._copy is None or self._copy[0] != state:
            self.close()
            folder = TemporaryDirectory(prefix="masktrail-")
            self._copy = (state, folder)
            try:
                for end in ("", LOG, MENDING):
                    source = self.path.with_name(self.path.name + end)
                    if source.exists():
                        shutil.copyfile(source, Path(folder.name) / source.name)
            except OSError as error:
                self.close()
                raise self._unreadable(error) from error
            if _State.of(self.path) != state:
                self.close()
                raise _NotNow
        try:
            return self._at(Path(self._copy[1].name) / self.path.name, "mode=rw", question)
        except sqlite3.OperationalError as error:
            raise self._unreadable(error) from error

    def _at(self, path: Path, how: str, question: Callable[[Snapshot], T]) -> T:
        where = address(path, how)
        with closing(sqlite3.connect(where, 0.1, isolation_level=None, uri=True)) as file:
            file.execute("BEGIN")
            return question(Snapshot(self.path, file))

    def _unreadable(self, error: object) -> InputError:
        return InputError(f"{self.path} could not be read: {error}.")


def _stat(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
