"""Painted videos: discs with a texture over a gradient, with a tone, in any shape of file."""

import contextlib
import os
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

PaintVideo = Callable[..., Path]


class Clip(NamedTuple):
    """Images uint8 (T, H, W, 3) and their label maps uint8 (T, H, W)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def paint_clip(frames: int = 12, size: tuple[int, int] = (96, 64), objects: int = 2) -> Clip:
    """Textured discs that move over a gradient; later ones pass in front.

    Args:
        frames: number of frames.
        size: (width, height) in pixels.
        objects: number of discs, ids 1 upwards.
    """
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    ground = np.stack([40 + 120 * x / width, 60 + 100 * y / height, 150 - 80 * x / width], -1)
    images = np.repeat(ground[None], frames, 0)
    labels = np.zeros((frames, height, width), np.uint8)
    radius = min(size) / 5
    for t in range(frames):
        for k in range(objects):
            phase = t / max(frames, 8) + k / objects
            cx = width / 2 + width / 4 * np.cos(2 * np.pi * phase)
            cy = height / 2 + height / 5 * np.sin(2 * np.pi * phase)
            inside = (x - cx) ** 2 + (y - cy) ** 2 < radius**2
            stripes = 30 * np.sin((x - cx + (k + 1) * (y - cy)) / 3)
            colour = np.array([230, 90, 60] if k % 2 == 0 else [60, 200, 90])
            images[t][inside] = colour + stripes[inside][:, None]
            labels[t][inside] = k + 1
    return Clip(images.clip(0, 255).astype(np.uint8), labels)


def write_video(
    path: Path,
    images: NDArray[np.uint8],
    *,
    codec: str = "libx264",
    rate: int = 25,
    pts: list[int] | None = None,
    time_base: Fraction | None = None,
    rotation: int = 0,
    pixel_aspect: Fraction | None = None,
    tone: str | None = "aac",
    tone_seconds: float | None = None,
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    faststart: bool = False,
) -> Path:
    """Encodes images with PyAV alone, so that reader and writer are tested against another hand.

    Args:
        path: the suffix decides the container.
        images: uint8 RGB (T, H, W, 3).
        codec: video encoder.
        rate: frames per second.
        pts: time of every frame in `time_base`; evenly spaced by default.
        time_base: seconds per unit of `pts`, by default 1 / rate.
        rotation: degrees counter-clockwise by which a player has to turn the picture.
        pixel_aspect: width of a pixel over its height.
        tone: audio encoder, or None for silence.
        tone_seconds: length of the sound, by default that of the video.
        pix_fmt: pixel format.
        options: of the video encoder.
        faststart: the index of an mp4 goes first.
    """
    flags = {"movflags": "+faststart"} if faststart else {}
    with av.open(str(path), "w", options=flags) as container:
        video: Any = container.add_stream(codec, rate=rate, options=options or {})
        video.height, video.width = images.shape[1:3]
        video.pix_fmt = pix_fmt
        video.codec_context.time_base = time_base or Fraction(1, rate)
        video.codec_context.sample_aspect_ratio = pixel_aspect or Fraction(1)
        if rotation:
            video.set_display_rotation(rotation)
        sound = container.add_stream(tone, rate=16000, layout="mono") if tone else None
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts = pts[index] if pts else index
            frame.time_base = time_base or Fraction(1, rate)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound is not None:
            _write_tone(container, sound, tone_seconds or len(images) / rate)
    return path


def _write_tone(container: Any, stream: Any, seconds: float) -> None:
    wave = 0.2 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * 16000)) / 16000)
    samples = (wave * 32767).astype(np.int16)
    for start in range(0, len(samples), 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 16000, start, Fraction(1, 16000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def through_pipe(fifo: Path, film: bytes) -> Path:
    """A named pipe through which a film comes once."""

    def send() -> None:
        with contextlib.suppress(BrokenPipeError):  # where nobody wants all of it
            fifo.write_bytes(film)

    os.mkfifo(fifo)
    threading.Thread(target=send, daemon=True).start()
    return fifo
