"""What a run has said so far, in a file beside its results.

Enough to go on after the process was killed at any moment, and to export a run again without
tracking: every frame's label map and objects, and now and then the state of the tracker. SQLite
keeps what was committed whole, whatever happens next, and one run away from another's folder.
"""

import errno
import json
import operator
import os
import re
import secrets
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.files import cannot_write, delete
from masktrail.masks.edges import RefinedSoft
from masktrail.results import NOT_KEPT, ObjectResult, Result, SoftMasks
from masktrail.run.identity import modern
from masktrail.run.lessons import Lessons
from masktrail.run.states import unpacked_state
from masktrail.tracking.soft import MAGIC, OpinionMasks, unpacked
from masktrail.types import Frame, LabelMap

NAME = "journal.sqlite"
"""Of the file, in the folder of the results."""

FORMAT = 3
"""Of the journal."""

READ = (1, 2, FORMAT)
"""Formats that can be read; 1 is that of version 0.1. Soft masks of both are `LargeSoft`."""

LATER = ("rotated", "centroid")
"""Of an object, what earlier versions did not tell."""

BESIDE = ("-wal", "-shm", "-journal")
"""Ends of the names of what SQLite lays beside its file."""

MALFORMED = (ValueError, TypeError, KeyError, AttributeError)
"""What comes of content that is not as it was written."""

_TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE frames (
    frame INTEGER PRIMARY KEY, kind TEXT, labels BLOB, objects TEXT, soft BLOB
);
CREATE TABLE state (only INTEGER PRIMARY KEY CHECK (only = 0), frame INTEGER, content BLOB);
"""


class OtherRun(InputError):
    """What is there cannot be gone on with: another run than was asked for, one that cannot be
    read, or no run."""


class Damaged(OtherRun):
    """A journal that cannot be read, or not to its end."""


class Journal:
    """The journal of one run, open; nobody else can open it meanwhile.

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
        if about is None and not self.path.is_file():
            raise OtherRun(f"{out} holds no {NAME}, so no run was begun there.")
        with self._explained():
            if about is not None:
                _create(self.path, {"format": FORMAT, "about": dict(about)})
            self._file = sqlite3.connect(
                self.path, timeout=1, isolation_level=None, check_same_thread=False
            )
        try:
            self.about: dict[str, Any] = self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> dict[str, Any]:
        with self._explained():
            self._file.execute("PRAGMA locking_mode = EXCLUSIVE")
            tables = {name for (name,) in self._file.execute("SELECT name FROM sqlite_master")}
            if tables and "about" not in tables:
                raise InputError(
                    f"{self.path} is a table of another program; move it away, or give another "
                    "folder."
                )
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = NORMAL")
            if self._stored("format") in READ:
                return modern(self._stored("about"))
        raise OtherRun(
            f"{self.path} was written by another version of MaskTrail; track again with "
            "overwrite=True, or into another folder."
        )

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return bool(self._stored("finished"))

    @property
    def frames(self) -> int:
        """Frames that were added."""
        return self._one("SELECT count(*) FROM frames")[0]

    @property
    def following(self) -> int:
        """Frame after the last one that was added; 0 where there is none."""
        last = self._one("SELECT max(frame) FROM frames")[0]
        return 0 if last is None else last + 1

    @property
    def products(self) -> list[str]:
        """Names of what the run makes, see `products`; none where it is of version 0.1."""
        return self._column("name", "products")

    @property
    def lessons(self) -> Lessons:
        """What was learned from prompted frames."""
        return Lessons(self._all, self._explained)

    def claim(self, names: Sequence[str]) -> None:
        """Writes down names of what the run makes, before it is made."""
        with self._explained():
            self._file.execute("BEGIN")
            self._file.execute("CREATE TABLE IF NOT EXISTS products (name TEXT PRIMARY KEY)")
            rows = [(name,) for name in names]
            self._file.executemany("INSERT OR IGNORE INTO products VALUES (?)", rows)
            self._file.execute("COMMIT")

    def disclaim(self, names: Sequence[str]) -> None:
        """Strikes out names of what was not made after all."""
        with self._explained():
            self._file.executemany("DELETE FROM products WHERE name = ?", [(n,) for n in names])

    def relocate(self, where: Mapping[str, Any]) -> None:
        """Writes down where the video lies now, see `video_location.describe`."""
        self.about |= where
        with self._explained():
            content = json.dumps(self.about)
            self._file.execute("UPDATE about SET value = ? WHERE key = 'about'", (content,))
            self._file.execute(
                "UPDATE about SET value = ? WHERE key = 'format'", (json.dumps(FORMAT),)
            )

    @property
    def numbers(self) -> list[int]:
        """Frames that were added, ascending."""
        with self._explained():
            rows = self._file.execute("SELECT frame FROM frames ORDER BY frame")
            return [frame for (frame,) in rows]

    @property
    def cuts(self) -> list[int]:
        """Frames after a cut, ascending; none where it is of an earlier version."""
        return sorted(self._column("frame", "cuts"))

    def _column(self, name: str, table: str) -> list[Any]:
        """Of a table that not all journals have."""
        if not self._one("SELECT 1 FROM sqlite_master WHERE name = ?", table):
            return []
        with self._explained():
            return [value for (value,) in self._file.execute(f"SELECT {name} FROM {table}")]

    def add(self, frame: Frame, result: Result) -> None:
        """Keeps what was said of a frame."""
        if frame.cut:
            self.add_cut(frame.index)
        objects = {i: _record(object_result) for i, object_result in result.objects.items()}
        kept = self._soft and result.soft is not NOT_KEPT
        soft = result.soft.packed() if kept else None
        row = (frame.index, result.labels.dtype.str, _packed(result.labels))
        with self._explained():
            self._file.execute(
                "INSERT OR REPLACE INTO frames VALUES (?, ?, ?, ?, ?)",
                (*row, json.dumps(objects), soft),
            )

    def add_cut(self, frame: int) -> None:
        """Keeps that a frame is the first after a cut."""
        with self._explained():
            self._file.execute("CREATE TABLE IF NOT EXISTS cuts (frame INTEGER PRIMARY KEY)")
            self._file.execute("INSERT OR IGNORE INTO cuts VALUES (?)", (frame,))

    def read(self, frame: Frame) -> Result:
        """What was said of a frame.

        Raises:
            Damaged: nothing can be read of it.
        """
        query = "SELECT kind, labels, objects, soft FROM frames WHERE frame = ?"
        row = self._one(query, frame.index)
        if row is None:
            raise self._damaged(f"it holds nothing of frame {frame.index}")
        kind, packed, text, soft = row
        with self._explained():
            objects = {int(i): _object(record) for i, record in json.loads(text).items()}
            labels = _labels(packed, kind, frame.image.shape[:2])
            return Result(labels, objects, self._soft_masks(soft, frame, labels, list(objects)))

    def _soft_masks(
        self, content: bytes | None, frame: Frame, labels: LabelMap, ids: list[int]
    ) -> SoftMasks:
        if content is None:
            return NOT_KEPT
        if not content.startswith(MAGIC):
            return LargeSoft(content, ids, labels.shape)
        soft = OpinionMasks(unpacked(content), labels)
        refined = self.about["identity"].get("edges") == "refined"
        return RefinedSoft(frame.image, soft) if refined else soft

    def objects(self) -> Iterator[tuple[int, dict[int, ObjectResult]]]:
        """Frames, ascending, and what was said of the objects in them."""
        with self._explained():
            rows = self._file.execute("SELECT frame, objects FROM frames ORDER BY frame")
            for frame, text in rows:
                yield frame, {int(i): _object(record) for i, record in json.loads(text).items()}

    def checkpoint(self, frame: int, state: bytes) -> None:
        """Keeps the state before a frame, as `packed_state` made it, instead of the one before."""
        with self._explained():
            self._file.execute("INSERT OR REPLACE INTO state VALUES (0, ?, ?)", (frame, state))

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
        with self._explained():
            self._file.execute("BEGIN")
            self._file.execute("DELETE FROM state")
            if learned:
                self._file.execute("DELETE FROM lessons")
            self._file.execute("INSERT OR REPLACE INTO about VALUES ('finished', 'true')")
            self._file.execute("COMMIT")

    def close(self) -> None:
        """Lets others open the journal."""
        self._file.close()

    def remove(self) -> None:
        """Closes the journal and leaves nothing of it."""
        self.close()
        for path in files_of(self.path.parent):
            delete(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _stored(self, key: str) -> Any:
        row = self._one("SELECT value FROM about WHERE key = ?", key)
        with self._explained():
            return json.loads(row[0]) if row else None

    def _one(self, query: str, *values: Any) -> Any:
        with self._explained():
            return self._file.execute(query, values).fetchone()

    def _all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._explained():
            return self._file.execute(query, values).fetchall()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turns what SQLite says into a sentence."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise busy(self.path.parent) from error
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # as a table that is not there
                raise self._damaged(error) from error
            full = error.sqlite_errorcode == sqlite3.SQLITE_FULL
            reason = OSError(errno.ENOSPC if full else errno.EIO, str(error))
            raise cannot_write(self.path, reason) from error
        except (sqlite3.DatabaseError, zlib.error, *MALFORMED) as error:
            if isinstance(error, InputError):  # which is a ValueError
                raise
            raise self._damaged(error) from error

    def _damaged(self, error: object) -> Damaged:
        return Damaged(
            f"{self.path} is damaged ({error}); track again with overwrite=True, or into "
            "another folder."
        )


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


def busy(folder: Path) -> InputError:
    """The sentence for a folder that somebody else is writing to."""
    return InputError(f"Another run is writing to {folder}; wait for it, or choose another folder.")


def files_of(folder: Path) -> list[Path]:
    """The journal of a folder and what SQLite lays beside it."""
    return [folder / f"{NAME}{end}" for end in (*BESIDE, "")]


def unborn(folder: Path) -> list[Path]:
    """What was left of journals whose process was killed before they had their name."""
    pattern = re.compile(re.escape(f".{NAME}.") + r"[0-9a-f]{8}\.part(-journal)?")
    return [path for path in folder.glob(f".{NAME}.*") if pattern.fullmatch(path.name)]


def _packed(labels: LabelMap) -> bytes:
    return zlib.compress(np.ascontiguousarray(labels).tobytes(), 1)


def _labels(packed: bytes, kind: str, shape: tuple[int, int]) -> LabelMap:
    return np.frombuffer(zlib.decompress(packed), kind).reshape(shape).copy()


def _record(result: ObjectResult) -> dict[str, Any]:
    """Plain values by name, as `_object` reads them."""
    record = asdict(result)
    return {name: value for name, value in record.items() if name not in LATER or value is not None}


def _object(record: Mapping[str, Any]) -> ObjectResult:
    box = None if record["box"] is None else tuple(record["box"])
    turned = record.get("rotated")
    rotated = None if turned is None else tuple((x, y) for x, y in turned)
    middle = None if record.get("centroid") is None else tuple(record["centroid"])
    places = {"box": box, "rotated": rotated, "centroid": middle}
    result = ObjectResult(**{**record, **places})
    numbers = (result.score, result.area, *chain(box or (), middle or (), *(rotated or ())))
    whole = all(isinstance(number, int | float) for number in numbers)
    sizes = len(box or ()) in (0, 4), len(rotated or ()) in (0, 4), len(middle or ()) in (0, 2)
    if not (whole and all(sizes)):
        raise ValueError(f"an object of {dict(record)}")
    return result


@dataclass(frozen=True, eq=False)
class LargeSoft(SoftMasks):
    """Soft masks as they were kept before: as large as the video, 16 bits a pixel, edges refined.

    Attributes:
        content: of the journal.
        ids: of the objects.
        shape: of the video, (H, W).
    """

    content: bytes
    ids: Sequence[int]
    shape: tuple[int, ...]

    def make(self) -> dict[int, NDArray[np.float32]]:
        """See `SoftMasks.make`."""
        steps = np.frombuffer(zlib.decompress(self.content), "<u2").reshape(-1, *self.shape)
        return dict(zip(sorted(self.ids), steps.astype(np.float32) / 65535, strict=True))

    def packed(self) -> bytes:
        """As they are."""
        return self.content
