"""What passes between the rooms: frames in, prompts beside them, results out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Corners = tuple[tuple[float, float], ...]
"""Of a rectangle, turned as it may be: (x, y) in pixels, continuous, one after the other."""

Image = NDArray[np.uint8]
"""RGB picture, uint8, shape (H, W, 3)."""

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


@dataclass(frozen=True)
class Box:
    """Box prompt: (x0, y0) top left, (x1, y1) bottom right, pixels, end exclusive."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, eq=False)
class Mask(ByValue):
    """Mask prompt: shape (H, W), the size of the frame it belongs to.

    True or false, zero or not, or probabilities (floats), of which those above one half count.
    """

    mask: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Points(ByValue):
    """Click prompt; a box or a rough mask of the same object may stand beside the clicks.

    Clicks alone correct the mask of an object that is tracked already; beside a box or a mask, or
    for a new object, they start afresh.

    Attributes:
        points: (x, y) in pixels, continuous: (0.5, 0.5) is the middle of the first pixel.
        labels: of each, whether it lies on the object.
        box: around the object.
        mask: what the clicks correct.
    """

    points: Sequence[tuple[float, float]]
    labels: Sequence[bool]
    box: Box | None = None
    mask: Mask | None = None

    @property
    def alone(self) -> bool:
        """Whether there are clicks and nothing else."""
        return self.box is None and self.mask is None


Prompt = Box | Points | Mask


@dataclass(frozen=True)
class ObjectResult:
    """One object in one frame.

    Attributes:
        score: confidence in the mask, 0 to 1.
        area: pixels.
        box: tight (x0, y0, x1, y1), end exclusive, or None where the mask is empty.
        state: "present", or "lost" where nothing of the object is seen.
        rotated: the smallest rectangle around the mask, none where nothing is seen; None where the
            model gives none.
    """

    score: float
    area: int
    box: tuple[int, int, int, int] | None
    state: Literal["present", "lost"]
    rotated: Corners | None = None


class SoftMasks(Protocol):
    """Soft masks of a frame, kept small until they are asked for."""

    def __call__(self) -> dict[int, NDArray[np.float32]]:
        """Soft masks (H, W) in [0, 1] by object id."""

    def packed(self) -> bytes:
        """What a journal keeps of them."""


@dataclass(frozen=True, eq=False)
class Result(ByValue):
    """What the tracker says of one frame.

    Attributes:
        labels: object id of every pixel, uint8 (uint16 where an id exceeds 255), shape (H, W); not
            to be changed, soft masks follow it.
        objects: every object being tracked, by id, whether present or lost.
        soft: makes the soft masks, see `SoftMasks`; None where nobody kept them.
    """

    labels: LabelMap
    objects: dict[int, ObjectResult] = field(default_factory=dict)
    soft: SoftMasks | None = field(default=None, repr=False, compare=False)
