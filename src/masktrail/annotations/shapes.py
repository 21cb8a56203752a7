"""What annotation tools draw around an object in one picture, as masks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.libraries import library
from masktrail.prompts.kinds import Box

Size = tuple[int, int]
"""(width, height) of a picture in pixels."""

Ring = NDArray[np.float64]
"""Corners (x, y) of a polygon in pixels, shape (N, 2)."""


CORNERS = 72
"""Of the polygon that an ellipse is drawn as."""


class Shape(Protocol):
    """One of them."""

    def mask(self, size: Size) -> NDArray[np.bool_] | None:
        """Pixels (H, W) of the object; None where the shape says no more than where it is."""
        ...

    def box(self, size: Size) -> Box | None:
        """What it lies in, in pixels, where that is all that is said."""
        ...


class _Mask:
    """A shape that says which pixels its object has."""

    def box(self, size: Size) -> None:
        return None


@dataclass(frozen=True)
class Rectangle:
    """A box, which is no mask.

    Attributes:
        corners: (x0, y0, x1, y1) in pixels, or in shares of width and height.
        relative: whether they are shares.
    """

    corners: tuple[float, float, float, float]
    relative: bool = False

    def mask(self, size: Size) -> None:
        return None

    def box(self, size: Size) -> Box:
        width, height = size if self.relative else (1, 1)
        x0, y0, x1, y1 = self.corners
        return Box(x0 * width, y0 * height, x1 * width, y1 * height)


@dataclass(frozen=True)
class Outline(_Mask):
    """A polygon whose corners lie in the outermost pixels of its object, as in labelme and YOLO.

    Attributes:
        ring: its corners, three or more: pixels, or shares of width and height.
        relative: whether they are shares.
    """

    ring: Ring
    relative: bool = False

    def mask(self, size: Size) -> NDArray[np.bool_]:
        """Borders included, by the even-odd rule, as labelme and OpenCV fill."""
        from PIL import Image, ImageDraw

        layer = Image.new("1", size)
        corners = np.floor(self.ring * (size if self.relative else 1)).astype(int)
        ImageDraw.Draw(layer).polygon([(x, y) for x, y in corners.tolist()], fill=1, outline=1)
        return np.asarray(layer)


@dataclass(frozen=True)
class CocoShape(_Mask):
    """What pycocotools reads: polygons, run lengths as numbers, or run lengths as text.

    Attributes:
        told: the value of `segmentation`.
    """

    told: Any

    def mask(self, size: Size) -> NDArray[np.bool_]:
        """As pycocotools decodes it.

        Raises:
            InputError: it is not installed, or cannot read it.
        """
        coco = library("pycocotools.mask", "pycocotools", "Reading COCO")
        width, height = size
        try:
            if isinstance(self.told, list):
                runs = coco.merge(coco.frPyObjects(self.told, height, width))
            else:
                runs = self._checked_runs()
            decoded = np.asarray(coco.decode(runs), bool)
        except Exception as error:  # whatever its C code meets
            raise InputError(f"a segmentation cannot be read ({error}).") from None
        if decoded.shape != (height, width):
            raise InputError(
                f"a segmentation is {decoded.shape[1]}x{decoded.shape[0]} where its picture is "
                f"{width}x{height}."
            )
        return decoded

    def _checked_runs(self) -> dict[str, Any]:
        """Run lengths as text; what does not fill its picture the library would read as noise."""
        height, width = self.told["size"]
        counts = self.told["counts"]
        coco = library("pycocotools.mask", "pycocotools", "Reading COCO")
        numbers = counts if isinstance(counts, list) else _run_lengths(counts)
        if sum(numbers) != height * width or min(numbers, default=0) < 0:
            raise ValueError(f"run lengths of {sum(numbers)} pixels for {width}x{height}")
        runs: dict[str, Any] = coco.frPyObjects(
            {"size": [height, width], "counts": numbers}, height, width
        )
        return runs


def _run_lengths(text: str) -> list[int]:
    """What COCO's text stands for: five bits a character, the least first, differences to the run
    before the last."""
    numbers: list[int] = []
    number = shift = 0
    for character in text:
        bits = ord(character) - 48
        number |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                number -= 1 << shift
            numbers.append(number + (numbers[-2] if len(numbers) > 2 else 0))
            number = shift = 0
    return numbers


@dataclass(frozen=True)
class Runs(_Mask):
    """Run lengths within a box, row by row, the first outside the object, as CVAT keeps them.

    Attributes:
        lengths: pixels outside, inside, outside, ...
        left: of the box, pixels.
        top: likewise.
        width: likewise.
        height: likewise.
    """

    lengths: Sequence[int]
    left: int
    top: int
    width: int
    height: int

    def mask(self, size: Size) -> NDArray[np.bool_]:
        """
        Raises:
            InputError: the lengths do not fill the box, or it lies outside of the picture.
        """
        whole = np.zeros(size[::-1], bool)
        inside = np.arange(len(self.lengths)) % 2 == 1
        pixels = np.repeat(inside, np.maximum(self.lengths, 0))
        place = np.s_[self.top : self.top + self.height, self.left : self.left + self.width]
        if pixels.size != self.width * self.height or whole[place].size != pixels.size:
            raise InputError(
                f"a mask has run lengths of {pixels.size} pixels for a box of "
                f"{self.width}x{self.height} at ({self.left}, {self.top}) in a picture of "
                f"{size[0]}x{size[1]}."
            )
        whole[place] = pixels.reshape(self.height, self.width)
        return whole


@dataclass(frozen=True, eq=False)
class Pasted(_Mask):
    """A mask of a part of the picture; what reaches beyond it is cut off.

    Attributes:
        pixels: of the object, bool (h, w).
        left: column of its first pixel in the picture.
        top: likewise, the row.
    """

    pixels: NDArray[np.bool_]
    left: int
    top: int

    def mask(self, size: Size) -> NDArray[np.bool_]:
        whole = np.zeros(size[::-1], bool)
        y, x = max(0, -self.top), max(0, -self.left)
        part = self.pixels[y : size[1] - self.top, x : size[0] - self.left]
        if part.size:
            top, left = self.top + y, self.left + x
            whole[top : top + part.shape[0], left : left + part.shape[1]] = part
        return whole


def ellipse(
    centre: tuple[float, float], radii: tuple[float, float], degrees: float = 0.0
) -> Outline:
    """An ellipse as a polygon, turned about its centre, clockwise as it is seen."""
    turns = np.linspace(0, 2 * math.pi, CORNERS, endpoint=False)
    around = np.stack([np.cos(turns) * radii[0], np.sin(turns) * radii[1]], 1)
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return Outline(np.asarray(centre) + around @ np.array([[c, s], [-s, c]]))


def size_of(width: object, height: object) -> Size | None:
    """A size in pixels, None where a tool leaves it out or says 0."""
    if not width or not height:
        return None
    return int(float(str(width))), int(float(str(height)))


def ring(numbers: Sequence[float]) -> Ring:
    """Corners of x, y, x, y, ...

    Raises:
        InputError: fewer than three, or half a corner.
    """
    corners = np.asarray(numbers, np.float64)
    if corners.size < 6 or corners.size % 2 or not np.isfinite(corners).all():
        raise InputError(f"a polygon has {corners.size} numbers; expected three x, y or more.")
    return corners.reshape(-1, 2)
