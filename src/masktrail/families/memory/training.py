"""What one step of training a memory network computes."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.data.synth import Clips, ClipSettings
from masktrail.families.memory.config import MASK_STRIDE, Encoded
from masktrail.families.memory.network import MemoryNetwork
from masktrail.families.memory.readout import read
from masktrail.losses import (
    StepOutput,
    dice,
    hard_pixel_cross_entropy,
    label_maps,
    masked_mean,
)
from masktrail.models.aggregate import soft_aggregate
from masktrail.recipe import Recipe, Stage, Training

ABSENT = -15.0
"""Logit of a slot that holds no object."""


def memory_step(network: nn.Module, clips: Clips, stage: Stage) -> StepOutput:
    """Unrolls a memory network over clips, see `unrolled`: frame 0 is given."""
    assert isinstance(network, MemoryNetwork)
    return unrolled(network, clips, stage.keep)


def unrolled(network: MemoryNetwork, clips: Clips, keep: float, given: int = 1) -> StepOutput:
    """First frames given, later ones predicted and memorised; what comes of that, and its loss.

    Loss per frame: cross-entropy over the hardest pixels plus Dice, both at full resolution on the
    logits after soft aggregation (XMem, section 4.2).

    Args:
        network: to be trained.
        clips: B of T frames, of any shape.
        keep: share of the pixels that count as the hardest.
        given: masks of so many frames are.
    """
    logits = _unroll(network, clips, given)  # (B, T-given, N+1, H, W)
    b, t, n = logits.shape[0], logits.shape[1], logits.shape[2] - 1
    truth = clips.masks[:, given:]
    flat = logits.flatten(0, 1).float()
    pixels = hard_pixel_cross_entropy(flat, label_maps(truth.flatten(0, 1)), keep)
    masks = flat.softmax(1)[:, 1:].view(b, t, n, *flat.shape[2:])
    valid = clips.valid[:, None].expand(b, t, n)
    parts = {
        "cross_entropy": masked_mean(pixels.view(b, t), valid.any(2)),
        "dice": masked_mean(dice(masks, truth), valid),
    }
    return StepOutput(parts["cross_entropy"] + parts["dice"], parts, masks.detach())


def _unroll(network: MemoryNetwork, clips: Clips, given: int) -> Tensor:
    """Aggregated logits (B, T-given, N+1, H, W) of the frames that are not given."""
    (b, t), size = clips.masks.shape[:2], clips.masks.shape[-2:]
    known = clips.masks[:, :given] * clips.valid[:, None, :, None, None]
    images = clips.images.flatten(0, 1).contiguous(memory_format=torch.channels_last)
    encoded = network.encode(images)
    frames = [Encoded(*(x.unflatten(0, (b, t))[:, i] for x in encoded)) for i in range(t)]
    keys, values, outputs = [], [], []
    for i in range(t - 1):
        if i < given:
            previous = F.avg_pool2d(known[:, i], MASK_STRIDE)
        memory, _ = network.lift(*frames[i].keys)
        keys.append(memory)
        values.append(network.memorize(frames[i].f16, previous))
        if i + 1 < given:
            continue
        _, query = network.lift(*frames[i + 1].keys)
        readout = read(torch.cat(keys, 1), query, torch.cat(values, 1))
        carried = network.carry(frames[i].near, frames[i + 1].near, previous)
        logits = network.segment(*frames[i + 1].skips, readout, *carried)
        logits = logits.masked_fill(~clips.valid[..., None, None], ABSENT)
        aggregated = soft_aggregate(logits)
        previous = aggregated.softmax(1)[:, 1:].to(logits.dtype)
        outputs.append(F.interpolate(aggregated, size, mode="bilinear"))
    return torch.stack(outputs, 1)


TRAINING = Training(
    step=memory_step,
    further=Recipe(
        stills="",
        ema=0.99,
        warmup=0.05,
        lr=5e-5,
        encoder_lr=1e-5,
        frozen=("encoder.conv1", "encoder.layer1"),
        stages=(
            Stage(
                batch=2,
                real=1.0,
                multiple=0.4,
                clips=ClipSettings(size=240, frames=4, paste=0.2, max_gap=8, tight=0.3, tiny=True),
            ),
        ),
    ),
)
