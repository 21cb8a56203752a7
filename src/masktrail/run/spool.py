"""What one direction said of every frame, on disk until the other has spoken."""

import struct
import zlib
from array import array
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from masktrail.files import cannot_write

STEP = 1 / 8
"""Logits are kept in steps of this, so that a byte holds them."""

LIMIT = 8.0
"""Logits beyond this are as good as certain."""

_HEAD = struct.Struct("<HHH")
_OBJECT = struct.Struct("<Hf")


class Said(NamedTuple):
    """What was said of an object.

    Attributes:
        logits: float32 (h, w), from -8 to 8.
        score: confidence, 0 to 1.
    """

    logits: NDArray[np.float32]
    score: float


class Spool:
    """Logits and scores by frame, written once and read back in any order.

    They lie, a kilobyte or so per object and frame, in a file without a name that vanishes with
    this or with the process; memory holds 24 bytes per frame.

    Args:
        folder: on the disk that is to be used; it or the nearest above it that is there.

    Raises:
        InputError: nothing can be written there, from here or from `write`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = next(
            p for p in (folder.absolute(), *folder.absolute().parents) if p.is_dir()
        )
        try:
            self._file = TemporaryFile(dir=self._folder)  # noqa: SIM115
        except OSError as error:
            raise cannot_write(self._folder, error) from error
        self._frames, self._places, self._sizes = array("q"), array("q"), array("q")

    def write(self, frame: int, said: dict[int, Said]) -> None:
        """Keeps a frame; all logits of it are of one size."""
        shape = next((s.logits.shape for s in said.values()), (0, 0))
        parts = [_HEAD.pack(len(said), *shape)]
        for object_id, (logits, score) in said.items():
            steps = np.round(logits.clip(-LIMIT, LIMIT) / STEP).astype(np.int8)
            parts += [_OBJECT.pack(object_id, score), steps.tobytes()]
        packed = zlib.compress(b"".join(parts), 1)
        try:
            self._places.append(self._file.seek(0, 2))
            self._file.write(packed)
        except OSError as error:
            raise cannot_write(self._folder, error) from error
        self._frames.append(frame)
        self._sizes.append(len(packed))

    def read(self, frame: int) -> dict[int, Said]:
        """What was kept of a frame; nothing of one that never came."""
        line = self._line(frame)
        if line is None:
            return {}
        self._file.seek(self._places[line])
        data = zlib.decompress(self._file.read(self._sizes[line]))
        count, height, width = _HEAD.unpack_from(data)
        found, place, size = {}, _HEAD.size, height * width
        for _ in range(count):
            object_id, score = _OBJECT.unpack_from(data, place)
            place += _OBJECT.size
            steps = np.frombuffer(data, np.int8, size, place).reshape(height, width)
            found[object_id] = Said(steps * np.float32(STEP), score)
            place += size
        return found

    def close(self) -> None:
        """Frees the disk."""
        self._file.close()

    def _line(self, frame: int) -> int | None:
        """Frames come in order, up or down, without gaps."""
        if not self._frames:
            return None
        line = abs(frame - self._frames[0])
        return line if line < len(self._frames) and self._frames[line] == frame else None
