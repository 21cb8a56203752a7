"""From a box or clicks to the mask of an object in a picture of any size, by a prompt network."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from masktrail.engines import Engine
from masktrail.geometry import Soft, Window
from masktrail.prompts.clicks import changed_at_clicks, enforce_clicks, extent
from masktrail.prompts.colour import mask_by_colour
from masktrail.prompts.kinds import Box, Points
from masktrail.tracking.competition import sigmoid
from masktrail.types import Image

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

FAR = (-1e4, -1e4)
"""Where clicks and boxes are that there are none of, pixels of the network's input."""

NOTHING = -20.0
"""Logit of what lies beyond a crop."""


class NetworkPrompter:
    """Masks from boxes and clicks.

    Clicks without a box or a mask are first looked at in the whole picture, then again in a crop
    around what was found there ("zoom-in", Sofiiuk et al., "f-BRS", CVPR 2020).

    Args:
        engine: of a `PromptNetwork`.
        sizes: sides of squares whose area a crop has inside the network, pixels, look by look.
        glance: the same of a whole picture.
    """

    def __init__(self, engine: Engine, sizes: Sequence[int] = SIZES, glance: int = GLANCE) -> None:
        self.engine, self.sizes, self.glance = engine, sizes, glance

    def warm_up(self, height: int, width: int, count: int, shown: int) -> Iterator[None]:
        """See `WarmingUp.warm_up`; the sizes of crops stay free."""
        return self.engine.warm_up({})

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
        before = _before(clicks, previous)
        soft = self._start(image, clicks) if before is None else before
        about = extent(clicks, soft > 0.5)
        side = max(LEAST, MARGIN * max(about.x1 - about.x0, about.y1 - about.y0))
        for size in self.sizes:
            window = self._window(about, side, image, size)
            soft = self._look(image, clicks, window, soft)
        mask = soft > 0.5
        if before is not None:
            mask = changed_at_clicks(before > 0.5, mask, clicks)
        if clicks.box is not None:
            mask &= _near(clicks.box, mask.shape)
            if not mask.any():
                mask = mask_by_colour(image, clicks.box)
        return enforce_clicks(mask, clicks)

    def _start(self, image: Image, clicks: Points) -> Soft:
        """The soft mask (H, W) to begin with, all 0 where a box says where to look."""
        nothing = np.zeros(image.shape[:2], np.float32)
        if clicks.box is not None:
            return nothing
        height, width = image.shape[:2]
        whole = self._window(Box(0, 0, width, height), max(height, width), image, self.glance)
        return self._look(image, clicks, whole, nothing)

    def _look(self, image: Image, clicks: Points, window: Window, before: Soft) -> Soft:
        """The network's soft mask (H, W) of what a window shows, nothing beyond it.

        The average of what it says of the window and of its mirror image.
        """
        on, off, boxes = _seen(clicks, window)
        previous = window.cut(before)[None, None]
        maps = self.engine.run("draw", on, off, boxes, previous)
        logits: NDArray[np.float32] = self.engine.array(
            self.engine.run("segment", window.cut(image)[None], maps)
        )
        return sigmoid(window.paste(logits[0, 0], image.shape[:2], NOTHING))

    def _window(self, about: Box, side: float, image: Image, size: int) -> Window:
        """A window of `side` around something, inside about as large as a square of `size`, its
        pixels as square as multiples of the stride allow."""
        stride = self.engine.stride
        window = Window.around(about, side, image.shape[:2], (0, 0))
        scale = size / math.sqrt(math.prod(window.size))
        height, width = (max(stride, round(n * scale / stride) * stride) for n in window.size)
        return replace(window, inner_height=height, inner_width=width)


def _before(clicks: Points, previous: Soft | None) -> Soft | None:
    """The soft mask (H, W) that clicks correct; None where they mark something by themselves."""
    if clicks.mask is not None:
        return clicks.mask.mask.astype(np.float32)
    if clicks.box is not None or previous is None:
        return None
    lost = not (previous > 0.5).any()  # so that there is nothing to correct
    return None if lost and any(clicks.labels) else previous


def _seen(clicks: Points, window: Window) -> tuple[NDArray[np.float32], ...]:
    """Clicks on the object (P, 2), off it (Q, 2), a box (1, 4), in pixels of the network's input;
    what is not there lies far off, since engines want one of each."""
    at = [window.point_in(*point) for point in clicks.points]
    on = [place for place, label in zip(at, clicks.labels, strict=True) if label]
    off = [place for place, label in zip(at, clicks.labels, strict=True) if not label]
    box = [FAR, FAR]
    if clicks.box is not None:
        corners = (clicks.box.x0, clicks.box.y0), (clicks.box.x1, clicks.box.y1)
        box = [window.point_in(*corner) for corner in corners]
    return (
        np.array(on or [FAR], np.float32),
        np.array(off or [FAR], np.float32),
        np.array(box, np.float32).reshape(1, 4),
    )


def _near(box: Box, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where (H, W) an object with such a box may be."""
    more_x, more_y = BEYOND * (box.x1 - box.x0), BEYOND * (box.y1 - box.y0)
    x, y = np.arange(shape[1]) + 0.5, np.arange(shape[0])[:, None] + 0.5
    across = (x > box.x0 - more_x) & (x < box.x1 + more_x)
    return across & (y > box.y0 - more_y) & (y < box.y1 + more_y)
