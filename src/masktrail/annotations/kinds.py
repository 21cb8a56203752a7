"""Annotations of videos and pictures, from whatever tool they come."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from masktrail.annotations.shapes import Shape, Size
from masktrail.errors import InputError
from masktrail.types import LabelMap


@dataclass(frozen=True)
class Labelled:
    """An annotated frame.

    Attributes:
        picture: name of its picture as the annotations have it, folders included.
        size: of the picture; None where the format does not say.
        objects: shapes by object id, those that are drawn later on top.
    """

    picture: str
    size: Size | None
    objects: tuple[tuple[int, Shape], ...]

    def labels(self, size: Size | None = None) -> LabelMap:
        """Label map (H, W): shapes of one id are one object.

        Args:
            size: of the picture, where the format does not say.

        Raises:
            InputError: nobody says the size, the two differ, or a shape cannot be read.
        """
        return self.painted(size)[0]

    def painted(self, size: Size | None = None) -> tuple[LabelMap, int]:
        """The label map, see `labels`, and how many masks lie on top of others."""
        size = self._size(size)
        on_top = 0
        highest = max((object_id for object_id, _ in self.objects), default=0)
        found = np.zeros(size[::-1], np.uint8 if highest <= 255 else np.uint16)
        for object_id, shape in self.objects:
            try:
                mask = shape.mask(size)
            except InputError as error:
                raise InputError(f"In {self.picture} {error}") from None
            if mask is not None:
                beneath = found[mask]
                on_top += bool(((beneath > 0) & (beneath != object_id)).any())
                found[mask] = object_id
        return found, on_top

    def _size(self, other: Size | None) -> Size:
        size = self.size or other
        if size is None:
            raise InputError(f"Nothing says how large {self.picture} is; have it at hand.")
        if other is not None and size != other:
            raise InputError(
                f"{self.picture} is {other[0]}x{other[1]}, and its annotations are of "
                f"{size[0]}x{size[1]}."
            )
        return size


@dataclass(frozen=True)
class LabelledVideo:
    """An annotated video, or pictures that have nothing to do with each other.

    Attributes:
        name: of the video or folder.
        frames: by index, those that somebody looked at.
        lasting: whether an id is the same object in all frames.
        moving: whether it is known that they are frames of one video.
        counted: whether it is known which frames they are; else they have their places.
    """

    name: str
    frames: Mapping[int, Labelled]
    lasting: bool
    moving: bool
    counted: bool


@dataclass(frozen=True)
class Annotations:
    """What was read.

    Attributes:
        videos: in the order of their names.
        losses: what could not be taken over, a line each.
    """

    videos: tuple[LabelledVideo, ...]
    losses: tuple[str, ...] = ()


def told_losses(counts: Mapping[str, int], *more: str) -> tuple[str, ...]:
    """Losses as lines: those that are counted, and others that are not empty."""
    return (*(f"{count} {what}" for what, count in counts.items()), *filter(None, more))
