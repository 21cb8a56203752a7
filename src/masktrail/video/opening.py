"""Opening a container and choosing what to decode in it, or saying why that cannot be done."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import av

from masktrail.errors import InputError
from masktrail.video.names import for_ffmpeg

log = logging.getLogger(__name__)

DECODING_THREADS = 4

MOST_PIXELS = 2**27
"""Of a frame: four times what 8K has. A small file that claims more is there to fill memory."""


def open_container(
    name: str, format: str | None, options: dict[str, str] | None, timeout: float | None
) -> Any:
    """A PyAV container, open for reading.

    Args:
        name: path, device or URL; "-" for standard input.
        format: input format where it cannot be guessed.
        options: of the demuxer.
        timeout: seconds to wait for a network source.

    Raises:
        InputError: it cannot be opened, or is no video.
    """
    where: Any = name if format is not None else for_ffmpeg(name)  # a format: of a camera
    if name == "-":
        where = sys.stdin.buffer
    try:
        container = av.open(where, "r", format=format, options=options, timeout=timeout)
    except PermissionError:
        raise InputError(f"{name} may not be read; check its permissions.") from None
    except (OSError, ValueError, av.error.FFmpegError) as error:
        raise InputError(_cannot_open(name, error)) from None
    kind = container.format.name
    if kind == "tty" or kind == "image2" or kind.endswith("_pipe"):
        container.close()
        raise InputError(_not_a_video(name, "text" if kind == "tty" else "a single picture"))
    return container


def is_pipe(name: str) -> bool:
    """Whether what is read is gone: standard input, or a named pipe."""
    return name == "-" or Path(name).is_fifo()


def _cannot_open(name: str, error: Exception) -> str:
    if name == "-":
        return (
            "What comes through the pipe is no video that can be decoded; send a format that "
            "streams, as ffmpeg -i IN -f matroska - or -f mpegts - or -f yuv4mpegpipe -."
        )
    if not Path(name).is_file():
        reason = getattr(error, "strerror", None) or error
        return f"{name} cannot be opened ({reason}); check that it is there and not in use."
    if Path(name).stat().st_size == 0:
        return f"{name} is empty (0 bytes); expected a video file."
    return (
        f"{name} is not a video that can be decoded, or its beginning or index is missing; "
        "expected a video file, a folder of pictures, a camera or a URL."
    )


def _not_a_video(name: str, description: str) -> str:
    return f"{name} is {description}, not a video; give a video file or a folder of pictures."


def choose_stream(container: Any, name: str) -> Any:
    """The video stream that players show, ready to decode; where there are others it is said.

    Not the cover of a song, nor thumbnails.
    """
    kinds = av.stream.Disposition
    aside = kinds.attached_pic | kinds.timed_thumbnails | kinds.still_image
    pictures = [s for s in container.streams.video if not s.disposition & aside]
    streams = [s for s in pictures if s.codec_context is not None]
    if not streams:
        types = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        raise InputError(
            f"{name} holds no video stream that can be decoded (found: {types}); "
            "give a file with pictures in it, or convert it."
        )
    stream = next((s for s in streams if s.disposition & kinds.default), streams[0])
    if len(streams) > 1:
        log.warning(
            "%s holds %d video streams; the one that players show is taken, number %d of %dx%d.",
            name, len(streams), streams.index(stream) + 1, stream.width, stream.height,
        )  # fmt: skip
    _refuse_huge(stream.codec_context, name)
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = DECODING_THREADS
    return stream


def _refuse_huge(context: Any, name: str) -> None:
    if context.width * context.height > MOST_PIXELS:
        raise InputError(
            f"{name} has frames of {context.width}x{context.height} pixels; at most "
            f"{MOST_PIXELS / 1e6:.0f} million can be handled, make them smaller first."
        )
    context.options = {**context.options, "max_pixels": str(MOST_PIXELS)}
