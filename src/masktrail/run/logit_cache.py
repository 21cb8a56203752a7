"""What one direction said of every frame, on disk until the other has spoken."""

from array import array
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile

from masktrail.files import cannot_write
from masktrail.tracking.soft import Opinion, packed, unpacked


class LogitCache:
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

    def write(self, frame: int, opinions: Mapping[int, Opinion]) -> None:
        """Keeps a frame; all logits of it are of one size."""
        content = packed(opinions)
        try:
            self._places.append(self._file.seek(0, 2))
            self._file.write(content)
        except OSError as error:
            raise cannot_write(self._folder, error) from error
        self._frames.append(frame)
        self._sizes.append(len(content))

    def read(self, frame: int) -> dict[int, Opinion]:
        """What was kept of a frame; nothing of one that never came."""
        line = self._line(frame)
        if line is None:
            return {}
        self._file.seek(self._places[line])
        return unpacked(self._file.read(self._sizes[line]))

    def close(self) -> None:
        """Frees the disk."""
        self._file.close()

    def _line(self, frame: int) -> int | None:
        """Frames come in order, up or down, without gaps."""
        if not self._frames:
            return None
        line = abs(frame - self._frames[0])
        return line if line < len(self._frames) and self._frames[line] == frame else None
