"""Masks carried along optical flow: whatever a trained model adds, it adds to this."""

import numpy as np
from numpy.typing import NDArray

from masktrail.flow.estimators import Dis, kept
from masktrail.flow.warping import warped
from masktrail.geometry import Soft
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
        self._dis = Dis("The model flow")
        self._estimate = kept(self._dis, "dis")

    def look(self, image: Image) -> NDArray[np.uint8]:
        """The image, uint8 RGB (H, W, 3), in grey (H, W)."""
        return self._dis.grey(image)

    def find(self, before: Image, now: Image, masks: list[Soft]) -> NDArray[np.float32]:
        """See `LastFrame.find`."""
        flow = self._estimate(now, before)
        return stacked([warped(mask, flow) for mask in masks], now.shape[:2])
