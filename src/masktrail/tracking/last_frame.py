"""The state of families that go from each frame to the next: the picture and the masks before."""

from typing import Any

import torch
from torch import Tensor


class LastFrame:
    """What a `tracker.Propagator` of such a family has beside `propagate`.

    Attributes:
        device: where pictures and masks lie.
        before: the last frame, as `propagate` wants it again; None before the first.
        masks: soft masks (H, W) of all objects in it, by id.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.before: Tensor | None = None
        self.masks: dict[int, Tensor] = {}

    def update(
        self, masks: dict[int, Tensor], scores: dict[int, float], prompted: set[int]
    ) -> None:
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
        """Everything needed to go on, as tensors and plain values."""
        return {"masks": dict(self.masks), "last": self.before}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts back what `state_dict` gave, on this propagator's device."""
        self.masks = {i: mask.to(self.device) for i, mask in state["masks"].items()}
        last = state.get("last")  # version 0.1 kept none of families that do not look at it
        self.before = None if last is None else last.to(self.device)
