"""Propagation by label propagation over frozen features: no video was seen in training."""

from collections import deque
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor

from masktrail.devices import fast_autocast
from masktrail.families.labelprop.network import STRIDE, FeatureNetwork, propagate_labels
from masktrail.models.aggregate import to_logits
from masktrail.settings import Range


@dataclass(frozen=True)
class Reference:
    """A frame to copy labels from.

    Attributes:
        features: (256, h, w), of unit length.
        masks: soft masks (h, w) of the objects known in this frame.
    """

    features: Tensor
    masks: dict[int, Tensor]


class LabelPropagator:
    """Labels copied from the nearest features of the prompted and the last few frames.

    Args:
        network: on the device it is to run on.
        context: last frames that are looked at, beside the prompted ones, which are kept for good.
        radius: how far an object may move between any two of them, in pixels at stride 8.
        top_k: pixels that share the weight.
        temperature: of the softmax over their similarities.
    """

    stride = STRIDE
    mask_stride = STRIDE

    def __init__(
        self,
        network: FeatureNetwork,
        context: Annotated[int, Range(0, 1000)] = 7,
        radius: Annotated[int, Range(0, 100)] = 12,
        top_k: Annotated[int, Range(1)] = 5,
        temperature: Annotated[float, Range(0.001)] = 0.07,
    ) -> None:
        self.network: FeatureNetwork = network.eval()
        self.device = next(network.parameters()).device
        self.radius, self.top_k, self.temperature = radius, top_k, temperature
        self._given: list[Reference] = []
        self._passing: deque[Reference] = deque(maxlen=context)
        self._features: Tensor | None = None
        self._propagated: dict[int, Tensor] = {}

    def propagate(self, image: Tensor, ids: list[int]) -> Tensor:
        """Looks at the next frame.

        Args:
            image: (1, 3, H, W) in [0, 1], sides multiples of `stride`.
            ids: objects to look for, all of them known.

        Returns:
            Logits (N, H/8, W/8).
        """
        with fast_autocast(self.device):
            features = self.network(image)[0]
        self._features, self._propagated = features, {}
        for group in self._groups(ids):
            references = self._references(group[0])
            masks = propagate_labels(
                features,
                torch.stack([r.features for r in references]),
                torch.stack([torch.stack([r.masks[i] for i in group]) for r in references]),
                self.radius,
                self.top_k,
                self.temperature,
            )
            self._propagated.update(zip(group, masks.unbind(0), strict=True))
        return to_logits([self._propagated[i] for i in ids], features.shape[1:]).to(self.device)

    def update(
        self, masks: dict[int, Tensor], scores: dict[int, float], prompted: set[int]
    ) -> None:
        """Takes the soft masks (h, w) of the frame last looked at.

        What was propagated goes on as it was: the tracker's masks have been sharpened.
        """
        assert self._features is not None
        given = {i: masks[i] for i in prompted}
        if given:
            self._given.append(Reference(self._features, given))
        known = {i: self._propagated[i] for i in masks if i in self._propagated}
        if known:
            self._passing.append(Reference(self._features, known))

    def forget(self, object_id: int) -> None:
        """Drops everything known of an object."""
        for reference in [*self._given, *self._passing]:
            reference.masks.pop(object_id, None)
        self._given = [r for r in self._given if r.masks]

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on, as tensors and plain values."""
        return {
            "given": [(r.features, dict(r.masks)) for r in self._given],
            "passing": [(r.features, dict(r.masks)) for r in self._passing],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts back what `state_dict` gave."""
        self._given = [Reference(features, dict(masks)) for features, masks in state["given"]]
        passing = [Reference(features, dict(masks)) for features, masks in state["passing"]]
        self._passing = deque(passing, self._passing.maxlen)

    def _references(self, object_id: int) -> list[Reference]:
        """Frames an object is known in: an object added later has fewer."""
        return [r for r in [*self._given, *self._passing] if object_id in r.masks]

    def _groups(self, ids: list[int]) -> list[list[int]]:
        """Objects that are known in the same frames share one comparison."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for object_id in ids:
            seen = tuple(id(r) for r in self._references(object_id))
            groups.setdefault(seen, []).append(object_id)
        return list(groups.values())
