"""Opening a video, whatever it is, and walking through its frames once, front to back."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from functools import partial
from inspect import GEN_RUNNING, getgeneratorstate
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self, cast
from weakref import WeakSet

from masktrail.errors import InputError
from masktrail.pictures.depth import Range, checked_range
from masktrail.settings import integer
from masktrail.types import Colour, Frame, VideoInfo
from masktrail.video.arrays import Arrays, ArraySource, Feed, are_frames, is_sequence
from masktrail.video.live import NewestFrame, RealTime
from masktrail.video.names import is_url, local
from masktrail.video.seek import Recording, frames_backward, recording_of
from masktrail.video.source import Source, Tick, nothing

CAMERAS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
LIVE = ("rtsp://", "rtsps://", "rtmp://", "rtp://", "udp://", "srt://")
URL_TIMEOUT = 30.0
"""Seconds without an answer after which a URL is given up."""


class Video:
    """A video as an iterator of frames; a context manager that closes it early.

    At most a few frames are alive at any time. Iterating a second time starts again from the
    first frame (a camera or live URL is opened anew, a pipe goes on where it is). Frames of a
    camera or live URL that come while the caller is busy are dropped. What is being iterated when
    the video is closed ends there.

    Attributes:
        info: size, rate and timing, known before the first frame is asked for.
        repeatable: whether it can be read again, and backwards: true of files and folders.
        given: whether its frames come from the caller, who may wait for what is made of one before
            the next is there.
        values: range of its deep pictures, where it was told.
        loss: after iteration, one sentence if the source turned out truncated or damaged.
    """

    info: VideoInfo
    repeatable: bool
    given: bool
    values: Range | None
    loss: str | None

    def __init__(
        self,
        open_source: Callable[[], Source],
        start: int,
        end: int | None,
        fresh: Source | None = None,
        values: Range | None = None,
    ) -> None:
        self._open_source = open_source
        self._fresh: Source | None = fresh or open_source()
        self.info = replace(self._fresh.info, start=start, end=end)
        self.repeatable = self._fresh.repeatable
        self.given = isinstance(self._fresh, ArraySource)
        self.values, self.loss = values, None
        self._parts = WeakSet[Video]()
        self._running = WeakSet[Generator[Frame, None, None]]()
        self._closings, self._lock = 0, Lock()

    def __repr__(self) -> str:
        about = self.info
        size, end = f"{about.width}x{about.height}", "" if about.end is None else about.end
        return f"<Video {about.source!r}, {size}, frames {about.start}:{end}>"

    @property
    def once(self) -> str:
        """Why it cannot be read again, where it cannot."""
        return "is read once" if self.given else "is live or a pipe"

    @property
    def instead(self) -> str:
        """What is to be done then."""
        return "give a list of them" if self.given else "record it to a file first"

    @property
    def expected(self) -> int | None:
        """Number of frames that iteration should deliver: a hint for progress, or None."""
        ends = [n for n in (self.info.frames, self.info.end) if n is not None]
        return max(min(ends) - self.info.start, 0) if ends else None

    def __iter__(self) -> Iterator[Frame]:
        return self._noted(self._frames(self._closings))

    def _noted(self, frames: Generator[Frame, None, None]) -> Iterator[Frame]:
        with self._lock:
            self._running.add(frames)
        return frames

    def _frames(self, closings: int) -> Generator[Frame, None, None]:
        source, self._fresh = self._fresh or self._open_source(), None
        start, last = self.info.start, None
        self.loss = None
        try:
            for frame in source.frames(start, self.info.end):
                last = frame.index
                if self._closings > closings:
                    return
                yield frame
                del frame
        finally:
            self.loss = source.loss
            source.close()
        if last is None:
            raise InputError(
                f"{self.info.source} ends before frame {start}, the first one asked for; "
                f"choose a smaller start frame. {self.loss or ''}".rstrip()
            )

    def recording(self) -> Recording:
        """The whole of its source, to be read in any order; to be closed.

        Raises:
            InputError: the source is live or a pipe.
        """
        if not self.repeatable:
            raise InputError(
                f"{self.info.source} {self.once} and cannot be read backwards; {self.instead}."
            )
        return recording_of(self._open_source)

    def backward(self, last: int, tick: Tick = nothing) -> Iterator[Frame]:
        """Frames from `last` down to the first, one at a time.

        They are those that iteration gives, bit for bit; a few tens are alive at most.

        Raises:
            InputError: the source is live or a pipe, or has no frame `last`.
        """
        return self._noted(self._backward(last, tick))

    def _backward(self, last: int, tick: Tick) -> Generator[Frame, None, None]:
        closings = self._closings
        with closing(self.recording()) as recording:
            for frame in frames_backward(recording, self.info.start, last, tick):
                if self._closings > closings:
                    return
                yield frame
                del frame

    def part(self, start: int = 0, end: int | None = None) -> Self:
        """A part of the video, as a video: what is open stands for it from now on. It is closed
        when this one is.

        Args:
            start: index of the first frame, counted from the source's frame 0; one before this
                video's first stands for that.
            end: index after the last; None for this video's.

        Raises:
            InputError: there is nothing between the two.
        """
        start, end = span(self, start, end)
        if end is not None and end <= start:
            raise InputError(_no_frames(start, end))
        fresh, self._fresh = self._fresh, None
        part = type(self)(self._open_source, start, end, fresh, self.values)
        self._parts.add(part)
        return part

    def content(self) -> str | None:
        """What tells frames that were given from others; None of all else."""
        source = self._fresh or self._open_source() if self.given else None
        return source.content() if isinstance(source, ArraySource) else None

    def close(self) -> None:
        """Closes the source, and ends what is being iterated.

        Where another thread waits for a frame, its iteration ends with that one.
        """
        with self._lock:
            running, self._closings = list(self._running), self._closings + 1
        fresh, self._fresh = self._fresh, None
        with ExitStack() as stack:
            for part in list(self._parts):
                stack.callback(part.close)
            if fresh is not None:
                stack.callback(fresh.close)
            for frames in running:
                stack.callback(_end, frames)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


VideoLike = str | os.PathLike[str] | int | Video | Arrays
"""Whatever `open_video` opens."""


def open_video(
    source: VideoLike,
    start: int = 0,
    end: int | None = None,
    live: bool = False,
    values: Range | None = None,
    colour: Colour = "rgb",
) -> Video:
    """Opens a video file, a folder of pictures, a camera, a URL or a pipe; or takes frames.

    Args:
        source: path of a file in any container and codec that PyAV decodes, or of a picture of many
            pages (tiff, webp, avif, png); path of a folder (jpg, png, webp, bmp, tiff, in natural
            order); camera number or device (`0`,
            `/dev/video0`); URL (`rtsp://`, `http://`, ...); "-" for a video on standard input;
            frames, see docs/python.md; a `Video`, of which a part is wanted.
        start: index of the first frame to deliver, counted by decoding from 0.
        end: index after the last frame to deliver; None for all.
        live: treat any source as cameras and live URLs are anyway: the newest frame wins, the
            others are dropped. Files and folders then play at their own speed.
        values: (low, high), which are black and white in pictures of 16 bits or of floats; found in
            the first of them, and said, where it is None.
        colour: order of the channels of frames that are given; "bgr" is OpenCV's.

    A `Video` has its own `live`, `values` and `colour`.

    Raises:
        InputError: the source is missing, unreadable, not a video or without a single frame, or
            the range is empty. On iteration: `start` is beyond the last frame.
    """
    if isinstance(source, Video):
        if live or colour != "rgb" or values not in (None, source.values):
            raise InputError(
                "Live, values and colour are those of the Video that was given; say them when it "
                "is opened."
            )
        return source.part(start, end)
    _check_source(source, colour)
    (start, end), values = span(source, start, end), checked_range(values)
    if start < 0 or (end is not None and end <= start):
        raise InputError(_no_frames(start, end))
    if are_frames(source):
        given = source if is_sequence(source) else Feed(source)
        opener: Callable[[], Source] = partial(ArraySource, given, colour)
    else:
        name = cast(str | Path | int, source)
        opener = _source_opener(name, start, end, values)
    opened = (lambda: _as_live(opener())) if live else opener
    return Video(opened, start, end, values=values)


def _end(frames: Generator[Frame, None, None]) -> None:
    try:
        frames.close()
    except ValueError:
        if getgeneratorstate(frames) != GEN_RUNNING:
            raise


def span(source: VideoLike, start: int, end: int | None) -> tuple[int, int | None]:
    """First frame and the one to stop before, of what is asked for of a source.

    Args:
        source: as `open_video` opens it; a `Video` may be of a part itself.
        start: first frame, counted from 0.
        end: frame to stop before, or None.

    Raises:
        InputError: one of them is no integer.
    """
    start, end = integer(start, "start"), None if end is None else integer(end, "end")
    if not isinstance(source, Video):
        return start, end
    ends = [n for n in (end, source.info.end) if n is not None]
    return max(start, source.info.start), min(ends, default=None)


def named(source: VideoLike, video: Video) -> str | os.PathLike[str] | int:
    """What a source is called: as it was given where that is a name or a number.

    Args:
        source: what was opened.
        video: that came of it.
    """
    return source if isinstance(source, (str, os.PathLike, int)) else video.info.source


def _no_frames(start: int, end: int | None) -> str:
    return (
        f"Frames {start} to {'the end' if end is None else end} were asked for; the start must be "
        "0 or more and the end greater than the start."
    )


def _check_source(source: object, colour: Colour) -> None:
    if are_frames(source):
        return
    if colour != "rgb":
        raise InputError("The order of colours is asked of frames that are given alone; leave it.")
    with suppress(InputError):
        named = isinstance(source, (str, os.PathLike)) and source != ""
        if named or integer(source, "camera") >= 0:
            return
    raise InputError(
        f"{source!r} is no video; give the path of a file or a folder, a URL, the number of a "
        "camera, or frames."
    )


def can_be_repeated(source: str | Path | int) -> bool:
    """Whether a source can be read again, by its name: not so a camera, a live URL or a pipe."""
    from masktrail.video.opening import is_pipe

    name = local(source)
    return _camera(name) is None and not name.startswith(LIVE) and not is_pipe(name)


def _as_live(source: Source) -> Source:
    """The newest frame of a source; one that could be read at leisure is played."""
    if isinstance(source, NewestFrame):
        return source
    return NewestFrame(RealTime(source) if source.repeatable else source)


def _source_opener(
    source: str | Path | int, start: int, end: int | None, values: Range | None
) -> Callable[[], Source]:
    """The function that opens `source`, by its kind; sources are opened once per iteration."""
    from masktrail.video.container import ContainerSource
    from masktrail.video.images import ImageFolder
    from masktrail.video.kinds import PAGED
    from masktrail.video.pages import PagedPicture, count_pages

    name = local(source)
    if (camera := _camera(name)) is not None:
        kind = _camera_format()
        return lambda: NewestFrame(ContainerSource(camera, format=kind, live=True))
    if name.startswith(LIVE):
        options = {"rtsp_transport": "tcp"} if name.startswith("rtsp") else {}
        return lambda: NewestFrame(
            ContainerSource(name, options=options, timeout=URL_TIMEOUT, live=True)
        )
    if is_url(name):
        return lambda: ContainerSource(name, timeout=URL_TIMEOUT)
    if os.path.isdir(name):
        return lambda: ImageFolder(Path(name), start, end, values)
    if name != "-" and not os.path.exists(name):
        raise InputError(f"There is no file or folder {name}; check the path.")
    path = Path(name)
    if path.suffix.lower() in PAGED and path.is_file() and count_pages(path) > 1:
        return lambda: PagedPicture(path, values)
    return lambda: ContainerSource(name)


def _camera(name: str) -> str | None:
    """The device that `0` or `/dev/video0` stands for, or None if it is no camera."""
    if name.startswith("/dev/video"):
        return name
    if name.isdecimal() and not os.path.exists(name):
        return f"/dev/video{name}" if sys.platform == "linux" else name
    return None


def _camera_format() -> str:
    if sys.platform not in CAMERAS:
        raise InputError(f"Cameras cannot be opened on {sys.platform}; record to a file instead.")
    return CAMERAS[sys.platform]
