"""Masks carried along optical flow: whatever a trained model adds, it adds to this."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.geometry import Soft
from masktrail.tracking.competition import stacked
from masktrail.tracking.last_frame import LastFrame
from masktrail.types import Image


class FlowPropagator(LastFrame):
    """The masks of the last frame, moved along dense optical flow.

    Source of the flow: DIS (Kroeger et al., "Fast Optical Flow using Dense Inverse Search",
    ECCV 2016) in OpenCV's version, medium preset. It is computed from each frame back to the one
    before, so that every pixel knows where its label comes from.

    Raises:
        InputError: OpenCV is not installed.
    """

    stride = 1
    mask_stride = 1

    def __init__(self) -> None:
        super().__init__()
        self._cv2 = _opencv()
        self._flow = self._cv2.DISOpticalFlow_create(self._cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def look(self, image: Image) -> NDArray[np.uint8]:
        """The image, uint8 RGB (H, W, 3), in grey (H, W)."""
        grey: NDArray[np.uint8] = self._cv2.cvtColor(image, self._cv2.COLOR_RGB2GRAY)
        return grey

    def propagate(self, grey: NDArray[np.uint8], ids: list[int]) -> NDArray[np.float32]:
        """Logits (N, H, W) of the last masks seen through the image, which is grey (H, W)."""
        last = self.before
        self.before = grey
        if not ids or last is None:
            return stacked([], grey.shape)
        origin = self._origin(grey, last)
        return stacked([self._warp(self.masks[i], origin) for i in ids], grey.shape)

    def _origin(self, grey: NDArray[np.uint8], last: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Where in the last picture (H, W) each pixel of this one was: (x, y), (H, W, 2)."""
        height, width = grey.shape
        x, y = np.meshgrid(np.arange(width), np.arange(height))
        flow = self._flow.calc(grey, last, None)
        return (flow + np.stack([x, y], -1)).astype(np.float32)

    def _warp(self, mask: Soft, origin: NDArray[np.float32]) -> Soft:
        warped: Soft = self._cv2.remap(mask, origin, None, self._cv2.INTER_LINEAR)
        return warped  # what comes from outside the picture is 0


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise InputError(
            "The model flow needs OpenCV's optical flow, which is not installed; "
            "install it with: pip install 'masktrail[flow]'"
        ) from error
    return cv2
