"""Files that keep processes of this project out of each other's way."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, wait: bool = True) -> Iterator[None]:
    """Holds a lock file, which is made where there is none and stays; a process that ends frees it.

    Args:
        path: the lock file.
        wait: until whoever holds it lets go.

    Raises:
        BlockingIOError: another process holds it, without `wait`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
