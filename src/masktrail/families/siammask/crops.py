"""Squares of pictures: cut out for the network, and what it says of them put back."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masktrail.geometry import Soft, resampled
from masktrail.types import Image


@dataclass(frozen=True)
class Square:
    """A square of a picture, which may reach beyond it; pixels, continuous.

    Attributes:
        x: of its left side.
        y: of its upper side.
        side: length.
    """

    x: float
    y: float
    side: float

    @classmethod
    def around(cls, x: float, y: float, side: float) -> "Square":
        """One whose middle is at (x, y)."""
        return cls(x - side / 2, y - side / 2, side)

    def part(self, x: float, y: float, side: float, inner: int) -> "Square":
        """A square in this one, told in pixels of it when it is `inner` wide, in the picture."""
        scale = self.side / inner
        return Square(self.x + x * scale, self.y + y * scale, side * scale)

    def cut(self, image: Image, inner: int, fill: NDArray[np.float32]) -> Image:
        """What it shows of a picture, uint8 (H, W, 3), resampled to (inner, inner, 3).

        Args:
            image: the picture.
            inner: side of the result, pixels.
            fill: colour (3,) of what lies beyond the picture.
        """
        scale, (height, width) = self.side / inner, image.shape[:2]
        out = np.empty((inner, inner, 3), np.uint8)
        out[:] = np.rint(fill).astype(np.uint8)
        x0, x1 = _touching(self.x / scale, width / scale, inner)
        y0, y1 = _touching(self.y / scale, height / scale, inner)
        if x0 < x1 and y0 < y1:
            left, right = self.x + x0 * scale, self.x + x1 * scale
            top, bottom = self.y + y0 * scale, self.y + y1 * scale
            box = math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)
            part = (left - box[0], top - box[1], right - box[0], bottom - box[1])
            region = _region(image, box, fill)
            out[y0:y1, x0:x1] = resampled(region, (y1 - y0, x1 - x0), part)
        return out

    def paste(self, values: Soft, picture: tuple[int, int], outside: float) -> Soft:
        """A map (n, n) of what it shows, put back where it belongs.

        Args:
            values: the map.
            picture: height and width.
            outside: value of pixels that do not lie in the square as a whole.

        Returns:
            Of the size of the picture.
        """
        out = np.full(picture, outside, np.float32)
        x0, x1 = _inside(self.x, self.side, picture[1])
        y0, y1 = _inside(self.y, self.side, picture[0])
        if x0 < x1 and y0 < y1:
            scale = len(values) / self.side
            left, top = (x0 - self.x) * scale, (y0 - self.y) * scale
            right, bottom = (  # which rounding may have put beyond the map
                min((x1 - self.x) * scale, len(values)),
                min((y1 - self.y) * scale, len(values)),
            )
            out[y0:y1, x0:x1] = resampled(values, (y1 - y0, x1 - x0), (left, top, right, bottom))
        return out


def _region(image: Image, box: tuple[int, int, int, int], fill: NDArray[np.float32]) -> Image:
    """A rectangle of whole pixels of a picture, filled with a colour beyond it."""
    x0, y0, x1, y1 = box
    height, width = image.shape[:2]
    left, top, right, bottom = max(0, x0), max(0, y0), min(width, x1), min(height, y1)
    if (left, top, right, bottom) == box:
        return image[y0:y1, x0:x1]
    region = np.empty((y1 - y0, x1 - x0, 3), np.uint8)
    rows, columns = slice(top - y0, bottom - y0), slice(left - x0, right - x0)
    colour = np.rint(fill).astype(np.uint8)
    region[: rows.start] = region[rows.stop :] = colour
    region[rows, : columns.start] = region[rows, columns.stop :] = colour
    region[rows, columns] = image[top:bottom, left:right]
    return region


def _touching(start: float, length: float, count: int) -> tuple[int, int]:
    """First and last, exclusive, of `count` pixels from `start` that show some of a stretch of
    `length` from 0."""
    return max(0, math.floor(-start)), min(count, math.ceil(length - start))


def _inside(start: float, length: float, limit: int) -> tuple[int, int]:
    """First pixel, and last exclusive, of those below `limit` that lie in a stretch as a whole."""
    return max(0, math.ceil(start)), min(limit, math.floor(start + length))
