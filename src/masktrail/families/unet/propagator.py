"""Propagation from frame to frame: two frames and the soft mask of the first give the next mask."""

from typing import Annotated, Literal, Protocol

import torch
from torch import Tensor, nn

from masktrail.devices import fast_autocast
from masktrail.errors import InputError
from masktrail.geometry import Window
from masktrail.masks import tight_box
from masktrail.models.blocks import folded
from masktrail.settings import Range
from masktrail.tracking.last_frame import LastFrame
from masktrail.types import Box

OUTSIDE = -12.0
"""Logit of a pixel that was not looked at."""


class PairNetwork(Protocol):
    """What this propagator asks of a network, which is an `nn.Module` besides.

    Called with previous and current images (B, 3, H, W) and previous masks (B, 1, H, W), it gives
    logits (B, 1, H, W); H and W are multiples of `stride`.
    """

    stride: int


class PairPropagator(LastFrame):
    """Each object's mask goes back in as the network's soft map, never thresholded.

    State is the last image and the last soft masks. Objects share batches, one entry each.

    Args:
        network: on the device it is to run on; it is left as it is, what runs is a copy in eval
            mode with batch norms folded into convolutions.
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
        network: nn.Module,
        view: Literal["frame", "square", "object"] = "frame",
        side: Annotated[int, Range(16, 4096, 16)] = 256,
        margin: Annotated[float, Range(1)] = 2.0,
        smallest: Annotated[int, Range(1)] = 64,
        mirror: bool = False,
        batch: Annotated[int, Range(1)] = 4,
    ) -> None:
        super().__init__(next(network.parameters()).device)
        self.network = network
        stride: int = network.stride  # type: ignore[assignment]  # a `PairNetwork`
        if side % stride:
            raise InputError(f"side = {side}; this network needs a multiple of {stride}.")
        self.stride = stride if view == "frame" else 1  # a square comes from any size
        self.view, self.side = view, side
        self.margin, self.smallest = margin, smallest
        self.mirror, self.batch = mirror, batch
        self._quick = folded(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def propagate(self, image: Tensor, ids: list[int]) -> Tensor:
        """Looks at the next frame.

        Args:
            image: (1, 3, H, W) in [0, 1], sides multiples of `stride`.
            ids: objects to look for, all of them known.

        Returns:
            Logits (N, H, W), objects independent of each other.
        """
        pair = torch.cat([image if self.before is None else self.before, image])
        self.before = image
        if not ids:
            return image.new_empty(0, *image.shape[2:])
        groups = [ids[i : i + self.batch] for i in range(0, len(ids), self.batch)]
        return torch.cat([self._look(pair, [self.masks[i] for i in group]) for group in groups])

    def update(
        self, masks: dict[int, Tensor], scores: dict[int, float], prompted: set[int]
    ) -> None:
        """Keeps the network's own maps of the masks that were settled on."""
        self.masks = {i: unsharpened(mask) for i, mask in masks.items()}

    def _look(self, pair: Tensor, masks: list[Tensor]) -> Tensor:
        """Logits (N, H, W) of objects with masks (H, W) in a pair of images (2, 3, H, W)."""
        windows = [self._window(mask) for mask in masks]
        shown = {window: window.cut(pair) for window in set(windows)}
        images = torch.stack([shown[w] for w in windows], 1)  # (2, N, 3, h, w)
        before = torch.cat([w.cut(m[None, None]) for w, m in zip(windows, masks, strict=True)])
        inputs = (*images, before)
        logits = self._logits(*inputs)
        if self.mirror:
            mirrored = self._logits(*(x.flip(3) for x in inputs))
            logits = (logits + mirrored.flip(3)) / 2
        picture = (pair.shape[2], pair.shape[3])
        entries = zip(windows, logits.split(1), strict=True)
        return torch.cat([w.paste(entry, picture, OUTSIDE)[0] for w, entry in entries])

    def _logits(self, *inputs: Tensor) -> Tensor:
        """The network's logits, float (N, 1, h, w)."""
        with fast_autocast(self.device):
            logits: Tensor = self._quick(
                *(x.contiguous(memory_format=torch.channels_last) for x in inputs)
            )
        return logits.float()

    def _window(self, mask: Tensor) -> Window:
        """Where to look for an object whose last soft mask is (H, W)."""
        height, width = mask.shape
        if self.view == "frame":
            return Window(0, 0, width, height, height, width)
        box = tight_box((mask > 0.5).cpu().numpy()) if self.view == "object" else None
        if box is None:
            return Window(0, 0, width, height, self.side, self.side)
        longest = max(box[2] - box[0], box[3] - box[1])
        side = max(self.smallest, self.margin * longest)
        return Window.around(Box(*box), side, (height, width), (self.side, self.side))


def unsharpened(mask: Tensor) -> Tensor:
    """A soft mask as the network gave it, from one that `soft_aggregate` has settled.

    For an object alone, aggregation doubles the logit; halving it gives the network's own map back.
    Among several, what another object won stays lowered.
    """
    return (0.5 * mask.logit()).sigmoid()
