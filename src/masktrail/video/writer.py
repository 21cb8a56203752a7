"""Frames to a video file with the timing and the sound of their source."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter

from masktrail.errors import InputError
from masktrail.files import part_of
from masktrail.types import Frame, Image, VideoInfo
from masktrail.video.audio import AudioCopy
from masktrail.video.encoding import Encoding, h264
from masktrail.video.names import for_ffmpeg

log = logging.getLogger(__name__)


class CannotEncode(InputError):
    """Pictures that the encoder or the container does not take, such as far too wide ones."""


class VideoWriter:
    """Encodes frames (BT.709, H.264 unless told otherwise), each at its own time; copies the sound.

    The file is opened at the first frame, grows under a hidden name beside the final one and is
    renamed by `close`. Where the pixel format halves colours, a picture of odd width or height is
    padded to even by repeating its last column or row. Time begins at zero: at the first frame if
    frames or sound before it are left out, else where the source begins; webm counts it in
    milliseconds. Sound that the container cannot hold is left out, which is logged.

    Leaving the context normally closes; leaving it by an exception aborts. A caller that wants to
    keep what is done (Ctrl-C) calls `close(whole=False)`; the sound then ends with the last frame.

    Args:
        path: where the video goes; its suffix decides the container (mp4, mov, mkv, webm).
        info: the source's timing, and the file whose sound is copied.
        encoding: codec, pixel format and options; by default `h264()`.
        audio: copy the sound if there is any.
    """

    def __init__(
        self,
        path: str | Path,
        info: VideoInfo,
        *,
        encoding: Encoding | None = None,
        audio: bool = True,
    ) -> None:
        self.path = Path(path)
        # the suffix tells FFmpeg the format
        self._part = Path(f"{part_of(self.path)}{self.path.suffix}")
        self._info = info
        self._encoding = encoding or h264()
        self._grid = _grid(self._encoding.pixel_format)
        self._with_audio = audio and info.has_audio
        self._container: Any = None
        self._audio: AudioCopy | None = None
        self._durations: list[int] = []

    def write(self, image: Image, frame: Frame) -> None:
        """Appends one picture.

        Args:
            image: uint8 RGB (H, W, 3), or RGBA (H, W, 4) with straight alpha where the pixel
                format holds transparency; every time of the same size.
            frame: the frame it belongs to, for its time and duration.

        Raises:
            CannotEncode: the encoder or the container does not take it.
            InputError: the disk is full or the folder cannot be written.
        """
        with self._explained():
            if self._container is None:
                self._open(image, frame)
            self._encode(image, frame)
            if self._audio:
                self._audio.copy_until(frame.pts * frame.time_base)

    def close(self, whole: bool = True) -> None:
        """Completes the file and gives it its final name; nothing is made if no frame came.

        Args:
            whole: whether the source came to its end, or to that which the user chose; sound after
                the last frame is left out where it did not.
        """
        if self._container is None:
            return
        with self._explained():
            self._mux(self._stream.encode(None))
            if self._audio:
                self._audio.copy_until(self._sound_end(whole))
                self._audio.close()
            self._container.close()
            self._part.replace(self.path)
        self._container = self._audio = None

    def abort(self) -> None:
        """Drops the unfinished file; nothing is left under either name."""
        audio, container = self._audio, self._container
        self._audio = self._container = None
        if audio:
            audio.close()
        if container is not None:
            try:
                container.close()
            except (OSError, av.error.FFmpegError) as error:
                log.debug("%s: %s", self._part, error)
            self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def _open(self, image: Image, frame: Frame) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._start(image, self._with_audio)
        except (OSError, av.error.FFmpegError) as error:
            self.abort()
            if not self._with_audio or error.errno == errno.ENOSPC:
                raise
            self._start(image, audio=False)
            log.warning("The sound of %s cannot be copied: %s", self._info.source, error.strerror)
        self._time_base = frame.time_base
        self._last_pts = -1
        first = frame.pts * frame.time_base
        origin = self._audio.begin(first, cut=self._info.start > 0) if self._audio else first
        self._shift = round(origin / frame.time_base)

    def _start(self, image: Image, audio: bool) -> None:
        """Opens the container, adds its streams and writes its header."""
        flags = {"movflags": "+faststart"} if self.path.suffix in {".mp4", ".mov", ".m4v"} else {}
        self._container = av.open(for_ffmpeg(self._part), "w", options=flags)
        self._stream = self._add_video(_padded(image, self._grid))
        self._reformatter = VideoReformatter()
        if audio:
            self._audio = AudioCopy(self._info.source, self._container)
        self._container.start_encoding()

    def _add_video(self, image: Image) -> Any:
        codec, pixel_format, options = self._encoding
        stream = self._container.add_stream(codec, rate=self._info.rate, options=options)
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt = pixel_format
        context = stream.codec_context
        context.time_base = self._info.time_base
        context.sample_aspect_ratio = self._info.pixel_aspect
        context.colorspace = Colorspace.ITU709
        context.color_range = ColorRange.MPEG
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        return stream

    def _encode(self, image: Image, frame: Frame) -> None:
        kind = "rgba" if image.shape[2] == 4 else "rgb24"
        rgb = av.VideoFrame.from_ndarray(_padded(image, self._grid), format=kind)
        yuv = self._reformatter.reformat(
            rgb,
            format=self._encoding.pixel_format,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        # Encoders refuse times that stand still or go back; some containers hold such.
        yuv.pts = max(frame.pts - self._shift, self._last_pts + 1)
        yuv.time_base = self._time_base
        self._last_pts, self._last = yuv.pts, frame
        self._durations.append(frame.duration or self._usual_duration())
        self._mux(self._stream.encode(yuv))

    def _mux(self, packets: list[av.Packet[Any]]) -> None:
        for packet in packets:
            ticks = self._durations.pop(0) * self._time_base
            packet.duration = max(1, round(ticks / packet.time_base))
            self._container.mux(packet)

    def _usual_duration(self) -> int:
        return max(1, round(1 / (self._info.rate * self._time_base)))

    def _sound_end(self, whole: bool) -> Fraction | None:
        """Where the sound stops: with the last frame if the user left out those after it."""
        end = self._info.end
        if whole and (end is None or self._last.index + 1 < end):
            return None
        duration = self._last.duration or self._usual_duration()
        return (self._last.pts + duration) * self._time_base

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turns what the system says of a full disk or a closed folder into a sentence."""
        try:
            yield
        except (OSError, av.error.FFmpegError) as error:
            self.abort()
            raise _write_trouble(self.path, error) from error


def _write_trouble(path: Path, error: Any) -> InputError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputError(
            f"The disk is full: {path} could not be completed; free some space and try again."
        )
    reason = error.strerror or str(error)
    if error.errno in errno.errorcode and error.errno != errno.EINVAL:  # a disk says so
        return InputError(f"{path} could not be written ({reason}); choose another folder or name.")
    return CannotEncode(f"{path} could not be encoded ({reason}); choose another export.")


def _grid(pixel_format: str) -> tuple[int, int]:
    """Rows and columns of pixels that share a colour: 2, 2 in yuv420p, 1, 1 in yuv444p."""
    square = av.VideoFormat(pixel_format, 2, 2)
    return 2 // square.chroma_height(2), 2 // square.chroma_width(2)


def _padded(image: Image, grid: tuple[int, int]) -> Image:
    """The image with its last row or column repeated until both numbers divide its size."""
    missing = [-n % step for n, step in zip(image.shape, grid, strict=False)]
    if not any(missing):
        return np.ascontiguousarray(image)
    return np.pad(image, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
