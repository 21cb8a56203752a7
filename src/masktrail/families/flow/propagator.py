"""Masks carried along optical flow: whatever a trained model adds, it adds to this."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masktrail.errors import InputError
from masktrail.models.aggregate import to_logits
from masktrail.tracking.last_frame import LastFrame


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
        super().__init__(torch.device("cpu"))
        self._cv2 = _opencv()
        self._flow = self._cv2.DISOpticalFlow_create(self._cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def propagate(self, image: Tensor, ids: list[int]) -> Tensor:
        """Logits (N, H, W) of the last masks seen through the image (1, 3, H, W) in [0, 1]."""
        grey, last = _grey(image), self.before
        self.before = grey
        if not ids or last is None:
            return to_logits([], image.shape[2:])
        origin = self._origin(grey.numpy(), last.numpy())
        return to_logits([self._warp(self.masks[i], origin) for i in ids], image.shape[2:])

    def _origin(self, grey: NDArray[np.uint8], last: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Where in the last picture (H, W) each pixel of this one was: (x, y), (H, W, 2)."""
        height, width = grey.shape
        x, y = np.meshgrid(np.arange(width), np.arange(height))
        flow = self._flow.calc(grey, last, None)
        return (flow + np.stack([x, y], -1)).astype(np.float32)

    def _warp(self, mask: Tensor, origin: NDArray[np.float32]) -> Tensor:
        warped = self._cv2.remap(mask.numpy(), origin, None, self._cv2.INTER_LINEAR)
        return torch.from_numpy(warped)  # what comes from outside the picture is 0


def _grey(image: Tensor) -> Tensor:
    """RGB (1, 3, H, W) in [0, 1] to luma, uint8 (H, W); weights of ITU-R BT.601."""
    weights = image.new_tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    return (image[0] * weights).sum(0).mul(255).round().to(torch.uint8)


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise InputError(
            "The model flow needs OpenCV's optical flow, which is not installed; "
            "install it with: pip install 'masktrail[flow]'"
        ) from error
    return cv2
