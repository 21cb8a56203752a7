"""Propagation from frame to frame: two frames and the soft mask of the first give the next mask."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from masktrail.engines import Engine
from masktrail.errors import InputError
from masktrail.geometry import Soft
from masktrail.settings import Range
from masktrail.tracking.last_frame import OwnMaps
from masktrail.tracking.view import Kind, View
from masktrail.types import Image


class PairPropagator(OwnMaps):
    """Each object's mask goes back in as the network's soft map, never thresholded.

    State is the last image and the last soft masks. Objects share batches, one entry each.

    Args:
        engine: of a network whose `forward` takes previous and current images (B, 3, H, W) and
            previous masks (B, 1, H, W) to logits (B, 1, H, W).
        view: what the network is shown, see `View.kind`; "square" is as in the project's report.
        side: of the square in pixels, in the last two views.
        margin: side of the window over the longest side of the mask's box.
        smallest: side of the smallest window, in pixels of the picture.
        mirror: whether every picture is looked at a second time, left and right exchanged, and the
            mean of both logits taken.
        batch: objects that are looked at together; more take more memory.

    Raises:
        InputError: a side that the network cannot take.
    """

    mask_stride = 1

    def __init__(
        self,
        engine: Engine,
        view: Kind = "frame",
        side: Annotated[int, Range(16, 4096, 16)] = 256,
        margin: Annotated[float, Range(1)] = 2.0,
        smallest: Annotated[int, Range(1)] = 64,
        mirror: bool = False,
        batch: Annotated[int, Range(1)] = 4,
    ) -> None:
        super().__init__()
        if side % engine.stride:
            raise InputError(f"side = {side}; this network needs a multiple of {engine.stride}.")
        self.engine, self.device = engine, engine.device
        self.stride = engine.stride if view == "frame" else 1  # a square comes from any size
        self.view = View(view, side, margin, smallest, mirror, batch)

    def find(self, before: Image, now: Image, masks: list[Soft]) -> NDArray[np.float32]:
        """See `LastFrame.find`."""
        return self.view.logits((before, now), masks, self._logits)

    def _logits(
        self, previous: Image, current: Image, before: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The network's logits (N, 1, h, w) of images (N, h, w, 3) and masks (N, 1, h, w)."""
        logits: NDArray[np.float32] = self.engine.array(
            self.engine.run("forward", previous, current, before)
        )
        return logits
