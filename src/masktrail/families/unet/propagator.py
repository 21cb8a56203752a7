"""Propagation from frame to frame: two frames and the soft mask of the first give the next mask."""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from masktrail.engines import Engine
from masktrail.errors import InputError
from masktrail.geometry import Soft, Window
from masktrail.masks import tight_box
from masktrail.settings import Range
from masktrail.tracking.competition import sigmoid, to_logits
from masktrail.tracking.last_frame import LastFrame
from masktrail.types import Box, Image

OUTSIDE = -12.0
"""Logit of a pixel that was not looked at."""


class PairPropagator(LastFrame):
    """Each object's mask goes back in as the network's soft map, never thresholded.

    State is the last image and the last soft masks. Objects share batches, one entry each.

    Args:
        engine: of a network whose `forward` takes previous and current images (B, 3, H, W) and
            previous masks (B, 1, H, W) to logits (B, 1, H, W).
        view: what the network is shown. "frame": the picture at the size it comes in. "square":
            the same stretched to a square, as in the project's report. "object": a window around
            the object's last mask, enlarged or reduced to a square; the whole picture stretched
            to it where the object is lost.
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
        view: Literal["frame", "square", "object"] = "frame",
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
        self.view, self.side = view, side
        self.margin, self.smallest = margin, smallest
        self.mirror, self.batch = mirror, batch

    def propagate(self, image: Image, ids: list[int]) -> NDArray[np.float32]:
        """Looks at the next frame.

        Args:
            image: uint8 RGB (H, W, 3), sides multiples of `stride`.
            ids: objects to look for, all of them known.

        Returns:
            Logits (N, H, W), objects independent of each other.
        """
        last, self.before = self.before, image
        if not ids or last is None:
            return np.zeros((0, *image.shape[:2]), np.float32)
        groups = [ids[i : i + self.batch] for i in range(0, len(ids), self.batch)]
        masks = [[self.masks[i] for i in group] for group in groups]
        return np.concatenate([self._look((last, image), group) for group in masks])

    def update(self, masks: dict[int, Soft], scores: dict[int, float], prompted: set[int]) -> None:
        """Keeps the network's own maps of the masks that were settled on."""
        self.masks = {i: unsharpened(mask) for i, mask in masks.items()}

    def _look(self, pair: tuple[Image, Image], masks: list[Soft]) -> NDArray[np.float32]:
        """Logits (N, H, W) of objects with masks (H, W) in a pair of images (H, W, 3)."""
        windows = [self._window(mask) for mask in masks]
        crops = {window: [window.cut(image) for image in pair] for window in set(windows)}
        previous, current = (np.stack([crops[w][i] for w in windows]) for i in (0, 1))
        before = np.stack([w.cut(m) for w, m in zip(windows, masks, strict=True)])[:, None]
        logits = self._logits(previous, current, before)
        if self.mirror:
            mirrored = self._logits(previous[:, :, ::-1], current[:, :, ::-1], before[..., ::-1])
            logits = np.float32(0.5) * (logits + mirrored[..., ::-1])
        height, width = pair[0].shape[:2]
        entries = zip(windows, logits, strict=True)
        return np.stack([w.paste(entry, (height, width), OUTSIDE) for w, entry in entries])

    def _logits(
        self, previous: Image, current: Image, before: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The network's logits (N, h, w) of images (N, h, w, 3) and masks (N, 1, h, w)."""
        logits: NDArray[np.float32] = self.engine.array(
            self.engine.run("forward", previous, current, before)
        )
        return logits[:, 0]

    def _window(self, mask: Soft) -> Window:
        """Where to look for an object whose last soft mask is (H, W)."""
        height, width = mask.shape
        if self.view == "frame":
            return Window(0, 0, width, height, height, width)
        box = tight_box(mask > 0.5) if self.view == "object" else None
        if box is None:
            return Window(0, 0, width, height, self.side, self.side)
        longest = max(box[2] - box[0], box[3] - box[1])
        side = max(self.smallest, self.margin * longest)
        return Window.around(Box(*box), side, (height, width), (self.side, self.side))


def unsharpened(mask: Soft) -> Soft:
    """A soft mask as the network gave it, from one that `soft_aggregate` has settled.

    For an object alone, aggregation doubles the logit; halving it gives the network's own map back.
    Among several, what another object won stays lowered.
    """
    return sigmoid(0.5 * to_logits(mask, 0.0))
