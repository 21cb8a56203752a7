"""What one step of training computes, by family of model."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.data.augment import corrupt
from masktrail.data.synth import Clips
from masktrail.losses import (
    dice,
    hard_pixel_cross_entropy,
    label_maps,
    mask_loss,
    masked_mean,
)
from masktrail.models.aggregate import soft_aggregate
from masktrail.models.memory import MASK_STRIDE, Encoded, MemoryNetwork
from masktrail.models.readout import read
from masktrail.train.output import StepOutput
from masktrail.train.prompt_step import prompt_step
from masktrail.train.recipe import PairSettings, Stage
from masktrail.train.rows import change_rows

ABSENT = -15.0
"""Logit of a slot that holds no object."""


def memory_step(network: nn.Module, clips: Clips, stage: Stage) -> StepOutput:
    """Unrolls a memory network over clips: frame 0 given, later ones predicted and memorised.

    Loss per frame: cross-entropy over the hardest pixels plus Dice, both at full resolution on the
    logits after soft aggregation (XMem, section 4.2).
    """
    assert isinstance(network, MemoryNetwork)
    logits = _unroll(network, clips)  # (B, T-1, N+1, S, S)
    b, t, n = logits.shape[0], logits.shape[1], logits.shape[2] - 1
    truth = clips.masks[:, 1:]
    flat = logits.flatten(0, 1).float()
    pixels = hard_pixel_cross_entropy(flat, label_maps(truth.flatten(0, 1)), stage.keep)
    masks = flat.softmax(1)[:, 1:].view(b, t, n, *flat.shape[2:])
    shown = clips.valid[:, None].expand(b, t, n)
    parts = {
        "cross_entropy": masked_mean(pixels.view(b, t), shown.any(2)),
        "dice": masked_mean(dice(masks, truth), shown),
    }
    return StepOutput(parts["cross_entropy"] + parts["dice"], parts, masks.detach())


def _unroll(network: MemoryNetwork, clips: Clips) -> Tensor:
    """Aggregated logits (B, T-1, N+1, S, S) of the frames after the first."""
    (b, t), size = clips.masks.shape[:2], clips.masks.shape[-1]
    first = clips.masks[:, 0] * clips.valid[..., None, None]
    images = clips.images.flatten(0, 1).contiguous(memory_format=torch.channels_last)
    encoded = network.encode(images)
    frames = [Encoded(*(x.unflatten(0, (b, t))[:, i] for x in encoded)) for i in range(t)]
    previous = F.avg_pool2d(first, MASK_STRIDE)
    keys, values, outputs = [], [], []
    for i in range(1, t):
        keys.append(frames[i - 1].memory)
        values.append(network.memorize(frames[i - 1].f16, previous))
        readout = read(torch.cat(keys, 1), frames[i].query, torch.cat(values, 1))
        logits = network.segment(frames[i], readout, previous, frames[i - 1].near)
        logits = logits.masked_fill(~clips.valid[..., None, None], ABSENT)
        aggregated = soft_aggregate(logits)
        previous = aggregated.softmax(1)[:, 1:].to(logits.dtype)
        outputs.append(F.interpolate(aggregated, (size, size), mode="bilinear"))
    return torch.stack(outputs, 1)


def pair_step(network: nn.Module, clips: Clips, stage: Stage) -> StepOutput:
    """Takes a U-Net from frame to frame of clips, one object of one clip per batch entry.

    The mask it goes out from is the true one for frame 0, later its own or, in a share of the
    steps, again the true one (teacher forcing); a share of the true ones is corrupted first, since
    no mask it will be given is perfect.
    """
    b, t, n = clips.masks.shape[:3]
    images = clips.images.repeat_interleave(n, 0)  # (B*N, T, 3, S, S)
    truth = clips.masks.transpose(1, 2).flatten(0, 1)  # (B*N, T, S, S)
    previous, outputs = _given(truth[:, 0], stage.pair), []
    for i in range(1, t):
        logits = network(images[:, i - 1], images[:, i], previous[:, None])[:, 0]
        forced = float(torch.rand(())) < stage.pair.teacher
        previous = _given(truth[:, i], stage.pair) if forced else logits.detach().sigmoid()
        outputs.append(logits.float())
    stacked = torch.stack(outputs, 1)  # (B*N, T-1, S, S)
    shown = clips.valid.flatten()[:, None].expand(b * n, t - 1)
    losses = mask_loss(stacked, truth[:, 1:], stage.pair.loss, stage.pair.empty)
    parts = {name: masked_mean(loss, shown) for name, loss in losses.items()}
    masks = stacked.detach().sigmoid().unflatten(0, (b, n)).transpose(1, 2)
    return StepOutput(torch.stack(list(parts.values())).sum(), parts, masks)


def _given(masks: Tensor, settings: PairSettings) -> Tensor:
    """True masks (B, S, S), a share of them corrupted."""
    chosen = torch.rand(len(masks)) < settings.corrupt
    return change_rows(chosen, lambda true: corrupt(true, torch.default_generator), masks)


STEPS: dict[str, Callable[[nn.Module, Clips, Stage], StepOutput]] = {
    "memory": memory_step,
    "unet": pair_step,
    "siamese-unet": pair_step,
    "prompt": prompt_step,
}
"""Family name to what its training step computes."""
