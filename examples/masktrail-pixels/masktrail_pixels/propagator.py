"""From frame to frame."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from masktrail.engines import Engine
from masktrail.settings import Range
from masktrail.tracking.last_frame import LastFrame
from masktrail.types import Image


class PixelPropagator(LastFrame):
    """Keeps the last frame and the last masks, no more.

    Args:
        engine: of a `PixelNetwork`.
        sharpness: what logits are multiplied by.
    """

    stride = 1
    mask_stride = 1

    def __init__(self, engine: Engine, sharpness: Annotated[float, Range(0.1, 10)] = 1.0) -> None:
        super().__init__()
        self.engine, self.device, self.sharpness = engine, engine.device, sharpness

    def propagate(self, image: Image, ids: list[int]) -> NDArray[np.float32]:
        """Logits (N, H, W) of objects in the next frame (H, W, 3)."""
        last, self.before = self.before, image
        if not ids or last is None:
            return np.zeros((0, *image.shape[:2]), np.float32)
        masks = np.stack([self.masks[i] for i in ids])[:, None]
        frames = (np.stack([frame] * len(ids)) for frame in (last, image))
        logits = self.engine.array(self.engine.run("forward", *frames, masks))
        return self.sharpness * logits[:, 0]
