"""Adapting a memory network to one video, by dreams of the frames that were marked in it.

Source: Lucid Data Dreaming (Khoreva et al., IJCV 2019), whose network is trained for every video
on dreams of its first frame. Here what was trained on other videos is trained on, gently, and only
what knows of masks: the encoder of values and the decoder.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from masktrail.data.synth import Clips
from masktrail.devices import fast_autocast
from masktrail.dreams.dreamer import Dreamer, DreamSettings
from masktrail.families.fitting import fitted, learning
from masktrail.families.memory.network import MemoryNetwork
from masktrail.families.memory.training import unrolled
from masktrail.tracking.shot import Shot

PARTS = ("values.", "decoder.")
"""What is learned, by the names of parameters; all else is left as it is."""

LEFT = "decoder.carried.transport."
"""Of these what is left as it is: a graph of its own has it."""

RATE = 1e-4
"""Learning rate at first; it falls to zero in a straight line."""

SHARE = 0.5
"""Of the way that parameters went, so much is kept: half of it loses next to nothing where there
was little to be learned; all of it gains more where an object was lost."""

WINDOW = 256
"""Dreams are no larger, pixels a side: near an object is what has to be told from it."""

DREAMS = DreamSettings(frames=3)
BATCH = 2
KEEP = 0.25
"""Share of the pixels whose cross-entropy counts, the hardest, as in training."""


def adapted(
    network: nn.Module,
    shots: Sequence[Shot],
    seconds: float,
    progress: Callable[[float], None],
    device: str = "cpu",
) -> dict[str, NDArray[np.float32]]:
    """What a network's parameters become by learning from dreams of marked frames.

    Each step sees a marked frame as it is, remembered for good, and dreams of it, of which the
    first is given and the others are to be found.

    Args:
        network: of which a copy need not be made; float32.
        shots: at least one.
        seconds: how long; at least one step is made of each shot.
        progress: called with the share that is done, 0 to 1; what it raises ends the learning.
        device: where to learn.

    Returns:
        Those that were learned, by name; none where no frame shows an object.
    """
    assert isinstance(network, MemoryNetwork)
    learned = learning(
        network.to(device), lambda name: name.startswith(PARTS) and not name.startswith(LEFT)
    )
    scenes = (scene for shot in shots if (scene := _Scene(shot, device)).ids)
    losses = (partial(_loss, network, scene) for scene in scenes)
    return fitted(learned, losses, RATE, seconds, progress, SHARE)


def _loss(network: MemoryNetwork, scene: "_Scene") -> Tensor:
    clips = scene.draw()
    with fast_autocast(clips.images.device):
        return unrolled(network, clips, KEEP, given=2).loss


class _Scene:
    """A marked frame and its dreams."""

    def __init__(self, shot: Shot, device: str) -> None:
        self._dreamer = Dreamer(
            torch.from_numpy(np.ascontiguousarray(shot.image)),
            torch.from_numpy(shot.labels.astype(np.int32)),
            0,
            DREAMS,
            torch.device(device),
        )
        self.ids = self._dreamer.ids

    def draw(self) -> Clips:
        """Clips of a part of the frame, and of dreams."""
        dreamt, dreamt_masks = self._dreamer.moments(BATCH, WINDOW)
        images, masks = self._dreamer.seen(BATCH, WINDOW)
        valid = masks.sum((2, 3)) > 0
        return Clips(
            torch.cat([images[:, None], dreamt], 1),
            torch.cat([masks[:, None], dreamt_masks * valid[:, None, :, None, None]], 1),
            valid,
        )
