"""The first mask repeated: what any model has to beat."""

import numpy as np
from numpy.typing import NDArray

from masktrail.geometry import Soft
from masktrail.tracking.competition import stacked
from masktrail.tracking.last_frame import LastFrame
from masktrail.types import Image


class CopyPropagator(LastFrame):
    """Every object stays where the user marked it last."""

    stride = 1
    mask_stride = 1

    def propagate(self, image: Image, ids: list[int]) -> NDArray[np.float32]:
        """Logits (N, H, W) of the prompted masks, whatever the image (H, W, 3) shows."""
        return stacked([self.masks[i] for i in ids], image.shape[:2])

    def update(self, masks: dict[int, Soft], scores: dict[int, float], prompted: set[int]) -> None:
        """Keeps the soft masks (H, W) that came from the user."""
        self.masks.update({i: masks[i] for i in prompted})
