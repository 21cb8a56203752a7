"""What one step of training AGUNet computes: one picture told from another, both annotated.

Source: the abstract (see `network`) trains on single pictures. Two views of a picture are two
frames of a clip; in some the object is put before what another picture shows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.data.synth import Clips, ClipSettings
from masktrail.families.agunet.config import STRIDE, Levels
from masktrail.families.agunet.network import AgunetNetwork
from masktrail.losses import StepOutput, mask_loss, masked_mean
from masktrail.recipe import Recipe, Stage, StepSettings, Training

SCORE_WEIGHT = 0.4
"""Of the loss of the map S, beside those of the masks."""


@dataclass(frozen=True)
class AgunetSettings(StepSettings):
    """What the network is trained with, beside its clips.

    Attributes:
        swap: share of the pictures whose ground is that of another clip of the batch, with all that
            is in it.
    """

    swap: float = 0.3

    def problems(self) -> Iterator[str]:
        """What makes no sense, a sentence each."""
        if self.swap > 1:
            yield f"swap = {self.swap:g}; expected a share of 1"

    def unspoilt(self) -> Self:
        """The same for scoring: pictures as they are."""
        return replace(self, swap=0.0)


def agunet_step(network: nn.Module, clips: Clips, stage: Stage) -> StepOutput:
    """Finds the objects of each clip's first frame in every other one, each by itself."""
    assert isinstance(network, AgunetNetwork)
    clips = swapped(clips, stage.settings_as(AgunetSettings).swap)
    b, t = clips.images.shape[:2]
    size = clips.masks.shape[3:]
    images = clips.images.flatten(0, 1).contiguous(memory_format=torch.channels_last)
    levels = network.encode(images)
    keys = network.project(levels.f16).unflatten(0, (b, t))
    given = covered(clips.masks[:, 0] * clips.valid[:, :, None, None])
    outputs, likenesses = [], []
    for i in range(1, t):
        seen = Levels(*(level.unflatten(0, (b, t))[:, i] for level in levels))
        likeness = network.likeness(keys[:, i], keys[:, :1], given[:, None])
        logits = network.segment(*seen, likeness.sigmoid()).float()
        outputs.append(F.interpolate(logits, size, mode="bilinear", align_corners=False))
        likenesses.append(likeness)
    logits, likeness = torch.stack(outputs, 1), torch.stack(likenesses, 1)
    truth, valid = clips.masks[:, 1:], clips.valid[:, None].expand(-1, t - 1, -1)
    losses = mask_loss(logits, truth, "bce+dice")
    losses["score"] = SCORE_WEIGHT * _cross_entropy(likeness, covered(truth))
    parts = {name: masked_mean(loss, valid) for name, loss in losses.items()}
    masks = logits.detach().sigmoid()
    return StepOutput(torch.stack(list(parts.values())).sum(), parts, masks)


def covered(masks: Tensor) -> Tensor:
    """How much of each pixel at stride 16 masks (..., N, S, S) cover: (..., N, S/16, S/16)."""
    return F.avg_pool2d(masks.flatten(0, -4), STRIDE).unflatten(0, masks.shape[:-3])


def swapped(clips: Clips, share: float) -> Clips:
    """Clips some of whose frames, but the first, show what another clip's frame does, and before
    it the objects that are theirs.

    Args:
        clips: any.
        share: of those frames.
    """
    others = clips.images.roll(1, 0)
    ours = clips.masks.amax(2, keepdim=True)
    soft = F.avg_pool2d(ours.flatten(0, 1), 3, 1, 1, count_include_pad=False).view_as(ours)
    chosen = torch.rand(clips.images.shape[:2]) < share
    chosen[:, 0] = False
    chosen = chosen.to(soft.device, non_blocking=True)[:, :, None, None, None]
    images = torch.where(chosen, torch.lerp(others, clips.images, soft), clips.images)
    return replace(clips, images=images)


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean((-2, -1))


TRAINING = Training(
    step=agunet_step,
    settings=AgunetSettings,
    table="agunet",
    further=Recipe(
        stills="",
        ema=0.99,
        warmup=0.05,
        lr=1e-4,
        encoder_lr=2e-5,
        frozen=("encoder.conv1", "encoder.layer1"),
        stages=(
            Stage(
                batch=3,
                real=1.0,
                multiple=0.2,
                clips=ClipSettings(
                    size=240, frames=2, paste=0.2, max_gap=12, tight=0.3, far=40, tiny=True
                ),
            ),
        ),
    ),
)
