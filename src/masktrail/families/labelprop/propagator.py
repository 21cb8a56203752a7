"""Propagation by label propagation over frozen features: no video was seen in training."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from masktrail.engines import Engine
from masktrail.families.labelprop.labels import Floats, propagate_labels
from masktrail.geometry import Soft
from masktrail.settings import Range
from masktrail.tracking.competition import stacked
from masktrail.tracking.prompted import surplus
from masktrail.types import Image


@dataclass(frozen=True)
class Reference:
    """A frame to copy labels from.

    Attributes:
        features: (h, w, C), of unit length.
        masks: soft masks (h, w) of the objects known in this frame.
    """

    features: Floats
    masks: dict[int, Soft]


class LabelPropagator:
    """Labels copied from the nearest features of the prompted and the last few frames.

    Args:
        engine: of a `FeatureNetwork`.
        context: last frames that are looked at, beside the prompted ones, see `tracking.prompted`.
        radius: how far an object may move between any two of them, in pixels at stride 8.
        top_k: pixels that share the weight.
        temperature: of the softmax over their similarities.
    """

    def __init__(
        self,
        engine: Engine,
        context: Annotated[int, Range(0, 1000)] = 7,
        radius: Annotated[int, Range(0, 100)] = 12,
        top_k: Annotated[int, Range(1)] = 5,
        temperature: Annotated[float, Range(0.001)] = 0.07,
    ) -> None:
        self.engine, self.device = engine, engine.device
        self.stride = self.mask_stride = engine.stride
        self.radius, self.top_k, self.temperature = radius, top_k, temperature
        self._given: list[Reference] = []
        self._passing: deque[Reference] = deque(maxlen=context)
        self._features: Floats = np.zeros((0, 0, 0), np.float32)
        self._propagated: dict[int, Soft] = {}

    def look(self, image: Image) -> Floats:
        """Features (H/8, W/8, C) of an image, uint8 RGB (H, W, 3), sides multiples of `stride`."""
        return _side_by_side(self.engine.array(self.engine.run("forward", image[None]))[0])

    def propagate(self, features: Floats, ids: list[int]) -> NDArray[np.float32]:
        """Finds objects in the next frame.

        Args:
            features: of the image.
            ids: objects to look for, all of them known.

        Returns:
            Logits (N, H/8, W/8).
        """
        self._features = features
        self._propagated = {}
        for group in self._groups(ids):
            self._propagated.update(zip(group, self._looked_up(group), strict=True))
        height, width, _ = features.shape
        return stacked([self._propagated[i] for i in ids], (height, width))

    def _looked_up(self, group: list[int]) -> Floats:
        """Soft masks (N, h, w) of objects that are known in the same frames."""
        references = self._references(group[0])
        return propagate_labels(
            self._features,
            [r.features for r in references],
            np.stack([np.stack([r.masks[i] for i in group]) for r in references]),
            self.radius,
            self.top_k,
            self.temperature,
        )

    def update(self, masks: dict[int, Soft], scores: dict[int, float], prompted: set[int]) -> None:
        """Takes the soft masks (h, w) of the frame last looked at.

        What was propagated goes on as it was: the tracker's masks have been sharpened.
        """
        prompted_masks = {i: masks[i] for i in prompted}
        if prompted_masks:
            self._given.append(Reference(self._features, prompted_masks))
            for place, object_id in surplus([r.masks for r in self._given]):
                self._given[place].masks.pop(object_id)
            self._given = [r for r in self._given if r.masks]
        propagated = {i: self._propagated[i] for i in masks if i in self._propagated}
        if propagated:
            self._passing.append(Reference(self._features, propagated))

    def forget(self, object_id: int) -> None:
        """Drops everything known of an object."""
        for reference in [*self._given, *self._passing]:
            reference.masks.pop(object_id, None)
        self._given = [r for r in self._given if r.masks]

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on, as arrays and plain values."""
        return {"given": _to_lists(self._given), "passing": _to_lists(self._passing)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts back what `state_dict` gave."""
        self._given = _from_lists(state["given"])
        self._passing = deque(_from_lists(state["passing"]), self._passing.maxlen)

    def _references(self, object_id: int) -> list[Reference]:
        """Frames an object is known in: an object added later has fewer."""
        return [r for r in [*self._given, *self._passing] if object_id in r.masks]

    def _groups(self, ids: list[int]) -> list[list[int]]:
        """Objects that are known in the same frames share one comparison."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for object_id in ids:
            key = tuple(id(r) for r in self._references(object_id))
            groups.setdefault(key, []).append(object_id)
        return list(groups.values())


def _side_by_side(features: Floats) -> Floats:
    """Features (C, h, w) as (h, w, C), where those of a pixel lie together."""
    return np.ascontiguousarray(features.transpose(1, 2, 0))


def _to_lists(references: Iterable[Reference]) -> list[Any]:
    """As states hold them, features as networks give them: (C, h, w)."""
    return [[r.features.transpose(2, 0, 1), dict(r.masks)] for r in references]


def _from_lists(pairs: list[Any]) -> list[Reference]:
    return [Reference(_side_by_side(features), dict(masks)) for features, masks in pairs]
