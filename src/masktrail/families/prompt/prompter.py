"""From a box or clicks to the mask of an object in a picture of any size, by a prompt network."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from masktrail.families.prompt.network import STRIDE, PromptNetwork, prompt_maps
from masktrail.geometry import Stretch, Window
from masktrail.prompts.clicks import extent, honour
from masktrail.prompts.colour import mask_by_colour
from masktrail.types import Box, Image, Points

SIZES = (256, 320)
"""Sides of squares, pixels, whose area a crop has inside the network, look by look: the second one
goes out from the mask of the first."""

GLANCE = 384
"""The same of a whole picture, where it is not known yet where to look."""

MARGIN = 1.6
"""Side of a crop over the longer side of what it is about; training's lie around it."""

LEAST = 48
"""Crops are no smaller, pixels."""

BEYOND = 0.1
"""An object goes beyond its box by no more than this share of the box's sides."""

NOTHING = -20.0
"""Logit of what lies beyond a crop."""

Soft = NDArray[np.float32]


class NetworkPrompter:
    """Masks from boxes and clicks.

    Clicks without a box or a mask are first looked at in the whole picture, then again in a crop
    around what was found there ("zoom-in", Sofiiuk et al., "f-BRS", CVPR 2020).

    Args:
        network: of the family "prompt".
        sizes: sides of squares whose area a crop has inside the network, pixels, look by look.
        glance: the same of a whole picture.
    """

    def __init__(
        self, network: PromptNetwork, sizes: Sequence[int] = SIZES, glance: int = GLANCE
    ) -> None:
        self.network, self.sizes, self.glance = network.eval(), sizes, glance

    @torch.inference_mode()
    def __call__(
        self, image: Image, prompt: Box | Points, previous: Soft | None = None
    ) -> NDArray[np.bool_]:
        """Mask of what a box or clicks are about.

        Args:
            image: uint8 RGB (H, W, 3).
            prompt: in pixels, inside the image.
            previous: soft mask (H, W) that clicks alone go out from.

        Returns:
            bool (H, W) with all positive clicks in it and no negative one; not empty unless all
            clicks are negative.
        """
        clicks = Points((), (), prompt) if isinstance(prompt, Box) else prompt
        soft = self._start(image, clicks, previous)
        about = extent(clicks, soft > 0.5)
        side = max(LEAST, MARGIN * max(about.x1 - about.x0, about.y1 - about.y0))
        for size in self.sizes:
            soft = self._look(image, clicks, _window(about, side, image, size), soft)
        mask = soft > 0.5
        if clicks.box is not None:
            mask &= _near(clicks.box, mask.shape)
            if not mask.any():
                mask = mask_by_colour(image, clicks.box)
        return honour(mask, clicks)

    def _start(self, image: Image, clicks: Points, previous: Soft | None) -> Soft:
        """The soft mask (H, W) that is to be corrected, all 0 where a box says where to look."""
        if clicks.mask is not None:
            return clicks.mask.mask.astype(np.float32)
        nothing = np.zeros(image.shape[:2], np.float32)
        if clicks.box is not None:
            return nothing
        if previous is not None:
            return previous
        height, width = image.shape[:2]
        whole = _window(Box(0, 0, width, height), max(height, width), image, self.glance)
        return self._look(image, clicks, whole, nothing)

    def _look(self, image: Image, clicks: Points, window: Window, before: Soft) -> Soft:
        """The network's soft mask (H, W) of what a window shows, nothing beyond it.

        The average of what it says of the window and of its mirror image.
        """
        device = next(self.network.parameters()).device
        inner = (window.inner_height, window.inner_width)
        shown = image[window.y0 : window.y1, window.x0 : window.x1]
        pixels = Stretch(*window.size, *inner).image_in(shown, device)
        maps = prompt_maps(_seen(clicks, window), *inner)[None].to(device)
        previous = window.cut(torch.from_numpy(before)[None, None].to(device))
        given = (pixels, maps, previous)
        both = self.network(*(torch.cat([x, x.flip(3)]) for x in given)).float()
        logits = (both[:1] + both[1:].flip(3)) / 2
        soft = window.paste(logits, image.shape[:2], NOTHING).sigmoid()
        return soft[0, 0].cpu().numpy()


def _window(about: Box, side: float, image: Image, size: int) -> Window:
    """A window of `side` around something, inside about as large as a square of `size`, its pixels
    as square as multiples of the stride allow."""
    window = Window.around(about, side, image.shape[:2], (0, 0))
    scale = size / math.sqrt(math.prod(window.size))
    inner = (max(STRIDE, round(n * scale / STRIDE) * STRIDE) for n in window.size)
    height, width = inner
    return replace(window, inner_height=height, inner_width=width)


def _seen(clicks: Points, window: Window) -> Points:
    """Clicks and a box in pixels of the network's input."""
    box = clicks.box
    if box is not None:
        box = Box(*window.point_in(box.x0, box.y0), *window.point_in(box.x1, box.y1))
    return Points([window.point_in(x, y) for x, y in clicks.points], clicks.labels, box)


def _near(box: Box, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where (H, W) an object with such a box may be."""
    more_x, more_y = BEYOND * (box.x1 - box.x0), BEYOND * (box.y1 - box.y0)
    x, y = np.arange(shape[1]) + 0.5, np.arange(shape[0])[:, None] + 0.5
    across = (x > box.x0 - more_x) & (x < box.x1 + more_x)
    return across & (y > box.y0 - more_y) & (y < box.y1 + more_y)
