"""The network: a weight for each of three features of a pixel."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class PixelConfig:
    """How far a mask may move.

    Attributes:
        blur: side of the square, in pixels, over which the mask of the frame before is averaged.
    """

    blur: int = 9


class PixelNetwork(nn.Module):
    """Logits of a mask from distances of colours and from the mask of the frame before."""

    def __init__(self, config: PixelConfig | None = None) -> None:
        super().__init__()
        self.config = config or PixelConfig()
        self.weigh = nn.Conv2d(3, 1, 1)

    def forward(self, previous: Tensor, current: Tensor, mask: Tensor) -> Tensor:
        """Finds the object of the previous frame in the current one.

        Args:
            previous: RGB images (B, 3, H, W) in [0, 1].
            current: those that follow them, same shape.
            mask: soft masks (B, 1, H, W) of the previous images.

        Returns:
            Logits (B, 1, H, W).
        """
        distances = [_distance(current, _mean(previous, part)) for part in (mask, 1 - mask)]
        blur = self.config.blur
        near = F.avg_pool2d(mask, blur, 1, blur // 2, count_include_pad=False)
        logits: Tensor = self.weigh(torch.cat([*distances, near], 1))
        return logits


def _mean(images: Tensor, masks: Tensor) -> Tensor:
    """Mean colours (B, 3, 1, 1) of what masks (B, 1, H, W) cover."""
    covered = masks.sum((2, 3), keepdim=True).clamp_min(1)
    return (images * masks).sum((2, 3), keepdim=True) / covered


def _distance(images: Tensor, colours: Tensor) -> Tensor:
    """How far pixels are from a colour, (B, 1, H, W)."""
    return (images - colours).square().mean(1, keepdim=True).sqrt()
