"""What goes on beside the tracker: a thread reads ahead of it, one writes behind it, few frames
alive; at the beginning one gets ready what it will need."""

import logging
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from masktrail.export.base import Writer
from masktrail.results import Result
from masktrail.types import Frame, VideoInfo

log = logging.getLogger(__name__)

T = TypeVar("T")

PENDING = 3
"""Frames that may wait to be written before the tracker waits for them."""


def ahead(items: Iterable[T]) -> Generator[T, None, None]:
    """The same items, the next one being made while the last one is used."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1, "reader") as pool:
        with holding_ctrl_c():  # a pool that is interrupted at its start forgets its thread
            following = pool.submit(next, iterator, end)
        while (item := following.result()) is not end:
            following = pool.submit(next, iterator, end)
            yield item  # type: ignore[misc]


@contextmanager
def meanwhile(parts: Iterable[None]) -> Iterator[None]:
    """Does something part by part on another thread while the block runs; the rest is left.

    Where it fails, so will whoever needs it, who has something to say of it.
    """
    ended, iterator, end = threading.Event(), iter(parts), object()

    def work() -> None:
        try:
            while not ended.is_set() and next(iterator, end) is not end:
                pass
        except Exception:
            log.debug("What was to be got ready failed.", exc_info=True)

    thread = threading.Thread(target=work, name="warm-up")
    try:
        with holding_ctrl_c():
            thread.start()
        yield
    finally:
        ended.set()
        with holding_ctrl_c():
            thread.join()


@contextmanager
def holding_ctrl_c() -> Iterator[None]:
    """Lets the block end in peace; Ctrl-C in the middle of it counts when it is done."""
    usual = signal.getsignal(signal.SIGINT)
    if not callable(usual) or threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: pending.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
    if pending:
        usual(pending[0], None)


class Output:
    """Several writers on a thread of their own, opened at the first frame.

    Errors of a writer surface at the next `write` or at `close`; nothing is written after one.

    Args:
        writers: all get every frame, in order.
        info: of the video they write about.

    Attributes:
        written: frames that all writers have taken.
    """

    def __init__(self, writers: list[Writer], info: VideoInfo) -> None:
        self._writers, self._info = writers, info
        self._pool = ThreadPoolExecutor(1, "writer")
        self._pending: deque[Future[None]] = deque()
        self._opened: list[Writer] = []
        self._failure: BaseException | None = None
        self.written = 0

    def write(self, frame: Frame, result: Result) -> None:
        """Hands a frame over; waits where too many are waiting already."""
        self.then(partial(self._take, frame, result))

    def then(self, work: Callable[[], None]) -> None:
        """Does something when everything handed over before is written."""
        self._pending.append(self._pool.submit(self._do, work))
        while len(self._pending) > PENDING:
            self._pending.popleft().result()

    def close(self, whole: bool = True) -> None:
        """Waits for what was handed over and gives files their final names.

        Args:
            whole: whether all came that was asked for, or the user ended it.
        """
        try:
            self._pool.shutdown()
            if self._failure is not None:
                raise self._failure
            for writer in self._opened:
                writer.close(whole)
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Drops what is unfinished."""
        self._pool.shutdown(cancel_futures=True)
        for writer in self._opened:
            writer.abort()

    def _do(self, work: Callable[[], None]) -> None:
        if self._failure is not None:  # frames were waiting already when one failed
            return
        try:
            work()
        except BaseException as error:
            self._failure = error
            raise

    def _take(self, frame: Frame, result: Result) -> None:
        if not self._opened:
            self._open()
        for writer in self._writers:
            writer.write(frame, result)
        self.written += 1

    def _open(self) -> None:
        for writer in self._writers:
            self._opened.append(writer)
            writer.open(self._info)
