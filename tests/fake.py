"""A family of models without a network: every object drifts to the right."""

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from masktrail.engines.torch import TorchEngine
from masktrail.families import create, families
from masktrail.families import family as family_of
from masktrail.families.labelprop.network import FeatureNetwork
from masktrail.families.memory.propagator import MemoryPropagator
from masktrail.geometry import Soft
from masktrail.prompts.kinds import Box, Points
from masktrail.tracking.competition import to_logits
from masktrail.tracking.tracker import Tracker
from masktrail.types import Image

TRACKING = [each.name for each in families() if each.propagator]
"""Names of the families that track."""


class FakePropagator:
    """Moves masks one mask pixel (four inner pixels) per frame; those that leave are gone."""

    stride, mask_stride, device = 16, 4, "cpu"

    def __init__(self) -> None:
        self.masks: dict[int, Soft] = {}
        self.told: list[tuple[dict[int, float], set[int]]] = []

    def look(self, image: Image) -> Image:
        return image

    def propagate(self, image: Image, ids: list[int]) -> NDArray[np.float32]:
        size = tuple(side // self.mask_stride for side in image.shape[:2])
        moved = np.zeros((len(ids), *size), np.float32)
        for slot, object_id in enumerate(ids):
            moved[slot, :, 1:] = self.masks[object_id][:, :-1]
        return to_logits(moved)

    def update(self, masks: dict[int, Soft], scores: dict[int, float], prompted: set[int]) -> None:
        self.masks = dict(masks)
        self.told.append((scores, prompted))

    def forget(self, object_id: int) -> None:
        del self.masks[object_id]

    def state_dict(self) -> dict[str, Any]:
        return {"masks": dict(self.masks)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.masks = dict(state["masks"])


class WatchedEngine(TorchEngine):
    """Notes what it is asked for: `calls` holds functions and their inputs, arrays as tensors."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__(network)
        self.calls: list[tuple[str, list[Any]]] = []

    def run(self, function: str, *inputs: Any) -> Any:
        self.calls.append((function, [self._input(each) for each in inputs]))
        return super().run(function, *inputs)

    def inputs_of(self, function: str) -> list[list[Any]]:
        """Of every call of a function."""
        return [inputs for name, inputs in self.calls if name == function]


def fill_box(image, prompt, previous=None):
    """Every pixel of a box; of clicks, a square of nine pixels each on or off what there was."""
    mask = np.zeros(image.shape[:2], bool) if previous is None else previous > 0.5
    clicks = Points((), (), prompt) if isinstance(prompt, Box) else prompt
    if box := clicks.box:
        mask[round(box.y0) : round(box.y1), round(box.x0) : round(box.x1)] = True
    for (x, y), on in zip(clicks.points, clicks.labels, strict=True):
        mask[max(0, int(y) - 1) : int(y) + 2, max(0, int(x) - 1) : int(x) + 2] = on
    return mask


def fake_tracker(size: int = 64) -> Tracker:
    """A tracker of drifting masks."""
    return Tracker(FakePropagator(), size, fill_box)


def random_network(seed: int = 0):
    """A memory network nobody trained."""
    torch.manual_seed(seed)
    return create("memory").eval()


def memory_tracker(size: int = 64, **settings: Any) -> Tracker:
    """A tracker with an untrained memory network."""
    return Tracker(MemoryPropagator(WatchedEngine(random_network()), **settings), size, fill_box)


def tracker_of(family: str) -> Tracker:
    """A tracker of a family, its network, if it has one, untrained."""
    if family == "flow":
        pytest.importorskip("cv2")
    row = family_of(family)
    engines = [TorchEngine(_network(family))] if row.network else []
    settings = {
        "unet": {"view": "frame", "side": 64},
        "siamese-unet": {"view": "object", "side": 64},
        "agunet": {"steps": 0, "prior": True},
        "lucid": {"flow": "learned", "budget": 0, "side": 64},
    }
    propagator = row.propagator()(*engines, **settings.get(family, {}))
    return Tracker(propagator, 64, fill_box)


@cache
def _network(family: str) -> Any:
    """Which no tracker changes."""
    torch.manual_seed(0)
    if family == "labelprop":
        return FeatureNetwork().eval()
    return create(family, **({} if family == "memory" else {"width": 4})).eval()
