"""Propagation by AGUNet: every frame is told from the marked ones alone, by itself.

Source: see `network`. Nothing goes from frame to frame, but where the last mask is wished for as a
prior. What the network learns of a video it learns in a few steps, from its marked frames.
"""

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from masktrail.engines import Engine
from masktrail.families.agunet.config import MASK_STRIDE, STRIDE, Levels
from masktrail.families.agunet.references import References
from masktrail.geometry import Soft
from masktrail.settings import Range
from masktrail.tracking.confidence import LOST
from masktrail.tracking.shot import Shot
from masktrail.tracking.taught import Parameters, Taught
from masktrail.types import Image

FOLD = STRIDE // MASK_STRIDE

REACH, BLUR = 5, 3
"""Pixels at stride 16 across which a last mask is grown, and then blurred, as a prior."""

OUTSIDE = np.float32(0.5)
"""Of a score, what a prior leaves where the object was not."""


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
        self._references = References(engine)
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
        for group in self._references.groups(ids):
            scores = self.engine.run("score", now, *self._references.of(group))
            self.maps.update(zip(group, self.engine.array(scores)[0], strict=True))
        likely = np.stack([self._likely(i) for i in ids])[None]
        logits: NDArray[np.float32] = self.engine.array(self.engine.run("segment", *seen, likely))
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
            self._references.add(self._seen.f16, {i: covered[i] for i in sorted(prompted)})

    def forget(self, object_id: int) -> None:
        """Drops everything known of an object."""
        self._references.forget(object_id)
        self._last.pop(object_id, None)

    def taught(
        self, network: Any, shots: tuple[Shot, ...], progress: Callable[[float], None]
    ) -> Parameters:
        """Decoder and projection fitted to marked frames, see `Taught.taught`."""
        from masktrail.families.agunet.teaching import taught

        return taught(network, shots, self.steps, self.seconds, progress, self.device)

    def changed(self) -> None:
        """What is compared is made anew by what has learned."""
        self._references.remake()

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on, as arrays and plain values."""
        return {"references": self._references.state(), "last": dict(self._last)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts back what `state_dict` gave."""
        self._references.load(state["references"])
        self._last = dict(state["last"])

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
