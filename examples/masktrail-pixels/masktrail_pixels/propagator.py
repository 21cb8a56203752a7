"""From frame to frame."""

from typing import Annotated

import torch
from torch import Tensor

from masktrail.settings import Range
from masktrail.tracking.last_frame import LastFrame
from masktrail_pixels.network import PixelNetwork


class PixelPropagator(LastFrame):
    """Keeps the last frame and the last masks, no more.

    Args:
        network: on the device it is to run on.
        sharpness: what logits are multiplied by.
    """

    stride = 1
    mask_stride = 1

    def __init__(
        self, network: PixelNetwork, sharpness: Annotated[float, Range(0.1, 10)] = 1.0
    ) -> None:
        super().__init__(next(network.parameters()).device)
        self.network, self.sharpness = network, sharpness

    def propagate(self, image: Tensor, ids: list[int]) -> Tensor:
        """Logits (N, H, W) of objects in the next frame (1, 3, H, W)."""
        last, self.before = self.before, image
        if not ids or last is None:
            return image.new_empty(0, *image.shape[2:])
        masks = torch.stack([self.masks[i] for i in ids])[:, None]
        frames = (frame.expand(len(ids), -1, -1, -1) for frame in (last, image))
        logits: Tensor = self.network(*frames, masks)[:, 0]
        return self.sharpness * logits
