"""Adapting a memory network to one video, by dreams of the frames that were marked in it.

Source: Lucid Data Dreaming (Khoreva et al., IJCV 2019), whose network is trained for every video
on dreams of its first frame. Here what was trained on other videos is trained on, gently, and only
what knows of masks: the encoder of values and the decoder.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from masktrail.data.synth import Clips
from masktrail.devices import fast_autocast
from masktrail.dreams.dreamer import Dreamer, DreamSettings
from masktrail.families.memory.network import MemoryNetwork
from masktrail.families.memory.shot import Shot
from masktrail.families.memory.training import unrolled

PARTS = ("values.", "decoder.")
"""What is learned, by the names of parameters; all else is left as it is."""

LEFT = "decoder.carried.transport."
"""Of these what is left as it is: a graph of its own has it."""

RATE = 1e-4
"""Learning rate at first; it falls to zero in a straight line."""

SHARE = 0.5
"""Of the way that parameters went, so much is kept: half of it loses next to nothing where there
was little to be learned; all of it gains more where an object was lost (Wortsman et al., "Robust
fine-tuning of zero-shot models", CVPR 2022)."""

WARM_UP = 5
"""Steps in which it rises: what Adam knows of gradients after one of them is not much."""

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
    begun = time.perf_counter()
    learned = _learning(network.to(device))
    before = {name: value.detach().clone() for name, value in learned.items()}
    optimiser = torch.optim.AdamW(learned.values(), lr=RATE, weight_decay=0.0)
    scenes = [scene for shot in shots if (scene := _Scene(shot, device)).ids]
    step, share = 0, 0.0
    while scenes and (share < 1 or step < len(scenes)):
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / WARM_UP) * max(0.02, 1 - share)
        clips = scenes[step % len(scenes)].draw()
        with fast_autocast(clips.images.device):
            output = unrolled(network, clips, KEEP, given=2)
        optimiser.zero_grad(set_to_none=True)
        output.loss.backward()
        norm = nn.utils.clip_grad_norm_(learned.values(), 3.0)
        if norm.isfinite():
            optimiser.step()
        step += 1
        share = (time.perf_counter() - begun) / seconds
        progress(min(1.0, share))
    if not scenes:
        return {}
    return {
        name: torch.lerp(before[name], value.detach(), SHARE).cpu().numpy()
        for name, value in learned.items()
    }


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


def _learning(network: MemoryNetwork) -> dict[str, Tensor]:
    """The parameters that are learned, by name; the others are told that they are not."""
    learned: dict[str, Tensor] = {}
    for name, parameter in network.named_parameters():
        parameter.requires_grad = name.startswith(PARTS) and not name.startswith(LEFT)
        if parameter.requires_grad:
            learned[name] = parameter
    return learned
