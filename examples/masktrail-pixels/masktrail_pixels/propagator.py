"""From frame to frame."""

from typing import Annotated, Any

import torch
from torch import Tensor

from masktrail.settings import Range
from masktrail_pixels.network import PixelNetwork


class PixelPropagator:
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
        self.network, self.sharpness = network, sharpness
        self.device = next(network.parameters()).device
        self._last: Tensor | None = None
        self._masks: dict[int, Tensor] = {}

    def propagate(self, image: Tensor, ids: list[int]) -> Tensor:
        """Logits (N, H, W) of objects in the next frame (1, 3, H, W)."""
        last, self._last = self._last, image
        if not ids or last is None:
            return image.new_empty(0, *image.shape[2:])
        masks = torch.stack([self._masks[i] for i in ids])[:, None]
        frames = (frame.expand(len(ids), -1, -1, -1) for frame in (last, image))
        logits: Tensor = self.network(*frames, masks)[:, 0]
        return self.sharpness * logits

    def update(
        self, masks: dict[int, Tensor], scores: dict[int, float], prompted: set[int]
    ) -> None:
        """Takes the soft masks (H, W) that were settled on."""
        self._masks = dict(masks)

    def forget(self, object_id: int) -> None:
        """Drops an object's mask."""
        self._masks.pop(object_id, None)

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on."""
        return {"masks": dict(self._masks), "last": self._last}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts back what `state_dict` gave."""
        self._masks, self._last = dict(state["masks"]), state["last"]
