"""Reading and writing beside the tracker: one thread ahead of it, one behind, few frames alive."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from masktrail.export.base import Writer
from masktrail.types import Frame, Result, VideoInfo

T = TypeVar("T")

PENDING = 3
"""Frames that may wait to be written before the tracker waits for them."""


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The same items, the next one being made while the last one is used."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1, "reader") as pool:
        following = pool.submit(next, iterator, end)
        while (item := following.result()) is not end:
            following = pool.submit(next, iterator, end)
            yield item  # type: ignore[misc]


class Output:
    """Several writers on a thread of their own, opened at the first frame.

    Errors of a writer surface at the next `write` or at `close`.

    Args:
        writers: all get every frame, in order.
        info: of the video they write about.
    """

    def __init__(self, writers: list[Writer], info: VideoInfo) -> None:
        self._writers, self._info = writers, info
        self._pool = ThreadPoolExecutor(1, "writer")
        self._pending: deque[Future[None]] = deque()
        self._opened: list[Writer] = []

    def write(self, frame: Frame, result: Result) -> None:
        """Hands a frame over; waits where too many are waiting already."""
        self._pending.append(self._pool.submit(self._write, frame, result))
        while len(self._pending) > PENDING:
            self._pending.popleft().result()

    def close(self) -> None:
        """Waits for what was handed over and gives files their final names."""
        try:
            while self._pending:
                self._pending.popleft().result()
            for writer in self._opened:
                writer.close()
        except BaseException:
            self.abort()
            raise
        self._pool.shutdown()

    def abort(self) -> None:
        """Drops what is unfinished."""
        self._pool.shutdown(cancel_futures=True)
        for writer in self._opened:
            writer.abort()

    def _write(self, frame: Frame, result: Result) -> None:
        if not self._opened:
            for writer in self._writers:
                self._opened.append(writer)
                writer.open(self._info)
        for writer in self._writers:
            writer.write(frame, result)
