"""The state of families that go from each frame to the next: the picture and the masks before."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.geometry import Soft
from masktrail.tracking.competition import sigmoid, to_logits
from masktrail.types import Image


class LastFrame:
    """What a `propagator.Propagator` of such a family has beside `find`.

    Attributes:
        device: what it computes on.
        before: the last frame, as `propagate` wants it again; None before the first.
        masks: soft masks (H, W) of all objects in it, by id.
    """

    device = "cpu"

    def __init__(self) -> None:
        self.before: NDArray[np.uint8] | None = None
        self.masks: dict[int, Soft] = {}

    def look(self, image: Image) -> Any:
        """The image itself, uint8 RGB (H, W, 3)."""
        return image

    def propagate(self, seen: Any, ids: list[int]) -> NDArray[np.float32]:
        """Finds objects in the next frame, see `Propagator.propagate`."""
        last, self.before = self.before, seen
        if not ids or last is None:
            return np.zeros((0, *seen.shape[:2]), np.float32)
        return self.find(last, seen, [self.masks[i] for i in ids])

    def find(self, before: Image, now: Image, masks: list[Soft]) -> NDArray[np.float32]:
        """Finds objects that had masks in the frame before.

        Args:
            before: that frame, as `look` gave it.
            now: this one.
            masks: of the objects there (H, W), at least one.

        Returns:
            Logits (N, H, W), objects independent of each other.
        """
        raise NotImplementedError

    def update(self, masks: dict[int, Soft], scores: dict[int, float], prompted: set[int]) -> None:
        """Keeps the masks that were settled on for the frame last looked at.

        Args:
            masks: soft masks (H, W) by object id, all objects.
            scores: confidence of each, 0 where it is lost.
            prompted: objects whose mask came from the user.
        """
        self.masks = dict(masks)

    def forget(self, object_id: int) -> None:
        """Drops everything known of an object."""
        self.masks.pop(object_id, None)

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on, as arrays and plain values."""
        return {"masks": dict(self.masks), "last": self.before}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts back what `state_dict` gave."""
        self.masks = dict(state["masks"])
        last = state.get("last")  # version 0.1 kept none of families that do not look at it
        self.before = None if last is None else _in_bytes(last)


class OwnMaps(LastFrame):
    """The same of networks whose masks go back in as they gave them, not as they were settled."""

    def update(self, masks: dict[int, Soft], scores: dict[int, float], prompted: set[int]) -> None:
        """Keeps the network's own maps of the masks that were settled on."""
        self.masks = {i: unsharpened(mask) for i, mask in masks.items()}


def unsharpened(mask: Soft) -> Soft:
    """A soft mask as the network gave it, from one that `soft_aggregate` has settled.

    For an object alone, aggregation doubles the logit; halving it gives the network's own map back.
    Among several, what another object won stays lowered.
    """
    return sigmoid(0.5 * to_logits(mask, 0.0))


def _in_bytes(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """A picture as it is now; version 0.1 kept float (1, 3, H, W) in [0, 1]."""
    if picture.dtype == np.uint8:
        return picture
    return np.rint(picture[0].transpose(1, 2, 0) * 255).astype(np.uint8)
