"""What the user says of an object in a frame: a mask, a box, clicks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from masktrail.errors import InputError
from masktrail.masks import read_first_mask
from masktrail.masks.legend import Legend
from masktrail.types import ByValue

MAX_ID = 65535
"""Of objects."""


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

    @staticmethod
    def from_labels(labels: ArrayLike) -> dict[int, Mask]:
        """A mask of every object of a label map, by object id, as `Tracker.step` takes them.

        Args:
            labels: (H, W), object id of every pixel, 0 for background; or true and false, which is
                object 1.

        Raises:
            InputError: it holds no whole numbers from 0 to 65535, no object, or is not (H, W).
        """
        try:
            array = np.asarray(labels)
        except ValueError:  # rows of different lengths
            array = np.asarray(None)
        if array.ndim != 2 or array.dtype.kind not in "bui":
            raise InputError(
                f"A label map is an array (H, W) of whole numbers, not {array.dtype} "
                f"{array.shape}; a soft mask of one object is given as it is, as {{1: mask}}."
            )
        ids = [int(i) for i in np.unique(array) if i]
        if not ids or ids[0] < 0 or ids[-1] > MAX_ID:
            found = f"values from {ids[0]} to {ids[-1]}" if ids else "background alone"
            raise InputError(
                f"This label map holds {found}; expected object ids from 1 to {MAX_ID}, and 0 for "
                "background."
            )
        return {i: Mask(array == i) for i in ids}

    @staticmethod
    def from_file(path: str | os.PathLike[str], legend: Legend | None = None) -> dict[int, Mask]:
        """A mask of every object of a picture, by object id, as `Tracker.step` takes them.

        Args:
            path: palette PNG (index = id), black and white (object 1), or a flat colour for each
                object, see docs/prompts.md.
            legend: of all masks of a video that it is one of, see `masks.read_legend`.

        Raises:
            InputError: no such file, not a picture, nothing marked, anti-aliased or photographic.
        """
        if not isinstance(path, (str, os.PathLike)):
            raise InputError(
                f"{path!r:.60} is no name of a file; an array is taken by Mask.from_labels."
            )
        return Mask.from_labels(read_first_mask(path, legend=legend)[0])


@dataclass(frozen=True, eq=False, init=False)
class Points(ByValue):
    """Click prompt; a box or a rough mask of the same object may stand beside the clicks.

    Clicks alone correct the mask of an object that is tracked already; beside a box or a mask, or
    for a new object, they start afresh.

    Attributes:
        points: (x, y) in pixels, continuous: (0.5, 0.5) is the middle of the first pixel.
        labels: of each, whether it lies on the object; all do where nothing is said.
        box: around the object.
        mask: what the clicks correct.
    """

    points: Sequence[Sequence[float]] | NDArray[Any]
    labels: Sequence[int] | NDArray[Any]
    box: Box | None = None
    mask: Mask | None = None

    def __init__(
        self,
        points: Sequence[Sequence[float]] | NDArray[Any],
        labels: Sequence[int] | NDArray[Any] | None = None,
        box: Box | None = None,
        mask: Mask | None = None,
    ) -> None:
        if labels is None:
            labels = (True,) * (len(points) if hasattr(points, "__len__") else 0)
        for name, value in (("points", points), ("labels", labels), ("box", box), ("mask", mask)):
            object.__setattr__(self, name, value)

    @property
    def alone(self) -> bool:
        """Whether there are clicks and nothing else."""
        return self.box is None and self.mask is None


Prompt = Box | Points | Mask

PromptLike = Prompt | Sequence[float] | NDArray[Any]
"""A prompt, or a plain value that stands for one: four numbers for a box, an array (H, W) for a
mask."""


def as_prompt(value: PromptLike) -> Prompt:
    """The prompt that a value stands for; what stands for none, as it is."""
    if isinstance(value, (Box, Points, Mask)):
        return value
    if isinstance(value, np.ndarray):
        return Box(*value.tolist()) if value.shape == (4,) else Mask(value)
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) and len(value) == 4:
        return Box(*value)
    return value  # type: ignore[return-value]  # `check_prompt` says what it is
