"""Between the size of a video and the size a network works at; coordinates included.

A frame is stretched to multiples of the network's stride instead of being padded: the change of
aspect is at most half a stride per side, there are no borders to learn, and the inverse is the same
stretch back.
"""

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
