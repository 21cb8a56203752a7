"""Text files that grow while a video is tracked."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from masktrail.files import cannot_write, make_folder, part_of


class GrowingFile:
    """A text file that grows under a temporary name and gets its own when it is complete.

    Args:
        path: its final name; folders above it are made.

    Raises:
        InputError: the disk is full or the file cannot be written, from here or from a method;
            nothing of the file is then left.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = part_of(path)
        make_folder(path.parent)
        try:
            self._file = self._part.open("w", newline="", encoding="utf-8")
        except OSError as error:
            raise cannot_write(path, error) from error

    def write(self, text: str) -> None:
        """Appends."""
        with self._explained():
            self._file.write(text)

    def finish(self) -> None:
        """Gives the file its name."""
        with self._explained():
            self._file.close()
            self._part.replace(self.path)

    def drop(self) -> None:
        """Leaves nothing of it."""
        with suppress(OSError):  # what a full disk did not take is dropped anyway
            self._file.close()
        self._part.unlink(missing_ok=True)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.drop()
            raise cannot_write(self.path, error) from error
