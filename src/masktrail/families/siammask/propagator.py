"""Propagation by SiamMask: every object is sought near where it was, by itself.

Source: SiamMask (Wang et al., CVPR 2019), section 3.3, and the code published with it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from masktrail.engines import Engine
from masktrail.families.siammask.choice import Choice, choose, context
from masktrail.families.siammask.config import EXEMPLAR, RING, SEARCH, STRIDE
from masktrail.families.siammask.crops import Square
from masktrail.geometry import Soft
from masktrail.masks import tight_box
from masktrail.masks.components import largest
from masktrail.settings import Range
from masktrail.tracking.view import OUTSIDE
from masktrail.types import Image

SMALLEST = 10.0
"""Sides of objects are no shorter, pixels."""

NOTHING = 0.01
"""Soft masks that are nowhere above this are empty."""


@dataclass(frozen=True)
class Target:
    """An object: where it is, pixels of the picture, and what it looked like when it was marked.

    Attributes:
        x: of its middle.
        y: of its middle.
        width: of its box.
        height: of its box.
        fill: colour (3,) of what lies beyond pictures.
        kernels: as the network gave them.
    """

    x: float
    y: float
    width: float
    height: float
    fill: NDArray[np.float32]
    kernels: tuple[Any, ...]


class Found(NamedTuple):
    """An object in a frame: logits (h, w) of its mask, its score, and where it is from now on."""

    logits: Soft
    score: float
    target: Target


class SiamMaskPropagator:
    """Each object is sought by what it looked like when it was marked, around where it was.

    Args:
        engine: of a `SiamMask`.
        refine: whether masks are refined by the backbone's maps.
        follow: what says where an object is from then on, the box that is found or that of its
            mask; with two branches there is the mask alone.
        threshold: pixels at least this likely are the object's.
        penalty: how much is held against another scale or shape of the box.
        window: share of the score that is given for being near where it was.
        rate: share of the new box that the next one takes over, at a score of 1.
    """

    stride = mask_stride = 2

    def __init__(
        self,
        engine: Engine,
        refine: bool = True,
        follow: Literal["box", "mask"] = "box",
        threshold: Annotated[float, Range(0.01, 0.99)] = 0.35,
        penalty: Annotated[float, Range(0)] = 0.04,
        window: Annotated[float, Range(0, 1)] = 0.4,
        rate: Annotated[float, Range(0, 1)] = 1.0,
    ) -> None:
        self.engine, self.device = engine, engine.device
        self.refine, self.follow = refine, follow
        self.penalty, self.window, self.rate = penalty, window, rate
        self.shift = math.log(threshold / (1 - threshold))
        self.scores: dict[int, float] = {}
        self._targets: dict[int, Target | None] = {}
        self._found: dict[int, Target] = {}
        self._image: Image = np.zeros((0, 0, 3), np.uint8)

    def warm_up(self, height: int, width: int, count: int, shown: int) -> Iterator[None]:
        """See `WarmingUp.warm_up`; crops are of one size."""
        return self.engine.warm_up({})

    def look(self, image: Image) -> Image:
        """The image itself, uint8 RGB (H, W, 3): what is looked at depends on the object."""
        return image

    def propagate(self, image: Image, ids: list[int]) -> NDArray[np.float32]:
        """Finds objects in the next frame.

        Args:
            image: uint8 RGB (H, W, 3), sides multiples of `stride`.
            ids: objects to look for, all of them known.

        Returns:
            Logits (N, H/2, W/2), objects independent of each other.
        """
        self._image, self._found, self.scores = image, {}, {}
        logits = [self._sought(object_id) for object_id in ids]
        return np.stack(logits) if logits else np.zeros((0, *self._size), np.float32)

    def update(self, masks: dict[int, Soft], scores: dict[int, float], prompted: set[int]) -> None:
        """Takes the masks that were settled on for the frame last looked at.

        Args:
            masks: soft masks (H/2, W/2) by object id, all objects.
            scores: confidence of each, 0 where it is lost.
            prompted: objects whose mask came from the user.
        """
        self._targets |= self._found | {i: self._marked(masks[i]) for i in prompted}
        self._found = {}

    def forget(self, object_id: int) -> None:
        """Drops everything known of an object."""
        self._targets.pop(object_id, None)

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on, as arrays and plain values."""
        return {"targets": {i: self._packed(each) for i, each in self._targets.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts back what `state_dict` gave."""
        self._targets = {i: self._unpacked(each) for i, each in state["targets"].items()}

    @property
    def _size(self) -> tuple[int, int]:
        """Height and width of masks."""
        height, width = self._image.shape[:2]
        return height // self.mask_stride, width // self.mask_stride

    def _sought(self, object_id: int) -> Soft:
        """Logits (h, w) of an object; nothing where it was marked to be nowhere."""
        target = self._targets[object_id]
        if target is None:
            return np.full(self._size, OUTSIDE, np.float32)
        found = self._seek(target)
        self._found[object_id], self.scores[object_id] = found.target, found.score
        return found.logits

    def _seek(self, target: Target) -> Found:
        """Looks for an object in the image."""
        exemplar = context(target.width, target.height)
        region = Square.around(target.x, target.y, exemplar * SEARCH / EXEMPLAR)
        crop = region.cut(self._image, SEARCH, target.fill)
        *features, p0, p1, p2 = self.engine.run("search", crop[None])
        scores, *boxes, responses = self.engine.run("match", *target.kernels, *features)
        scale = EXEMPLAR / exemplar
        best = choose(
            self.engine.array(scores)[0],
            self.engine.array(boxes[0])[0] if boxes else None,
            (target.width * scale, target.height * scale),
            self.penalty,
            self.window,
        )
        logits = self._drawn(region, best, responses, (p0, p1, p2))
        return Found(logits, best.score, self._followed(target, best, scale, logits))

    def _drawn(
        self, region: Square, best: Choice, responses: Any, maps: tuple[Any, Any, Any]
    ) -> Soft:
        """Logits (h, w) of the mask of the best response of a search region."""
        place = np.array([best.row, best.column], np.float32)
        if self.refine:
            said = self.engine.run("refined", responses, *maps, place)
        else:
            said = self.engine.run("coarse", responses, place)
        logits = self.engine.array(said)[0, 0] - np.float32(self.shift)
        corner = STRIDE * (best.column - RING), STRIDE * (best.row - RING)
        shown, n = region.part(*corner, EXEMPLAR, SEARCH), self.mask_stride
        small = Square(shown.x / n, shown.y / n, shown.side / n)
        return small.paste(logits, self._size, OUTSIDE)

    def _followed(self, target: Target, best: Choice, scale: float, logits: Soft) -> Target:
        """Where an object is that was found, by its box or by that of its mask."""
        if best.box is not None and self.follow == "box":
            x, y, width, height = (float(value) / scale for value in best.box)
            x, y = target.x + x, target.y + y
        else:
            box = tight_box(largest(logits > 0))
            if box is None:
                return target
            x0, y0, x1, y1 = (self.mask_stride * value for value in box)
            x, y, width, height = (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0
        rate = self.rate * best.penalty * best.score
        high, wide = self._image.shape[:2]
        return replace(
            target,
            x=float(np.clip(x, 0, wide)),
            y=float(np.clip(y, 0, high)),
            width=float(np.clip(target.width + rate * (width - target.width), SMALLEST, wide)),
            height=float(np.clip(target.height + rate * (height - target.height), SMALLEST, high)),
        )

    def _marked(self, mask: Soft) -> Target | None:
        """What a mask (h, w) that was given is of; None where it is empty."""
        box = tight_box(mask > min(0.5, mask.max() / 2)) if mask.max() > NOTHING else None
        if box is None:
            return None
        x0, y0, x1, y1 = (self.mask_stride * value for value in box)
        width, height = max(x1 - x0, SMALLEST), max(y1 - y0, SMALLEST)
        fill = self._image.mean((0, 1)).astype(np.float32)
        square = Square.around((x0 + x1) / 2, (y0 + y1) / 2, context(width, height))
        kernels = tuple(self.engine.run("exemplar", square.cut(self._image, EXEMPLAR, fill)[None]))
        return Target((x0 + x1) / 2, (y0 + y1) / 2, width, height, fill, kernels)

    def _packed(self, target: Target | None) -> dict[str, Any] | None:
        if target is None:
            return None
        return {**vars(target), "kernels": [self.engine.array(each) for each in target.kernels]}

    def _unpacked(self, packed: dict[str, Any] | None) -> Target | None:
        if packed is None:
            return None
        kernels = tuple(self.engine.keep(each) for each in packed["kernels"])
        return Target(**{**packed, "kernels": kernels})
