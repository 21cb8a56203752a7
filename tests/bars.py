"""Clips of noise with bars for objects."""

import torch

from masktrail.data.synth import Clips


def clips(frames: int = 3, objects: int = 1, flow: bool = False) -> Clips:
    """Two clips of 48x48 with a bar per object, every slot valid; with flow it is known, and 1."""
    generator = torch.Generator().manual_seed(4)
    masks = torch.zeros(2, frames, objects, 48, 48)
    for n in range(objects):
        masks[:, :, n, 8:40, 4 + 14 * n : 16 + 14 * n] = 1
    images = torch.rand((2, frames, 3, 48, 48), generator=generator)
    known = torch.ones(2, frames - 1, 3, 48, 48) if flow else None
    return Clips(images, masks, torch.ones(2, objects, dtype=torch.bool), known)
