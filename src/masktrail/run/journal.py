"""What a run has said so far, in a file beside its results.

Enough to go on after the process was killed at any moment, and to export a run again without
tracking: every frame's label map and objects, and now and then the state of the tracker. SQLite
keeps what was committed whole, whatever happens next. Its log beside the file (WAL) lets others
read while a run writes, see `reading`; another run is kept away by a lock of its own, see `lock`.
"""

import errno
import json
import operator
import os
import re
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np

from masktrail.errors import InputError
from masktrail.files import cannot_write, delete
from masktrail.prompts.kinds import Box, Mask, Points, Prompt
from masktrail.results import NOT_KEPT, Result
from masktrail.run import write_ahead
from masktrail.run.identity import mask_hash, modern
from masktrail.run.lessons import Lessons
from masktrail.run.lock import Lock
from masktrail.run.rows import MALFORMED, OtherRun, Rows, packed_mask, row_of
from masktrail.run.states import unpacked_state
from masktrail.types import Frame

NAME = "journal.sqlite"
"""Of the file, in the folder of the results."""

FORMAT = 3
"""Of the journal."""

READ = (1, 2, FORMAT)
"""Formats that can be read; 1 is that of version 0.1. Soft masks of both are `LargeSoft`."""

BESIDE = ("-wal", "-shm", "-journal")
"""Ends of the names of what SQLite lays beside its file."""

_TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE frames (
    frame INTEGER PRIMARY KEY, kind TEXT, labels BLOB, objects TEXT, soft BLOB
);
CREATE TABLE state (only INTEGER PRIMARY KEY CHECK (only = 0), frame INTEGER, content BLOB);
"""

_LATER = """
CREATE TABLE IF NOT EXISTS products (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS times (frame INTEGER PRIMARY KEY, time REAL);
CREATE TABLE IF NOT EXISTS given (
    hash TEXT PRIMARY KEY, height INTEGER, width INTEGER, mask BLOB
);
"""
"""Tables that journals of the same format lack where an earlier version began them."""


class Journal(Rows):
    """The journal of one run, open; no other run can open it meanwhile, but it can be read.

    Frames can be added on one thread while another one reads.

    Args:
        out: folder of the results.
        about: what the run is of; empty to open a journal that is there.
        soft: keep soft masks too, a byte a pixel at working size.

    Attributes:
        about: as it was given when the journal was begun, see `identity.modern`.

    Raises:
        Damaged: it cannot be read; other methods may see that later.
        OtherRun: there is none, or one of another version.
        InputError: it is of another program, another run is writing it, or the disk is full.
    """

    def __init__(
        self, out: Path, about: Mapping[str, Any] | None = None, soft: bool = False
    ) -> None:
        self.path, self._soft = Path(out) / NAME, soft
        self._file: sqlite3.Connection | None = None
        self._turn = threading.RLock()
        if about is None and not self.path.is_file():
            raise _no_run(out)
        try:
            with self._explained():
                self._lock = Lock(self.path)
        except BlockingIOError:
            raise busy(self.path.parent) from None
        try:
            with self._explained():
                if about is not None:
                    _create(self.path, {"format": FORMAT, "about": dict(about)})
                elif not self.path.is_file():  # it was removed meanwhile
                    raise _no_run(out)
                self._file = write_ahead.opened(self.path)
            self.about = self._open()
            if about is not None:
                self._begin()
        except BaseException:
            self.close()
            raise

    def _open(self) -> dict[str, Any]:
        with self._explained():
            tables = {name for (name,) in self._all("SELECT name FROM sqlite_master")}
            if tables and "about" not in tables:
                raise InputError(
                    f"{self.path} is a table of another program; move it away, or give another "
                    "folder."
                )
            if self._stored("format") in READ:
                return modern(self._stored("about"))
        raise OtherRun(
            f"{self.path} was written by another version of MaskTrail; track again with "
            "overwrite=True, or into another folder."
        )

    def _begin(self) -> None:
        """Makes ready for writing, so that others can read what is written."""
        with self._explained():
            if not write_ahead.begin(self._open_file):  # the drive of a network, perhaps
                self._open_file.close()
                self._file = write_ahead.opened(self.path, alone=True)
                write_ahead.begin(self._file)
            self._open_file.executescript(_LATER)

    @property
    def lessons(self) -> Lessons:
        """What was learned from prompted frames."""
        return Lessons(self._all, self._explained)

    def claim(self, names: Sequence[str]) -> None:
        """Writes down names of what the run makes, before it is made."""
        self._begin()
        with self._together() as file:
            file.executemany("INSERT OR IGNORE INTO products VALUES (?)", [(n,) for n in names])

    def disclaim(self, names: Sequence[str]) -> None:
        """Strikes out names of what was not made after all."""
        with self._together() as file:
            file.executemany("DELETE FROM products WHERE name = ?", [(n,) for n in names])

    def relocate(self, where: Mapping[str, Any]) -> None:
        """Writes down where the video lies now, see `video_location.describe`."""
        before, self.about = self.about, self.about | dict(where)
        if self.about == before and self._stored("format") == FORMAT:
            return
        self._begin()
        rows = [(json.dumps(self.about), "about"), (json.dumps(FORMAT), "format")]
        with self._together() as file:
            file.executemany("UPDATE about SET value = ? WHERE key = ?", rows)

    def keep_masks(self, prompts: Mapping[int, Mapping[int, Prompt]]) -> None:
        """Keeps the masks among prompts, of which their identity tells the hashes alone.

        Args:
            prompts: by frame and object id, checked.
        """
        given = [prompt for objects in prompts.values() for prompt in objects.values()]
        masks = [p.mask if isinstance(p, Points) else p for p in given if not isinstance(p, Box)]
        rows = [_given(mask) for mask in masks if mask is not None]
        with self._together() as file:
            file.executemany("INSERT OR IGNORE INTO given VALUES (?, ?, ?, ?)", rows)

    def add(self, frame: Frame, result: Result) -> None:
        """Keeps what was said of a frame."""
        if frame.cut:
            self.add_cut(frame.index)
        kept = self._soft and result.soft is not NOT_KEPT
        soft = result.soft.packed() if kept else None
        row = (frame.index, *row_of(result), soft)
        with self._together() as file:
            file.execute("INSERT OR REPLACE INTO frames VALUES (?, ?, ?, ?, ?)", row)
            file.execute("INSERT OR REPLACE INTO times VALUES (?, ?)", (frame.index, frame.time))

    def add_cut(self, frame: int) -> None:
        """Keeps that a frame is the first after a cut."""
        with self._explained():
            self._all("CREATE TABLE IF NOT EXISTS cuts (frame INTEGER PRIMARY KEY)")
            self._all("INSERT OR IGNORE INTO cuts VALUES (?)", frame)

    def read(self, frame: Frame) -> Result:
        """What was said of a frame.

        Raises:
            Damaged: nothing can be read of it.
        """
        height, width, _ = frame.image.shape
        result = self.result(frame.index, (height, width), frame.image)
        if result is None:
            raise self._damaged(f"it holds nothing of frame {frame.index}")
        return result

    def checkpoint(self, frame: int, state: bytes) -> None:
        """Keeps the state before a frame, as `packed_state` made it, instead of the one before."""
        self._all("INSERT OR REPLACE INTO state VALUES (0, ?, ?)", frame, state)

    def state(self) -> tuple[int, dict[str, Any]] | None:
        """The frame a state was kept before, and the state; None where none was."""
        row = self._one("SELECT frame, content FROM state")
        if row is None:
            return None
        try:
            return operator.index(row[0]), unpacked_state(row[1], self.lessons)
        except ImportError as error:
            raise OtherRun(
                "This run is of version 0.1, whose state only torch reads; pip install "
                "'masktrail[torch]', or track it anew with overwrite=True."
            ) from error
        except MALFORMED as error:
            raise self._damaged(error) from error

    def standing(self) -> tuple[tuple[int, dict[str, Any]] | None, int]:
        """What `state` gives, and the frame after the last one that was added."""
        return self.state(), self.following

    def finish(self) -> None:
        """Says that the run came to its end; its state, and what it learned, are not needed any
        more."""
        learned = bool(self.lessons)
        with self._together() as file:
            file.execute("DELETE FROM state")
            if learned:
                file.execute("DELETE FROM lessons")
            file.execute("INSERT OR REPLACE INTO about VALUES ('finished', 'true')")

    def close(self) -> None:
        """Lets others open the journal."""
        file, self._file = self._file, None
        try:
            if file is not None:
                write_ahead.close(file, self.path)
        finally:
            self._lock.release()

    def remove(self) -> None:
        """Closes the journal and leaves nothing of it."""
        file, self._file = self._file, None
        try:
            if file is not None:
                file.close()
            for path in files_of(self.path.parent):
                delete(path)
        finally:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _open_file(self) -> sqlite3.Connection:
        if self._file is None:
            raise ValueError(f"The journal {self.path} is closed.")
        return self._file

    def _all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._explained(), self._turn:
            return self._open_file.execute(query, values).fetchall()

    @contextmanager
    def _together(self) -> Iterator[sqlite3.Connection]:
        """Whatever is executed within is kept as one, or not at all."""
        with self._explained(), self._turn:
            file = self._open_file
            file.execute("BEGIN")
            try:
                yield file
                file.execute("COMMIT")
            except BaseException:
                if file.in_transaction:  # a full disk has ended it already
                    file.execute("ROLLBACK")
                raise

    def _operational(self, error: sqlite3.OperationalError) -> Exception:
        if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return busy(self.path.parent)
        full = error.sqlite_errorcode == sqlite3.SQLITE_FULL
        return cannot_write(self.path, OSError(errno.ENOSPC if full else errno.EIO, str(error)))


def _create(path: Path, values: Mapping[str, Any]) -> None:
    """An empty journal, complete from the moment it has its name, which nobody else has taken."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with closing(sqlite3.connect(part)) as file:
            file.executescript(_TABLES)
            rows = [(key, json.dumps(value)) for key, value in values.items()]
            file.executemany("INSERT INTO about VALUES (?, ?)", rows)
            file.commit()
        if not path.exists():  # what lies beside is of one that has gone
            for end in BESIDE:
                path.with_name(f"{NAME}{end}").unlink(missing_ok=True)
        _take_name(part, path)
    except sqlite3.OperationalError:
        if path.exists():  # who was quicker has cleared up
            raise busy(path.parent) from None
        raise
    finally:
        for temporary in (part, part.with_name(f"{part.name}-journal")):
            temporary.unlink(missing_ok=True)


def _take_name(part: Path, path: Path) -> None:
    try:
        os.link(part, path)
    except (FileExistsError, FileNotFoundError):
        raise busy(path.parent) from None
    except OSError:  # a disk without links
        part.replace(path)


def _no_run(folder: Path) -> OtherRun:
    return OtherRun(f"{folder} holds no {NAME}, so no run was begun there.")


def busy(folder: Path) -> InputError:
    """The sentence for a folder that somebody else is writing to."""
    return InputError(f"Another run is writing to {folder}; wait for it, or choose another folder.")


def files_of(folder: Path) -> list[Path]:
    """The journal of a folder and what SQLite lays beside it; not the lock, see `lock`."""
    return [folder / f"{NAME}{end}" for end in (*BESIDE, "")]


def unborn(folder: Path) -> list[Path]:
    """What was left of journals whose process was killed before they had their name."""
    pattern = re.compile(re.escape(f".{NAME}.") + r"[0-9a-f]{8}\.part(-journal)?")
    return [path for path in folder.glob(f".{NAME}.*") if pattern.fullmatch(path.name)]


def _given(mask: Mask) -> tuple[str, int, int, bytes]:
    """A mask that was a prompt as a row of `given`."""
    array = np.asarray(mask.mask)
    marked = array > 0.5 if array.dtype.kind == "f" else array != 0
    return mask_hash(array), *marked.shape, packed_mask(marked)
