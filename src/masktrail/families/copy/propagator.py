"""The first mask repeated: what any model has to beat."""

from typing import Any

import torch
from torch import Tensor

from masktrail.models.aggregate import to_logits


class CopyPropagator:
    """Every object stays where the user marked it last."""

    stride = 1
    mask_stride = 1

    def __init__(self) -> None:
        self.device = torch.device("cpu")
        self._masks: dict[int, Tensor] = {}

    def propagate(self, image: Tensor, ids: list[int]) -> Tensor:
        """Logits (N, H, W) of the prompted masks, whatever the image (1, 3, H, W) shows."""
        return to_logits([self._masks[i] for i in ids], image.shape[2:])

    def update(
        self, masks: dict[int, Tensor], scores: dict[int, float], prompted: set[int]
    ) -> None:
        """Keeps the soft masks (H, W) that came from the user."""
        self._masks.update({i: masks[i] for i in prompted})

    def forget(self, object_id: int) -> None:
        """Drops an object's mask."""
        self._masks.pop(object_id, None)

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on, as tensors and plain values."""
        return {"masks": dict(self._masks)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts back what `state_dict` gave."""
        self._masks = dict(state["masks"])
