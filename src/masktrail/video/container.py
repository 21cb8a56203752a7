"""Frames of anything PyAV opens: files, cameras, URLs."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from masktrail.errors import InputError
from masktrail.types import Frame, Image, VideoInfo
from masktrail.video.clock import Clock, finer
from masktrail.video.gaps import Gaps
from masktrail.video.hdr import HLG, PQ, to_ordinary
from masktrail.video.opening import choose_stream, is_pipe, open_container
from masktrail.video.watch import Watch

log = logging.getLogger(__name__)

DEFAULT_RATE = Fraction(25)
UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED


class Orientation(NamedTuple):
    """How a stored picture becomes upright: transposed first, then flipped."""

    transpose: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    def apply(self, image: Image) -> Image:
        """Upright copy of an image (H, W, 3), or the image itself if it already is upright."""
        if not any(self):
            return image
        turned = image.swapaxes(0, 1) if self.transpose else image
        turned = turned[::-1] if self.flip_rows else turned
        turned = turned[:, ::-1] if self.flip_columns else turned
        return np.ascontiguousarray(turned)


class ContainerSource:
    """Decodes the first real video stream of a container, one frame at a time.

    Frames are counted by decoding, never found by seeking: `pts` are whatever the container
    says, so a variable frame rate stays as it is.

    Args:
        name: path, device or URL; "-" for standard input.
        format: input format where it cannot be guessed (cameras).
        options: options of the demuxer.
        timeout: seconds to wait for a network source.
        live: a camera or stream, which promises no length and whose beginning may be torn.

    Attributes:
        again: opens the same anew.

    Raises:
        InputError: nothing can be decoded.
    """

    def __init__(
        self,
        name: str,
        *,
        format: str | None = None,
        options: dict[str, str] | None = None,
        timeout: float | None = None,
        live: bool = False,
    ) -> None:
        self.loss: str | None = None
        self._name, self._live = name, live
        self.repeatable = not live and not is_pipe(name)
        self.again = partial(
            ContainerSource, name, format=format, options=options, timeout=timeout, live=live
        )
        self._container = open_container(name, format, options, timeout)
        try:
            self._stream = choose_stream(self._container, name)
            self._watch = Watch(self._container, self._stream, name)
            self._decoded = self._decode()
            self._first: Any = self._decode_first()
            self._stored_size = self._first.width, self._first.height
            self._orientation = _orientation(self._first)
            self._reformatter = VideoReformatter()
            self.info = self._describe()
        except BaseException:
            self._container.close()
            raise

    def frames(self, start: int = 0, end: int | None = None) -> Iterator[Frame]:
        """Frames with `start <= index < end`; those before `start` are decoded and dropped."""
        before = None
        for index, (raw, pts) in enumerate(self.timed()):
            if index >= start:
                span = self.info.time_base, self.duration(raw)
                yield Frame(self.image(raw), index, pts, *span, lost=raw is before)
            before = raw
            if end is not None and index + 1 >= end:
                return

    def timed(self) -> Iterator[tuple[av.VideoFrame, int]]:
        """Decoded frames from the first on, and when each is shown."""
        by_dts = self._container.format.name == "avi"
        duration = max(1, round(1 / (self.info.rate * self.info.time_base)))
        yield from Clock(by_dts, duration, self._parts).timed(self.raw())
        self.loss = None if self._live else self._watch.loss()

    def raw(self) -> Iterator[av.VideoFrame]:
        """Decoded frames from the first on; only once."""
        first, self._first = self._first, None
        if first is not None:
            yield first
        del first
        yield from self._decoded

    def raw_from(self, pts: int) -> Iterator[av.VideoFrame]:
        """Decoded frames from somewhere near a time of the stream on."""
        self._container.seek(pts, stream=self._stream, backward=True)
        self._decoded = self._decode()
        yield from self._decoded

    def duration(self, raw: av.VideoFrame) -> int:
        """How long a decoded frame is shown, in units of the time base; 0 where nobody knows."""
        return (raw.duration or 0) * self._parts

    def image(self, raw: av.VideoFrame) -> Image:
        """A decoded frame as upright RGB; one of another size is scaled to that of the first."""
        width, height = self._stored_size
        bright = raw.color_trc in (PQ, HLG)
        rgb: Any = self._reformatter.reformat(
            raw,
            width=width,
            height=height,
            format="rgb48le" if bright else "rgb24",
            src_colorspace=_colorspace(raw),
        )
        image = rgb.to_ndarray()
        if bright:
            image = to_ordinary(image, raw.color_trc)
        return self._orientation.apply(without_combs(image) if raw.interlaced_frame else image)

    def close(self) -> None:
        """Closes the container."""
        self._decoded.close()
        self._container.close()

    def _decode_first(self) -> Any:
        for frame in self._decoded:
            return frame
        raise InputError(
            f"{self._name} holds a video stream ({self._stream.codec_context.name}) but not one "
            "frame of it can be decoded; the file is empty or damaged, make it again."
        )

    def _decode(self) -> Generator[av.VideoFrame, None, None]:
        """Decoded frames; for one that is lost with a broken packet that before it comes again."""
        gaps = Gaps()
        before: Any = None
        for packet in self._watch.packets():
            gaps.send(packet)
            try:
                frames = packet.decode()
            except av.error.FFmpegError as error:
                log.debug("%s: %s", self._name, error)
                self._watch.broken += 1
                gaps.broken()
                continue
            while frames:
                frame = frames.pop(0)
                self._watch.see(frame)
                for _ in range(gaps.before(frame) if before is not None else 0):
                    yield before
                yield frame
                before = frame
                del frame
        for _ in range(gaps.left() if before is not None else 0):
            yield before

    def _describe(self) -> VideoInfo:
        width, height = self._stored_size
        if self._orientation.transpose:
            width, height = height, width
        aspect = _fraction(self._stream.sample_aspect_ratio) or Fraction(1)
        rate = _fraction(self._stream.average_rate) or _fraction(self._stream.guessed_rate)
        rate = rate or DEFAULT_RATE
        time_base = _fraction(self._stream.time_base) or 1 / rate
        self._parts = finer(time_base, rate)
        return VideoInfo(
            source=self._name,
            width=width,
            height=height,
            rate=rate,
            pixel_aspect=1 / aspect if self._orientation.transpose else aspect,
            time_base=time_base / self._parts,
            frames=self._watch.claimed_frames(rate),
            has_audio=Path(self._name).is_file() and bool(self._container.streams.audio),
        )


def without_combs(image: Image) -> Image:
    """An interlaced picture by its first field: every other row is the mean of its neighbours."""
    rows = image.astype(np.uint16)
    rows[1:-1:2] = (rows[:-2:2] + rows[2::2] + 1) // 2
    rows[-1] = rows[-1 - (len(rows) % 2 == 0)]
    return rows.astype(np.uint8)


def _orientation(frame: av.VideoFrame) -> Orientation:
    """Reads the display matrix that phones store instead of turning the picture.

    A point (x, y) is shown at (a x + c y, b x + d y), matrix [[a, b, u], [c, d, v], [x, y, w]] of
    16.16 fixed point (ISO 14496-12). Only quarter turns and mirrorings are honoured.
    """
    stored: Any = frame.side_data.get("DISPLAYMATRIX")
    if stored is None:
        return Orientation()
    (a, b, _), (c, d, _), _ = np.frombuffer(stored, np.int32).reshape(3, 3).tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(transpose=True, flip_rows=b < 0, flip_columns=c < 0)
    return Orientation(flip_rows=d < 0, flip_columns=a < 0)


def _colorspace(frame: av.VideoFrame) -> int | None:
    """BT.709 for untagged high definition, as players do; None: the frame's own tag."""
    if frame.colorspace == UNSPECIFIED and frame.height >= 720:
        return int(Colorspace.ITU709)
    return None


def _fraction(value: Any) -> Fraction | None:
    """A rational of any PyAV version as a Fraction; None where unset."""
    return Fraction(value.numerator, value.denominator) if value else None
