"""One writer a journal: a lock that ends with its process and that no reader minds.

It is SQLite's own lock on an empty file beside the journal, so that it is as good on every system
as what the journal itself relies on. The file is there while somebody writes, and after a process
was killed. Only who holds it may remove it, and whoever waited for one that was removed meanwhile
sees that and begins again: two never hold the lock of one folder.
"""

import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from random import SystemRandom
from typing import NamedTuple
from urllib.parse import quote

END = "-lock"
"""Of the file's name, behind that of the journal."""

PATIENCE = 1.0
"""Seconds that somebody who is quick may hold it before the lock counts as taken."""


START_OF_MARKS, END_OF_MARKS = (seconds * 10**9 for seconds in (631152000, 1577836800))
"""Times that no file is made at nowadays: 1990 to 2019, in nanoseconds."""

MARKS = SystemRandom()

TRIES = 20
"""To mark a file, on drives that keep no times in vain."""


class _Identity(NamedTuple):
    """Of a file: drive, number, time of its last change."""

    drive: int
    number: int
    time: int


class Lock:
    """The lock of a journal, held until it is released or the process ends.

    Args:
        journal: path of the journal; it need not be there, its folder must be.

    Raises:
        BlockingIOError: somebody else has it.
        sqlite3.OperationalError: the folder cannot be written.
    """

    def __init__(self, journal: Path) -> None:
        self._path = _beside(journal)
        self._file: sqlite3.Connection | None = _taken(self._path)

    def release(self) -> None:
        """Lets others have it, and leaves nothing of it; once more does nothing."""
        file, self._file = self._file, None
        if file is None:
            return
        with suppress(OSError):  # Windows removes no open file
            self._path.unlink()
        file.close()
        if os.name == "nt":
            with suppress(OSError):  # somebody else has it open by now
                self._path.unlink()


def is_held(journal: Path) -> bool:
    """Whether somebody writes a journal, in this process or another one; leaves no trace."""
    path = _beside(journal)
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(address(path, "mode=ro"), uri=True, timeout=0)) as file:
            file.execute("SELECT 1 FROM sqlite_master").fetchall()
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode == sqlite3.SQLITE_BUSY
    return False


def address(path: Path, how: str) -> str:
    """A file as a URI for SQLite.

    Args:
        path: of the file.
        how: parameters, as "mode=ro".
    """
    place = quote(os.fsencode(path.absolute().as_posix()))
    return f"file://{'' if place.startswith('/') else '/'}{place}?{how}"


def _beside(journal: Path) -> Path:
    return journal.with_name(f"{journal.name}{END}")


def _taken(path: Path) -> sqlite3.Connection:
    """The file, locked; it is opened by SQLite alone: whoever closes a file drops all locks that
    his process has on it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        before = _marked(path)
        file = sqlite3.connect(path, PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            file.execute("PRAGMA journal_mode = MEMORY")  # nothing more beside it
            file.execute("BEGIN EXCLUSIVE")
            if before is not None and before == _identity(path):
                return file  # it had this name all the time
        except sqlite3.OperationalError as error:
            file.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise BlockingIOError(str(path)) from error
            raise
        file.close()  # it was made just now, or is one that has been removed
        if time.monotonic() > deadline:
            raise BlockingIOError(str(path))


def _marked(path: Path) -> _Identity | None:
    """What tells the file from all others that had its name: a time of its own in the past, as a
    system gives numbers of removed files again at once. None where there is no file."""
    for _ in range(TRIES):
        found = _identity(path)
        if found is None or found.time < END_OF_MARKS:
            return found
        mark = MARKS.randrange(START_OF_MARKS, END_OF_MARKS)
        try:
            os.utime(path, ns=(mark, mark))
        except FileNotFoundError:
            continue
        except OSError:  # of another user, or on a drive that keeps no times
            break
    return _identity(path)


def _identity(path: Path) -> _Identity | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Identity(found.st_dev, found.st_ino, found.st_mtime_ns)
