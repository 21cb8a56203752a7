"""Cameras and live streams: the newest frame, whatever was missed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from threading import Condition, Thread

from masktrail.types import Frame
from masktrail.video.source import Source


class NewestFrame:
    """A live source whose frames are dropped while the caller is busy with an earlier one.

    A thread keeps decoding, so that neither delay nor memory grows when frames come faster than
    they are used. Dropped frames leave gaps in `Frame.index`; the first is never dropped, since
    it is the one that prompts belong to. `Frame.arrived` says when a frame came.

    Args:
        source: the camera or stream; closed by the thread once it runs.
    """

    def __init__(self, source: Source) -> None:
        self.info = source.info
        self.repeatable = False
        self.loss: str | None = None
        self._source = source
        self._newest: deque[Frame] = deque(maxlen=1)
        self._changed = Condition()
        self._ended = self._closing = False
        self._error: BaseException | None = None
        self._thread: Thread | None = None

    def frames(self, start: int = 0, end: int | None = None) -> Iterator[Frame]:
        """Frames with `start <= index < end`, always the newest there is."""
        self._thread = Thread(target=self._fill, args=(start, end), daemon=True)
        self._thread.start()
        while (frame := self._take()) is not None:
            yield frame
            del frame
        if self._error is not None:
            raise self._error
        self.loss = self._source.loss

    def close(self) -> None:
        """Asks the thread to stop; a source that was never read is closed at once."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is None:
            self._source.close()
        else:
            self._thread.join(timeout=1)

    def _take(self) -> Frame | None:
        with self._changed:
            self._changed.wait_for(lambda: self._newest or self._ended or self._closing)
            ended = self._closing or not self._newest
            frame = None if ended else self._newest.popleft()
            self._changed.notify_all()
            return frame

    def _fill(self, start: int, end: int | None) -> None:
        try:
            for frame in self._source.frames(start, end):
                arrived = replace(frame, arrived=time.monotonic())
                self._offer(arrived, wait=frame.index == start)
                del frame, arrived
                if self._closing:
                    break
        except BaseException as error:
            self._error = error
        finally:
            self._source.close()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _offer(self, frame: Frame, wait: bool) -> None:
        with self._changed:
            self._newest.append(frame)
            self._changed.notify_all()
            if wait:
                self._changed.wait_for(lambda: not self._newest or self._closing)


class RealTime:
    """A recording that gives its frames when they are due, as the camera once did.

    What is due before it is asked for comes at once: a caller that is slow falls behind, unless
    `NewestFrame` drops frames for it.

    Args:
        source: the recording; closed with this.
    """

    def __init__(self, source: Source) -> None:
        self.info = source.info
        self.repeatable = False
        self.loss: str | None = None
        self._source = source

    def frames(self, start: int = 0, end: int | None = None) -> Iterator[Frame]:
        """Frames with `start <= index < end`, the first at once."""
        begun: float | None = None
        for frame in self._source.frames(start, end):
            begun = begun or time.monotonic() - frame.time
            time.sleep(max(0.0, begun + frame.time - time.monotonic()))
            yield frame
            del frame
        self.loss = self._source.loss

    def close(self) -> None:
        """Closes the recording."""
        self._source.close()
