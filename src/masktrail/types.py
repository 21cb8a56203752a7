"""What passes between the rooms: pictures, frames and what is known of a video."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Corners = tuple[tuple[float, float], ...]
"""Of a rectangle, turned as it may be: (x, y) in pixels, continuous, one after the other."""

Image = NDArray[np.uint8]
"""RGB picture, uint8, shape (H, W, 3)."""

Colour = Literal["rgb", "bgr"]
"""Order of a picture's channels; "bgr" is OpenCV's."""

LabelMap = NDArray[np.unsignedinteger]
"""Object id of every pixel, uint8 or uint16, shape (H, W); 0 is background."""


class ByValue:
    """Dataclasses that are equal where their fields are, arrays and sequences by what is in them.

    They have no hash, as arrays have none.
    """

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        compared = [field.name for field in fields(self) if field.compare]  # type: ignore[arg-type]
        return all(_same(getattr(self, name), getattr(other, name)) for name in compared)


def _same(one: object, other: object) -> bool:
    if isinstance(one, (np.ndarray, list, tuple)) or isinstance(other, np.ndarray):
        return np.array_equal(one, other)  # type: ignore[arg-type]
    return one == other


@dataclass(frozen=True, eq=False)
class Frame(ByValue):
    """One decoded frame of a video.

    Attributes:
        image: uint8 RGB, shape (H, W, 3), upright (rotation already applied).
        index: position in the source, counted by decoding, from 0.
        pts: presentation time in units of `time_base`.
        time_base: seconds per unit of `pts`.
        duration: how long the frame is shown, in units of `time_base`; 0 where nothing says.
        arrived: `time.monotonic()` when it came from a live source; None from a recording.
        lost: whether it could not be decoded; the image is then that of its neighbour.
        cut: whether it is the first after a cut, as `video.cuts.with_cuts` tells; else False.
    """

    image: Image
    index: int
    pts: int
    time_base: Fraction
    duration: int = 0
    arrived: float | None = None
    lost: bool = False
    cut: bool = False

    @property
    def time(self) -> float:
        """Presentation time in seconds."""
        return float(self.pts * self.time_base)


@dataclass(frozen=True)
class VideoInfo:
    """What is known of a video before its frames are decoded.

    Attributes:
        source: path, URL or camera, as given; also where audio is copied from.
        width: pixels, after rotation.
        height: pixels, after rotation.
        rate: nominal frames per second (a hint where the frame rate varies).
        time_base: seconds per unit of a frame's `pts`.
        frames: number of frames the container claims, or None; a hint, never relied on.
        has_audio: whether the source holds an audio stream that can be copied.
        start: index of the first frame that will be delivered.
        end: index after the last frame that will be delivered, or None for the end of the video.
        pixel_aspect: width of a pixel over its height, as it is to be shown.
    """

    source: str
    width: int
    height: int
    rate: Fraction
    time_base: Fraction
    frames: int | None = None
    has_audio: bool = False
    start: int = 0
    end: int | None = None
    pixel_aspect: Fraction = Fraction(1)
