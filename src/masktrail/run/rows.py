"""What the rows of a journal mean: shared by the run that writes them and by all who read."""

import json
import sqlite3
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.masks.edges import RefinedSoft
from masktrail.results import NOT_KEPT, ObjectResult, Result, SoftMasks
from masktrail.tracking.soft import MAGIC, OpinionMasks, unpacked
from masktrail.types import Image, LabelMap

MALFORMED = (ValueError, TypeError, KeyError, AttributeError)
"""What comes of content that is not as it was written."""


LATER = ("rotated", "centroid")
"""Of an object, what earlier versions did not tell."""


class OtherRun(InputError):
    """What is there cannot be gone on with: another run than was asked for, one that cannot be
    read, or no run."""


class Damaged(OtherRun):
    """A journal that cannot be read, or not to its end."""


class Rows(ABC):
    """What a journal tells.

    Attributes:
        path: of the journal.
        about: what the run is of, see `identity.modern`.
    """

    path: Path
    about: dict[str, Any]

    @abstractmethod
    def _all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows that an SQL statement gives."""

    @abstractmethod
    def _operational(self, error: sqlite3.OperationalError) -> Exception:
        """What is said where the file cannot be used, or not now."""

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turns what SQLite says, and what is malformed, into a sentence."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # as a table that is not there
                raise self._damaged(error) from error
            said = self._operational(error)
            if said is error:
                raise
            raise said from error
        except (sqlite3.DatabaseError, zlib.error, *MALFORMED) as error:
            if isinstance(error, InputError):  # which is a ValueError
                raise
            raise self._damaged(error) from error

    def _damaged(self, error: object) -> Damaged:
        return Damaged(
            f"{self.path} is damaged ({error}); track again with overwrite=True, or into another "
            "folder."
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
    def numbers(self) -> list[int]:
        """Frames that were added, ascending."""
        return [frame for (frame,) in self._all("SELECT frame FROM frames ORDER BY frame")]

    @property
    def products(self) -> list[str]:
        """Names of what the run makes, see `products`; none where it is of version 0.1."""
        return [name for (name,) in self._table("products", "name")]

    @property
    def cuts(self) -> list[int]:
        """Frames after a cut, ascending; none where it is of an earlier version."""
        return sorted(frame for (frame,) in self._table("cuts", "frame"))

    @property
    def times(self) -> dict[int, float]:
        """Presentation times in seconds, by frame; of frames that an earlier version added none."""
        return dict(self._table("times", "frame, time"))

    @property
    def given(self) -> dict[str, NDArray[np.bool_]]:
        """Masks (H, W) that were prompts, by `identity.mask_hash`; none of an earlier version."""
        rows = self._table("given", "hash, height, width, mask")
        with self._explained():
            return {key: _mask(content, (height, width)) for key, height, width, content in rows}

    def objects(self) -> Iterator[tuple[int, dict[int, ObjectResult]]]:
        """Frames, ascending, and what was said of the objects in them."""
        for frame, text in self._all("SELECT frame, objects FROM frames ORDER BY frame"):
            with self._explained():
                objects = _objects(text)
            yield frame, objects

    def result(
        self, index: int, shape: tuple[int, int], image: Image | None = None
    ) -> Result | None:
        """What was said of a frame; None where there is nothing of it.

        Args:
            index: of the frame.
            shape: of the video, (H, W).
            image: the frame, from which refined soft masks are made; there are none without it.
        """
        query = "SELECT kind, labels, objects, soft FROM frames WHERE frame = ?"
        row = self._one(query, index)
        if row is None:
            return None
        kind, packed, text, soft = row
        with self._explained():
            objects, labels = _objects(text), _labels(packed, kind, shape)
            return Result(labels, objects, self._soft_masks(soft, image, labels, list(objects)))

    def labels(self, index: int, shape: tuple[int, int]) -> LabelMap | None:
        """The label map (H, W) of a frame, as `result` has it."""
        row = self._one("SELECT kind, labels FROM frames WHERE frame = ?", index)
        if row is None:
            return None
        with self._explained():
            return _labels(row[1], row[0], shape)

    def _soft_masks(
        self, content: bytes | None, image: Image | None, labels: LabelMap, ids: list[int]
    ) -> SoftMasks:
        if content is None:
            return NOT_KEPT
        if not content.startswith(MAGIC):
            return LargeSoft(content, ids, labels.shape)
        soft = OpinionMasks(unpacked(content), labels)
        if self.about["identity"].get("edges") != "refined":
            return soft
        return NOT_KEPT if image is None else RefinedSoft(image, soft)

    def _stored(self, key: str) -> Any:
        row = self._one("SELECT value FROM about WHERE key = ?", key)
        with self._explained():
            return json.loads(row[0]) if row else None

    def _one(self, query: str, *values: Any) -> Any:
        return next(iter(self._all(query, *values)), None)

    def _table(self, name: str, columns: str) -> list[tuple[Any, ...]]:
        """Of a table that not all journals have."""
        if not self._one("SELECT 1 FROM sqlite_master WHERE name = ?", name):
            return []
        return self._all(f"SELECT {columns} FROM {name}")


def row_of(result: Result) -> tuple[str, bytes, str]:
    """A result as a row has it: kind of its labels, these, its objects."""
    objects = {i: _record(object_result) for i, object_result in result.objects.items()}
    labels = zlib.compress(np.ascontiguousarray(result.labels).tobytes(), 1)
    return result.labels.dtype.str, labels, json.dumps(objects)


def packed_mask(mask: NDArray[np.bool_]) -> bytes:
    """A mask (H, W) as a row of `given` has it."""
    return zlib.compress(np.packbits(mask).tobytes())


def _mask(content: bytes, shape: tuple[int, int]) -> NDArray[np.bool_]:
    bits = np.frombuffer(zlib.decompress(content), np.uint8)
    return np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape).astype(bool)


def _labels(packed: bytes, kind: str, shape: tuple[int, int]) -> LabelMap:
    return np.frombuffer(zlib.decompress(packed), kind).reshape(shape).copy()


def _record(result: ObjectResult) -> dict[str, Any]:
    """Plain values by name, as `_object` reads them."""
    record = asdict(result)
    return {name: value for name, value in record.items() if name not in LATER or value is not None}


def _objects(text: str) -> dict[int, ObjectResult]:
    return {int(i): _object(record) for i, record in json.loads(text).items()}


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
