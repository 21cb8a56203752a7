"""How a network is shown objects one by one: each through a window of its own."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from masktrail.geometry import Soft, Window
from masktrail.masks import tight_box
from masktrail.prompts.kinds import Box

OUTSIDE = -12.0
"""Logit of a pixel that was not looked at."""

Kind = Literal["frame", "square", "object"]

Network = Callable[..., NDArray[np.float32]]


class View(NamedTuple):
    """What a network is shown of an object.

    Attributes:
        kind: "frame": the picture at the size it comes in. "square": the same stretched to a
            square. "object": a window around the object's last mask, enlarged or reduced to a
            square; the whole picture stretched to it where the object is lost.
        side: of the square in pixels, in the last two.
        margin: side of the window over the longest side of the mask's box.
        smallest: side of the smallest window, in pixels of the picture.
        mirror: whether all is looked at a second time, left and right exchanged, and the mean of
            both logits taken.
        batch: objects that are looked at together; more take more memory.
    """

    kind: Kind
    side: int
    margin: float
    smallest: int
    mirror: bool
    batch: int

    def window(self, mask: Soft) -> Window:
        """Where to look for an object whose soft mask is (H, W)."""
        height, width = mask.shape
        if self.kind == "frame":
            return Window(0, 0, width, height, height, width)
        box = tight_box(mask > 0.5) if self.kind == "object" else None
        if box is None:
            return Window(0, 0, width, height, self.side, self.side)
        longest = max(box[2] - box[0], box[3] - box[1])
        side = max(self.smallest, self.margin * longest)
        return Window.around(Box(*box), side, (height, width), (self.side, self.side))

    def logits(
        self, pictures: Sequence[NDArray[Any]], masks: Sequence[Soft], network: Network
    ) -> NDArray[np.float32]:
        """What a network says of objects.

        Args:
            pictures: that all objects share, uint8 (H, W, 3) or maps, float32 (H, W).
            masks: of the objects (H, W), at least one.
            network: from what windows show of the pictures, (N, h, w, 3) or (N, h, w) each, and of
                the masks (N, 1, h, w), to logits (N, 1, h, w).

        Returns:
            (N, H, W), `OUTSIDE` where an object was not looked for.
        """
        groups = [masks[i : i + self.batch] for i in range(0, len(masks), self.batch)]
        return np.concatenate([self._together(pictures, group, network) for group in groups])

    def _together(
        self, pictures: Sequence[NDArray[Any]], masks: Sequence[Soft], network: Network
    ) -> NDArray[np.float32]:
        windows = [self.window(mask) for mask in masks]
        cut = {window: [window.cut(picture) for picture in pictures] for window in set(windows)}
        seen = [np.stack([cut[w][i] for w in windows]) for i in range(len(pictures))]
        before = np.stack([w.cut(m) for w, m in zip(windows, masks, strict=True)])[:, None]
        logits = network(*seen, before)[:, 0]
        if self.mirror:
            mirrored = network(*(x[:, :, ::-1] for x in seen), before[..., ::-1])[:, 0]
            logits = np.float32(0.5) * (logits + mirrored[..., ::-1])
        size = masks[0].shape
        entries = zip(windows, logits, strict=True)
        return np.stack([w.paste(entry, size, OUTSIDE) for w, entry in entries])
