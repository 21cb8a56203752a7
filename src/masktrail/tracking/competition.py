"""From one map of logits per object to one label per pixel."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masktrail.geometry import PixelBox, Soft, Stretch
from masktrail.masks import tight_box
from masktrail.types import LabelMap

EPSILON = 1e-4
"""Probabilities stay this far from 0 and 1 where they become logits."""

CLAMP = 1e-7
"""Those that compete stay this far from 0 and 1, so that logits stay finite."""


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of logits."""
    with np.errstate(over="ignore"):
        soft: NDArray[np.float32] = np.reciprocal(1 + np.exp(-logits))
    return soft


def to_logits(soft: NDArray[np.float32], epsilon: float = EPSILON) -> NDArray[np.float32]:
    """Logits of probabilities, which stay `epsilon` away from 0 and 1."""
    inside = soft.clip(epsilon, 1 - epsilon)
    with np.errstate(divide="ignore"):
        return np.log(inside / (1 - inside))


def stacked(masks: Sequence[Soft], size: tuple[int, int]) -> NDArray[np.float32]:
    """Soft masks, each of `size` (h, w), as logits (N, h, w); N may be 0."""
    return to_logits(np.stack(masks)) if masks else np.zeros((0, *size), np.float32)


def soft_aggregate(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turns independent object logits into logits that compete with each other and the background.

    Source: STM (Oh et al., ICCV 2019), equation 3: the background's probability is the product of
    the objects' complements; a softmax over the logits of all follows.

    Args:
        logits: (N, h, w), one per object.

    Returns:
        (N+1, h, w), background first.
    """
    objects = sigmoid(logits)
    background = (1 - objects).prod(0, keepdims=True)
    return to_logits(np.concatenate([background, objects]), CLAMP)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities (N, h, w) that add up to 1 at every pixel."""
    powers = np.exp(logits - logits.max(0))
    return powers / powers.sum(0)


@dataclass(frozen=True)
class Settled:
    """What came of the competition in one frame.

    Attributes:
        stretch: between the frame and the maps.
        ids: of the objects, ascending.
        logits: (N+1, h, w) of background and objects, as `soft_aggregate` gives them.
        given: masks (H, W) that come from the user and stand, by id.
    """

    stretch: Stretch
    ids: Sequence[int]
    logits: NDArray[np.float32]
    given: Mapping[int, NDArray[np.bool_]]

    def soft(self) -> dict[int, Soft]:
        """Soft masks (h, w) by id."""
        return dict(zip(self.ids, softmax(self.logits)[1:], strict=True))

    def labels(self) -> LabelMap:
        """The object (H, W) that every pixel is of: uint8, or uint16 where an id needs it."""
        kind = np.uint8 if max(self.ids) < 256 else np.uint16
        shape = (self.stretch.height, self.stretch.width)
        labels = np.zeros(shape, kind)
        best = np.zeros(shape, np.float32)  # by how much the winner so far beats the background
        for object_id, logits in zip(self.ids, self.logits[1:], strict=True):
            box = self._reach(logits)
            if box is None:
                continue
            x0, y0, x1, y1 = box
            ahead = self.stretch.logits_out(logits - self.logits[0], box)
            won = ahead > best[y0:y1, x0:x1]
            best[y0:y1, x0:x1][won] = ahead[won]
            labels[y0:y1, x0:x1][won] = object_id
        for object_id, mask in self.given.items():  # what the user drew is not ours to change
            labels[labels == object_id] = 0
            labels[mask] = object_id
        return labels

    def _reach(self, logits: Soft) -> PixelBox | None:
        """Where an object may be once its map is enlarged, which fills in between pixels alone."""
        box = tight_box(logits > self.logits[0])
        if box is None:
            return None
        x0, y0, x1, y1 = self.stretch.box_out(box, logits.shape)
        height, width = self.stretch.height, self.stretch.width
        more = math.ceil(max(1, height / logits.shape[0], width / logits.shape[1]))
        return max(0, x0 - more), max(0, y0 - more), min(width, x1 + more), min(height, y1 + more)
