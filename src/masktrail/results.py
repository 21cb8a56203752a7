"""What is said of a frame: a label map, soft masks, and figures of every object."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.images import as_rgb
from masktrail.masks import tight_box
from masktrail.masks.rotated import rotated_box
from masktrail.types import ByValue, Colour, Corners, Image, LabelMap

if TYPE_CHECKING:
    from supervision import Detections


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
        centroid: (x, y) of the mask, pixels, continuous: (0.5, 0.5) is the middle of the first
            pixel; None where the mask is empty, and of runs of version 0.1.
    """

    score: float
    area: int
    box: tuple[int, int, int, int] | None
    state: Literal["present", "lost"]
    rotated: Corners | None = None
    centroid: tuple[float, float] | None = None


def described(mask: NDArray[np.bool_], score: float, turned: bool) -> ObjectResult:
    """What is said of an object by its mask (H, W).

    Args:
        mask: of it.
        score: confidence in the mask.
        turned: whether its rotated box is told.
    """
    rotated = rotated_box(mask) if turned else None
    box = tight_box(mask)
    if box is None:
        return ObjectResult(0.0, 0, None, "lost", rotated)
    x0, y0, x1, y1 = box
    part = mask[y0:y1, x0:x1]
    columns, rows = np.count_nonzero(part, axis=0), np.count_nonzero(part, axis=1)
    area = int(columns.sum())
    x = float(columns @ (np.arange(x0, x1) + 0.5)) / area
    y = float(rows @ (np.arange(y0, y1) + 0.5)) / area
    return ObjectResult(score, area, box, "present", rotated, (x, y))


class SoftMasks(Mapping[int, NDArray[np.float32]], ABC):
    """Soft masks (H, W) in [0, 1] of a frame by object id: kept small, made when asked for."""

    @abstractmethod
    def make(self) -> dict[int, NDArray[np.float32]]:
        """All of them, anew."""

    @abstractmethod
    def packed(self) -> bytes:
        """What a journal keeps of them."""

    @cached_property
    def _made(self) -> dict[int, NDArray[np.float32]]:
        return self.make()

    def __getitem__(self, object_id: int) -> NDArray[np.float32]:
        return self._made[object_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


class _NotKept(SoftMasks):
    def make(self) -> dict[int, NDArray[np.float32]]:
        return {}

    def packed(self) -> bytes:
        raise ValueError("there are none to be kept")

    def __reduce__(self) -> str:
        return "NOT_KEPT"  # the one there is, also of copies and in other processes

    def __repr__(self) -> str:
        return "NOT_KEPT"


NOT_KEPT = _NotKept()
"""Soft masks of a result that has none, as of a run that kept none."""


@dataclass(frozen=True, eq=False)
class Result(ByValue):
    """What the tracker says of one frame.

    Attributes:
        labels: object id of every pixel, uint8 (uint16 where an id exceeds 255), shape (H, W); not
            to be changed, soft masks follow it.
        objects: every object being tracked, by id, whether present or lost.
        soft: soft masks (H, W) in [0, 1] by object id, made when asked for; `NOT_KEPT`, which is
            empty, where nobody kept them.
    """

    labels: LabelMap
    objects: dict[int, ObjectResult] = field(default_factory=dict)
    soft: SoftMasks = field(default_factory=lambda: NOT_KEPT, repr=False, compare=False)

    def mask(self, object_id: int) -> NDArray[np.bool_]:
        """The mask (H, W) of an object; nothing of one that is lost.

        Raises:
            InputError: no such object.
        """
        if object_id not in self.objects:
            raise InputError(
                f"There is no object {object_id!r} in this result; it has "
                f"{', '.join(map(str, self.objects)) or 'none'}."
            )
        return np.equal(self.labels, object_id)

    def masks(self) -> dict[int, NDArray[np.bool_]]:
        """The mask (H, W) of every object, by id."""
        return {object_id: self.mask(object_id) for object_id in self.objects}

    def draw(
        self,
        image: NDArray[Any],
        alpha: float = 0.5,
        outline: bool = True,
        colour: Colour = "rgb",
    ) -> Image:
        """The frame with every object tinted in its palette colour and outlined.

        Args:
            image: the frame, uint8 (H, W, 3); it is not changed.
            alpha: strength of the tint, 0 to 1.
            outline: whether outlines are drawn.
            colour: order of the image's channels, and of what is drawn: "bgr" is OpenCV's.

        Raises:
            InputError: an image of another size, or none.
        """
        from masktrail.masks.draw import overlay

        rgb = as_rgb(image, colour)
        if rgb.shape[:2] != self.labels.shape:
            raise InputError(
                f"This image is {rgb.shape[1]}x{rgb.shape[0]}, the result of a frame of "
                f"{self.labels.shape[1]}x{self.labels.shape[0]}; draw on the frame it is of."
            )
        return as_rgb(overlay(rgb, self.labels, alpha, outline), colour)

    def to_supervision(self) -> Detections:
        """What is present, as supervision's `Detections`: boxes, masks, scores as `confidence`,
        object ids as `tracker_id`, and 0 as `class_id`, which nobody knows.

        Raises:
            InputError: supervision is not installed.
        """
        try:
            from supervision import Detections
        except ImportError as error:
            raise InputError(
                f"supervision cannot be used: {error}; pip install supervision."
            ) from error
        there = {i: found for i, found in self.objects.items() if found.box is not None}
        if not there:
            return Detections.empty()
        return Detections(
            xyxy=np.array([found.box for found in there.values()], np.float32),
            mask=np.stack([self.mask(i) for i in there]),
            confidence=np.array([found.score for found in there.values()], np.float32),
            class_id=np.zeros(len(there), int),
            tracker_id=np.array(list(there)),
        )
