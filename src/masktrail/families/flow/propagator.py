"""Masks carried along optical flow: whatever a trained model adds, it adds to this."""

import numpy as np
from numpy.typing import NDArray

from masktrail.flow.estimators import Dis, kept
from masktrail.flow.warping import warped
from masktrail.tracking.competition import stacked
from masktrail.tracking.last_frame import LastFrame
from masktrail.types import Image


class FlowPropagator(LastFrame):
    """The masks of the last frame, moved along dense optical flow.

    It is computed from each frame back to the one before, so that every pixel knows where its label
    comes from.

    Raises:
        InputError: OpenCV is not installed.
    """

    stride = 1
    mask_stride = 1

    def __init__(self) -> None:
        super().__init__()
        self._estimate = kept(Dis("The model flow"), "dis")

    def propagate(self, image: Image, ids: list[int]) -> NDArray[np.float32]:
        """Logits (N, H, W) of the last masks seen through the image, uint8 RGB (H, W, 3)."""
        last, self.before = self.before, image
        size = image.shape[:2]
        if not ids or last is None:
            return stacked([], size)
        flow = self._estimate(image, last)
        return stacked([warped(self.masks[i], flow) for i in ids], size)
