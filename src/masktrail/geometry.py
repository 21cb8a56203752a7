"""Between the size of a video and the size a network works at; coordinates included.

A frame is stretched to multiples of the network's stride instead of being padded: the change of
aspect is at most half a stride per side, there are no borders to learn, and the inverse is the same
stretch back. A network may then look through a window at a part of the frame.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from masktrail.types import Box, Image


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

    def image_in(self, image: Image, device: torch.device) -> Tensor:
        """uint8 RGB (height, width, 3) to float (1, 3, inner_height, inner_width) in [0, 1]."""
        # torch takes neither views that run backwards (BGR turned to RGB) nor read-only arrays
        pixels = torch.from_numpy(np.require(image, requirements=["C", "W"])).permute(2, 0, 1)[None]
        size = (self.inner_height, self.inner_width)
        if size != (self.height, self.width):
            pixels = F.interpolate(pixels, size, mode="bilinear", antialias=True)
        return pixels.to(device).float() / 255

    def mask_in(self, mask: NDArray[np.bool_], stride: int, device: torch.device) -> Tensor:
        """bool (height, width) to coverage (inner_height/stride, inner_width/stride) in [0, 1]."""
        size = (self.inner_height // stride, self.inner_width // stride)
        soft = torch.from_numpy(mask.astype(np.float32))[None, None].to(device)
        return F.interpolate(soft, size, mode="bilinear", antialias=True)[0, 0].clamp(0, 1)

    def logits_out(self, logits: Tensor) -> Tensor:
        """Logits (C, h, w) of any inner resolution to (C, height, width)."""
        return F.interpolate(logits[None], (self.height, self.width), mode="bilinear")[0]


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

    def cut(self, pictures: Tensor) -> Tensor:
        """Float pictures (B, C, H, W) to what the window shows, (B, C, inner_height, inner_width).

        Unchanged, and no copy, where the window is as large inside as outside.
        """
        shown = pictures[..., self.y0 : self.y1, self.x0 : self.x1]
        return _resample(shown, (self.inner_height, self.inner_width))

    def paste(self, logits: Tensor, picture: tuple[int, int], outside: float) -> Tensor:
        """Logits (B, C, inner_height, inner_width) back to where they belong.

        Args:
            logits: of what the window shows.
            picture: height and width.
            outside: the logit of everything beyond the window.

        Returns:
            (B, C, *picture).
        """
        out = logits.new_full((*logits.shape[:2], *picture), outside)
        out[..., self.y0 : self.y1, self.x0 : self.x1] = _resample(logits, self.size)
        return out


def _span(start: float, end: float, length: float, limit: int) -> tuple[int, int]:
    """First and last pixel, exclusive, of about `length` around a stretch of a line of `limit`."""
    pixels = min(math.ceil(length), limit)
    first = math.floor((start + end - pixels) / 2)
    first = min(max(first, 0), limit - pixels)
    return first, first + pixels


def _resample(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """Float pictures (B, C, h, w) at another size, averaged where they shrink."""
    if pictures.shape[2:] == size:
        return pictures
    return F.interpolate(pictures, size, mode="bilinear", antialias=True)
