"""A journal's file, written by way of a log beside it (WAL): others read while it is written.

Where processes cannot share memory, as on some network drives, its writer holds it alone. At rest
there is no log: one file is the whole journal.
"""

import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

SETTLING = 2.0
"""Seconds that a run which has ended waits for those who are reading just then."""


def opened(path: Path, alone: bool = False) -> sqlite3.Connection:
    """A journal, opened by SQLite.

    Args:
        path: of the file.
        alone: for nobody else, so that no memory is shared with others; by itself where there is
            a log that cannot be read otherwise.
    """
    file = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
    try:
        if alone:
            file.execute("PRAGMA locking_mode = EXCLUSIVE")
        file.execute("SELECT 1 FROM sqlite_master").fetchall()
    except sqlite3.OperationalError as error:
        file.close()
        if alone or not _shares_nothing(error):
            raise
        return opened(path, alone=True)
    except BaseException:
        file.close()
        raise
    return file


def begin(file: sqlite3.Connection) -> bool:
    """Has a journal written to by way of a log (WAL), beside which it can be read; whether that is
    possible."""
    try:
        (mode,) = file.execute("PRAGMA journal_mode = WAL").fetchone()
        file.execute("PRAGMA synchronous = NORMAL")
        file.execute("SELECT 1 FROM sqlite_master").fetchall()
    except sqlite3.OperationalError as error:
        if _shares_nothing(error):
            return False
        raise
    return mode == "wal"


def close(file: sqlite3.Connection, path: Path) -> None:
    """Closes a journal, with all that was written in it and no log beside it, unless somebody keeps
    reading.

    Args:
        file: as `opened` gave it.
        path: of the file.
    """
    deadline, is_one_file = time.monotonic() + SETTLING, False
    with closing(file), suppress(sqlite3.DatabaseError):
        if file.in_transaction:
            file.execute("ROLLBACK")
        while _is_used(_log(path)) and not (is_one_file := _without_log(file)):
            if time.monotonic() > deadline:
                file.execute("PRAGMA wal_checkpoint").fetchall()  # the log stays, but is not needed
                break
            time.sleep(0.002)
    if is_one_file:  # who read just then may have made an empty log, which nobody writes to
        with suppress(OSError):
            _log(path).unlink()


def _shares_nothing(error: sqlite3.OperationalError) -> bool:
    """Whether that may be what a file system says which shares no memory between processes."""
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR)


def _without_log(file: sqlite3.Connection) -> bool:
    """Has what is in the log written to the journal, and the log removed, if nobody is reading;
    whether that was done.

    Raises:
        sqlite3.DatabaseError: it cannot be done.
    """
    try:
        return file.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return False
        raise


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _is_used(log: Path) -> bool:
    try:
        return log.stat().st_size > 0
    except OSError:
        return False
