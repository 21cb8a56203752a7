"""Propagation by AGUNet: every frame is told from the marked ones alone, by itself.

Source: see `network`. Nothing goes from frame to frame, but where the last mask is wished for as a
prior. What the network learns of a video it learns in a few steps, from its marked frames.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from masktrail.engines import Engine
from masktrail.families.agunet.config import MASK_STRIDE, STRIDE, Levels
from masktrail.geometry import Soft
from masktrail.settings import Range
from masktrail.tracking.confidence import LOST
from masktrail.tracking.shot import Shot
from masktrail.tracking.taught import Parameters, Taught
from masktrail.types import Image

FOLD = STRIDE // MASK_STRIDE

REACH, BLUR = 5, 3
"""Pixels at stride 16 across which a last mask is grown, and then blurred, as a prior."""

ROOM = 2**25
"""So many similarities of pixels to remembered ones are there at a time, at most, but for those of
one object."""

OUTSIDE = np.float32(0.5)
"""Of a score, what a prior leaves where the object was not."""


@dataclass
class Reference:
    """A marked frame.

    Attributes:
        features: `Levels.f16` of it, as an engine keeps them.
        masks: how much of each pixel at stride 16 is an object's (h, w), by id.
        key: what other frames are compared with, of the features.
    """

    features: Any
    masks: dict[int, Soft]
    key: Any


class AgunetPropagator(Taught):
    """Masks from what is like each object where it was marked.

    Args:
        engine: of an `AgunetNetwork`.
        steps: gradient steps on every marked frame, see `teaching`; 0 for none. They take torch.
        budget: seconds after which no further step is begun, but one for each marked frame; 0 for
            none at all.
        prior: whether an object is less likely where it was not in the frame before.

    Attributes:
        maps: S of the objects last sought (h, w), by id.
    """

    stride, mask_stride = STRIDE, MASK_STRIDE

    def __init__(
        self,
        engine: Engine,
        steps: Annotated[int, Range(0, 1000)] = 10,
        budget: Annotated[float, Range(0)] = 15.0,
        prior: bool = False,
    ) -> None:
        super().__init__()
        self.engine, self.device = engine, engine.device
        self.steps, self.prior = steps, prior
        self.seconds = budget if steps else 0.0
        self.maps: dict[int, Soft] = {}
        self._references: list[Reference] = []
        self._last: dict[int, Soft] = {}
        self._seen: Levels | None = None

    def look(self, image: Image) -> Levels:
        """Features of an image, uint8 RGB (H, W, 3), sides multiples of `stride`."""
        return Levels(*self.engine.run("encode", image[None]))

    def propagate(self, seen: Levels, ids: list[int]) -> NDArray[np.float32]:
        """Finds objects in a frame.

        Args:
            seen: what `look` said of it.
            ids: objects to look for, all of them known.

        Returns:
            Logits (N, H/2, W/2), objects independent of each other.
        """
        self._seen, self.maps = seen, {}
        if not ids:
            return np.zeros((0, *seen.f2.shape[2:]), np.float32)
        now = self.engine.run("project", seen.f16)
        for group in self._groups(ids):
            self.maps.update(zip(group, self._scored(now, group), strict=True))
        scores = np.stack([self._likely(i) for i in ids])[None]
        logits: NDArray[np.float32] = self.engine.array(self.engine.run("segment", *seen, scores))
        return logits[0]

    def update(self, masks: dict[int, Soft], scores: dict[int, float], prompted: set[int]) -> None:
        """Takes the masks that were settled on for the frame last looked at.

        Args:
            masks: soft masks (H/2, W/2) by object id, all objects.
            scores: confidence of each, 0 where it is lost.
            prompted: objects whose mask came from the user.
        """
        assert self._seen is not None
        covered = {i: _covered(masks[i]) for i in (masks if self.prior else prompted)}
        if self.prior:
            there = [i for i in masks if i in prompted or scores[i] >= LOST]
            self._last = {i: covered[i] for i in there}
        if prompted:
            features = self._seen.f16
            given = {i: covered[i] for i in sorted(prompted)}
            self._remember(Reference(features, given, self.engine.run("project", features)))

    def forget(self, object_id: int) -> None:
        """Drops everything known of an object."""
        for reference in self._references:
            reference.masks.pop(object_id, None)
        self._references = [r for r in self._references if r.masks]
        self._last.pop(object_id, None)

    def taught(
        self, network: Any, shots: tuple[Shot, ...], progress: Callable[[float], None]
    ) -> Parameters:
        """Decoder and projection fitted to marked frames, see `Taught.taught`."""
        from masktrail.families.agunet.teaching import taught

        return taught(network, shots, self.steps, self.seconds, progress, self.device)

    def changed(self) -> None:
        """What is compared is made anew by what has learned."""
        for reference in self._references:
            reference.key = self.engine.run("project", reference.features)

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on, as arrays and plain values."""
        references = [[self.engine.array(r.features), dict(r.masks)] for r in self._references]
        return {"references": references, "last": dict(self._last)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts back what `state_dict` gave."""
        self._references = []
        for array, masks in state["references"]:
            features = self.engine.keep(array)
            key = self.engine.run("project", features)
            self._references.append(Reference(features, dict(masks), key))
        self._last = dict(state["last"])

    def _remember(self, reference: Reference) -> None:
        """Keeps a marked frame; one that comes again, as in a pass backward, once."""
        shown = self.engine.array(reference.features)
        for kept in self._references:
            if np.array_equal(self.engine.array(kept.features), shown):
                kept.masks.update(reference.masks)
                return
        self._references.append(reference)

    def _groups(self, ids: list[int]) -> list[list[int]]:
        """Objects that were marked in the same frames are sought together, as many as there is room
        for."""
        same: dict[tuple[int, ...], list[int]] = {}
        for object_id in ids:
            key = tuple(k for k, r in enumerate(self._references) if object_id in r.masks)
            same.setdefault(key, []).append(object_id)
        groups = []
        for key, group in same.items():
            pixels = next(iter(self._references[key[0]].masks.values())).size
            step = max(1, ROOM // (len(key) * pixels**2))
            groups += [group[i : i + step] for i in range(0, len(group), step)]
        return groups

    def _scored(self, now: Any, group: list[int]) -> NDArray[np.float32]:
        """S of some objects (N, h, w) that were marked in the same frames."""
        references = [r for r in self._references if group[0] in r.masks]
        keys = self.engine.join([r.key for r in references], 0)
        masks = np.stack([np.stack([r.masks[i] for i in group]) for r in references])
        scores: NDArray[np.float32] = self.engine.array(self.engine.run("score", now, keys, masks))
        return scores[0]

    def _likely(self, object_id: int) -> Soft:
        """S of an object, less where it was not, if that is wished for."""
        scores, last = self.maps[object_id], self._last.get(object_id)
        if last is None:
            return scores
        near = _windows(_windows(last, REACH).max((2, 3)), BLUR).mean((2, 3))
        likely: Soft = scores * (OUTSIDE + (1 - OUTSIDE) * near)
        return likely


def _windows(values: Soft, side: int) -> NDArray[np.float32]:
    """What lies around each pixel of a map: (h, w, side, side)."""
    padded = np.pad(values, side // 2, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, (side, side))


def _covered(mask: Soft) -> Soft:
    """How much of each pixel at stride 16 a mask at mask stride covers."""
    height, width = mask.shape
    folded: Soft = mask.reshape(height // FOLD, FOLD, width // FOLD, FOLD).mean((1, 3))
    return folded
