"""Propagation by a space-time memory network."""

from typing import Annotated, Any

import torch
from torch import Tensor

from masktrail.devices import fast_autocast
from masktrail.families.memory.bank import Entry, MemoryBank
from masktrail.families.memory.network import MASK_STRIDE, STRIDE, Encoded, MemoryNetwork
from masktrail.settings import Range
from masktrail.tracking.confidence import LOST


class MemoryPropagator:
    """Masks of the next frame from a bounded memory of frames and the masks of the last one.

    Args:
        network: on the device it is to run on.
        capacity: remembered frames beside the prompted ones, which are kept for good.
        every: a frame is remembered after this many.
        top_k: memory pixels that each pixel reads from.
        min_score: objects less certain than this are not written to memory.
    """

    stride = STRIDE
    mask_stride = MASK_STRIDE

    def __init__(
        self,
        network: MemoryNetwork,
        capacity: Annotated[int, Range(0)] = 4,
        every: Annotated[int, Range(1)] = 3,
        top_k: Annotated[int, Range(1)] = 30,
        min_score: Annotated[float, Range(0, 1)] = LOST,
    ) -> None:
        self.network = network.eval()
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.device = next(network.parameters()).device
        self.every, self.min_score = every, min_score
        self.bank = MemoryBank(capacity, top_k)
        self._previous: dict[int, Tensor] = {}
        self._near: Tensor | None = None
        self._since_write = 0
        self._encoded: Encoded | None = None

    def propagate(self, image: Tensor, ids: list[int]) -> Tensor:
        """Looks at the next frame.

        Args:
            image: (1, 3, H, W) in [0, 1], sides multiples of `stride`.
            ids: objects to look for, all of them known.

        Returns:
            Logits (N, H/2, W/2), objects independent of each other.
        """
        image = image.contiguous(memory_format=torch.channels_last)
        with fast_autocast(self.device):
            self._encoded = encoded = self.network.encode(image)
            if not ids:
                return image.new_empty(0, *(side // MASK_STRIDE for side in image.shape[2:]))
            readout = self.bank.read(encoded.query[0], ids).flatten(1)
            previous = torch.stack([self._previous[i] for i in ids])[None]
            assert self._near is not None  # who has a mask has seen a frame
            logits = self.network.segment(encoded, readout[None], previous, self._near)
            return logits[0].float()

    def update(
        self, masks: dict[int, Tensor], scores: dict[int, float], prompted: set[int]
    ) -> None:
        """Takes the masks that were settled on for the frame last looked at.

        Args:
            masks: soft masks (H/2, W/2) by object id, all objects.
            scores: confidence of each, 0 where it is lost.
            prompted: objects whose mask came from the user.
        """
        assert self._encoded is not None
        self._previous, self._near = dict(masks), self._encoded.near
        self._since_write += 1
        # what led to a mask that had to be corrected is not to be trusted
        for object_id in prompted:
            self.bank.forget(object_id, passing=True)
        certain = [i for i in masks if scores[i] >= self.min_score or i in prompted]
        if certain and (prompted or self._since_write >= self.every):
            self._write(masks, certain, permanent=bool(prompted))
            self._since_write = 0

    def _write(self, masks: dict[int, Tensor], ids: list[int], permanent: bool) -> None:
        assert self._encoded is not None
        with fast_autocast(self.device):
            stacked = torch.stack([masks[i] for i in ids])[None]
            values = self.network.memorize(self._encoded.f16, stacked)[0].float()
        per_object = values.unflatten(1, (len(ids), -1)).unbind(1)  # N x (P, V)
        by_id = {i: v.contiguous() for i, v in zip(ids, per_object, strict=True)}
        self.bank.add(Entry(self._encoded.memory[0].clone(), by_id, permanent))

    def forget(self, object_id: int) -> None:
        """Drops everything known of an object."""
        self.bank.forget(object_id)
        self._previous.pop(object_id, None)

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on, as tensors and plain values."""
        return {
            "bank": self.bank.state_dict(),
            "previous": dict(self._previous),
            "near": self._near,
            "since_write": self._since_write,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts back what `state_dict` gave, on this propagator's device."""
        self.bank.load_state_dict(state["bank"], self.device)
        self._previous = {i: mask.to(self.device) for i, mask in state["previous"].items()}
        near = state["near"]
        self._near = None if near is None else near.to(self.device)
        self._since_write = state["since_write"]
