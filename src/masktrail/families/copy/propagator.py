"""The first mask repeated: what any model has to beat."""

import torch
from torch import Tensor

from masktrail.models.aggregate import to_logits
from masktrail.tracking.last_frame import LastFrame


class CopyPropagator(LastFrame):
    """Every object stays where the user marked it last."""

    stride = 1
    mask_stride = 1

    def __init__(self) -> None:
        super().__init__(torch.device("cpu"))

    def propagate(self, image: Tensor, ids: list[int]) -> Tensor:
        """Logits (N, H, W) of the prompted masks, whatever the image (1, 3, H, W) shows."""
        return to_logits([self.masks[i] for i in ids], image.shape[2:])

    def update(
        self, masks: dict[int, Tensor], scores: dict[int, float], prompted: set[int]
    ) -> None:
        """Keeps the soft masks (H, W) that came from the user."""
        self.masks.update({i: masks[i] for i in prompted})
