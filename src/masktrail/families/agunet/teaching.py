"""A few gradient steps on the marked frames of one video.

Source: the abstract (see `network`) has "a few" on the first frame. Here they are on dreams of it
(see `dreams`), which the frame itself, as a whole, is to tell the objects of; the encoder stays.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.devices import fast_autocast
from masktrail.dreams.dreamer import Dreamer, DreamSettings
from masktrail.families.agunet.network import AgunetNetwork
from masktrail.families.agunet.training import SCORE_WEIGHT, covered
from masktrail.families.fitting import fitted, learning
from masktrail.losses import mask_loss, masked_mean
from masktrail.tracking.shot import Shot

RATE = 1e-3
"""Learning rate at first."""

SHARE = 1.0
"""Of the way that parameters went, so much is kept."""

BATCH, WINDOW = 3, 256
"""Dreams of a step, and pixels a side of each, at most."""

DREAMS = DreamSettings(frames=1)


def taught(
    network: nn.Module,
    shots: Sequence[Shot],
    steps: int,
    seconds: float,
    progress: Callable[[float], None],
    device: str = "cpu",
) -> dict[str, NDArray[np.float32]]:
    """What a network's parameters become by a few steps on dreams of marked frames.

    Args:
        network: of which a copy need not be made; float32.
        shots: at least one.
        steps: on each of them.
        seconds: after which no further step is made but one of each shot.
        progress: called with the share that is done, 0 to 1; what it raises ends the learning.
        device: where to learn.

    Returns:
        Those that were learned, all but the encoder's, by name; none where no frame shows an
        object.
    """
    assert isinstance(network, AgunetNetwork)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    learned = learning(network, lambda name: not name.startswith("encoder."))
    scenes = (scene for shot in shots if (scene := _Scene(network, shot, device)).ids)
    losses = (partial(scene.loss, network) for scene in scenes)
    return fitted(learned, losses, RATE, seconds, progress, SHARE, steps)


class _Scene:
    """A marked frame, as the network sees it, and its dreams."""

    def __init__(self, network: AgunetNetwork, shot: Shot, device: str) -> None:
        pixels = torch.from_numpy(np.ascontiguousarray(shot.image))
        labels = torch.from_numpy(shot.labels.astype(np.int32))
        self._dreamer = Dreamer(pixels, labels, 0, DREAMS, torch.device(device))
        self.ids = self._dreamer.ids
        masks = torch.stack([labels == i for i in self.ids] or [labels < 0])
        self._masks = covered(masks[None].float()).to(device)
        image = pixels.to(device).permute(2, 0, 1)[None].float() / 255
        with torch.no_grad(), fast_autocast(torch.device(device)):
            self._f16 = network.encode(image).f16

    def loss(self, network: AgunetNetwork) -> Tensor:
        images, truth = self._dreamer.moments(BATCH, WINDOW)
        images, truth = images[:, 0], truth[:, 0]
        with fast_autocast(images.device):
            with torch.no_grad():
                levels = network.encode(images)
            key = network.project(self._f16).expand(len(images), -1, -1, -1)
            given = self._masks.expand(len(images), -1, -1, -1)
            likeness = network.likeness(network.project(levels.f16), key[:, None], given[:, None])
            logits = network.segment(*levels, likeness.sigmoid())
        logits = F.interpolate(logits.float(), truth.shape[2:], mode="bilinear")
        parts = mask_loss(logits, truth, "bce+dice")
        target = covered(truth)
        parts["score"] = SCORE_WEIGHT * F.binary_cross_entropy_with_logits(
            likeness, target, reduction="none"
        ).mean((-2, -1))
        everywhere = torch.ones(truth.shape[:2], dtype=torch.bool, device=truth.device)
        return torch.stack([masked_mean(p, everywhere) for p in parts.values()]).sum()
