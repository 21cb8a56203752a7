"""Between the size of a video and the size a network works at; coordinates included.

A frame is stretched to multiples of the network's stride instead of being padded: the change of
aspect is at most half a stride per side, there are no borders to learn, and the inverse is the same
stretch back. A network may then look through a window at a part of the frame.
"""

import math
import threading
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from masktrail.prompts.kinds import Box
from masktrail.types import Image

Soft = NDArray[np.float32]
"""One value per pixel, (h, w): a soft mask or logits."""

PixelBox = tuple[int, int, int, int]
"""(x0, y0, x1, y1) of whole pixels, end exclusive."""

Values = TypeVar("Values", Image, Soft)

GAP = 1.4
"""Pictures are first reduced by whole factors to at most this many times their size inside, which
is quicker and hardly to be told from averaging at once."""


@dataclass(frozen=True)
class Stretch:
    """A change of size from (height, width) outside to (inner_height, inner_width) inside."""

    height: int
    width: int
    inner_height: int
    inner_width: int

    @classmethod
    def to_short_side(cls, height: int, width: int, short: int, stride: int) -> "Stretch":
        """The stretch whose shorter inner side is about `short`, both multiples of `stride`.

        Frames are never enlarged by more than the rounding.
        """
        scale = min(1.0, short / min(height, width))
        inner = (max(stride, round(side * scale / stride) * stride) for side in (height, width))
        return cls(height, width, *inner)

    def point_in(self, x: float, y: float) -> tuple[float, float]:
        """Outside position (pixels, continuous) to inside position."""
        return x * self.inner_width / self.width, y * self.inner_height / self.height

    def point_out(self, x: float, y: float) -> tuple[float, float]:
        """Inside position (pixels, continuous) to outside position."""
        return x * self.width / self.inner_width, y * self.height / self.inner_height

    def box_in(self, box: Box) -> Box:
        """Outside box to inside box."""
        return Box(*self.point_in(box.x0, box.y0), *self.point_in(box.x1, box.y1))

    def box_out(self, box: PixelBox, inner: tuple[int, int]) -> PixelBox:
        """Whole outside pixels around a box of pixels of a map that is `inner` (h, w) large."""
        scale_x, scale_y = self.width / inner[1], self.height / inner[0]
        return (
            max(0, math.floor(box[0] * scale_x)),
            max(0, math.floor(box[1] * scale_y)),
            min(self.width, math.ceil(box[2] * scale_x)),
            min(self.height, math.ceil(box[3] * scale_y)),
        )

    def image_in(self, image: Image) -> Image:
        """uint8 RGB (height, width, 3) to (inner_height, inner_width, 3), always a new array.

        It is interpolated, and averaged where it shrinks, by FFmpeg, which is quicker at it than
        Pillow is and gives the same but for a level here and there.
        """
        if (self.height, self.width) == (self.inner_height, self.inner_width):
            return image.copy("C")
        return _scaled(image, self.inner_height, self.inner_width)

    def mask_in(self, mask: NDArray[np.bool_], stride: int) -> Soft:
        """bool (height, width) to coverage (inner_height/stride, inner_width/stride) in [0, 1]."""
        size = (self.inner_height // stride, self.inner_width // stride)
        return resampled(mask.astype(np.float32), size).clip(0, 1)

    def logits_out(self, logits: Soft, box: PixelBox | None = None) -> Soft:
        """Logits (h, w) of any inner resolution to (height, width), or to the part in a box."""
        x0, y0, x1, y1 = box or (0, 0, self.width, self.height)
        scale_x, scale_y = logits.shape[1] / self.width, logits.shape[0] / self.height
        part = (x0 * scale_x, y0 * scale_y, x1 * scale_x, y1 * scale_y)
        return resampled(logits, (y1 - y0, x1 - x0), part)


@dataclass(frozen=True)
class Window:
    """A rectangle of a picture, from (x0, y0) to (x1, y1) end exclusive, and its size inside.

    It lies in the picture and begins and ends between pixels, so that cutting it out loses nothing;
    inside it is resampled to (inner_height, inner_width).
    """

    x0: int
    y0: int
    x1: int
    y1: int
    inner_height: int
    inner_width: int

    @classmethod
    def around(
        cls, box: Box, side: float, picture: tuple[int, int], inner: tuple[int, int]
    ) -> "Window":
        """A square around the middle of a box, moved to lie in the picture.

        Where the picture is smaller than the square, the window ends with it and is no square.

        Args:
            box: of whole pixels, in the picture, no longer than `side`.
            side: of the square, in pixels.
            picture: height and width.
            inner: height and width inside.
        """
        x0, x1 = _span(box.x0, box.x1, side, picture[1])
        y0, y1 = _span(box.y0, box.y1, side, picture[0])
        return cls(x0, y0, x1, y1, *inner)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in the picture."""
        return self.y1 - self.y0, self.x1 - self.x0

    def point_in(self, x: float, y: float) -> tuple[float, float]:
        """Position in the picture (pixels, continuous) to position inside."""
        height, width = self.size
        return (x - self.x0) * self.inner_width / width, (y - self.y0) * self.inner_height / height

    def point_out(self, x: float, y: float) -> tuple[float, float]:
        """Position inside (pixels, continuous) to position in the picture."""
        height, width = self.size
        return self.x0 + x * width / self.inner_width, self.y0 + y * height / self.inner_height

    def cut(self, values: Values) -> Values:
        """What the window shows of a picture, uint8 (H, W, 3), or of a map, float32 (H, W).

        Args:
            values: the picture or the map.

        Returns:
            (inner_height, inner_width, ...); no copy where the window is as large inside.
        """
        crop = values[self.y0 : self.y1, self.x0 : self.x1]
        return resampled(crop, (self.inner_height, self.inner_width))

    def paste(self, logits: Soft, picture: tuple[int, int], outside: float) -> Soft:
        """Logits (inner_height, inner_width) back to where they belong.

        Args:
            logits: of what the window shows.
            picture: height and width.
            outside: the logit of everything beyond the window.

        Returns:
            Of the size of the picture.
        """
        out = np.full(picture, outside, np.float32)
        out[self.y0 : self.y1, self.x0 : self.x1] = resampled(logits, self.size)
        return out


_here = threading.local()


def _scaled(image: Image, height: int, width: int) -> Image:
    """A picture (H, W, 3) at another size."""
    import av
    from av.video.reformatter import Interpolation, VideoReformatter

    if not hasattr(_here, "scaler"):  # which remembers what the last picture took
        _here.scaler = VideoReformatter()
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    how = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
    how |= Interpolation.FULL_CHR_H_INP | Interpolation.FULL_CHR_H_INT  # or colours are skipped
    sizes = {"height": height, "width": width, "interpolation": how, "threads": 1}
    scaled: Image = _here.scaler.reformat(frame, format="rgb24", **sizes).to_ndarray()
    return scaled


def _span(start: float, end: float, length: float, limit: int) -> tuple[int, int]:
    """First and last pixel, exclusive, of about `length` around a stretch of a line of `limit`."""
    pixels = min(math.ceil(length), limit)
    first = math.floor((start + end - pixels) / 2)
    first = min(max(first, 0), limit - pixels)
    return first, first + pixels


def resampled(
    values: Values, size: tuple[int, int], part: tuple[float, float, float, float] | None = None
) -> Values:
    """A picture or a map at another size: interpolated where it grows, averaged where it shrinks.

    Args:
        values: picture, uint8 (H, W, 3), or map, float32 (H, W).
        size: height and width.
        part: (x0, y0, x1, y1) of it that is wanted, continuous; what lies around it counts at its
            edges.

    Returns:
        (*size, ...), and no copy where that is the size it has.
    """
    height, width = values.shape[:2]
    if size == (height, width) and (part or (0, 0, width, height)) == (0, 0, width, height):
        return values
    gap = GAP if values.dtype == np.uint8 else None
    picture = Picture.fromarray(np.ascontiguousarray(values))
    resized = picture.resize(size[::-1], Picture.Resampling.BILINEAR, part, gap)
    return np.asarray(resized)
