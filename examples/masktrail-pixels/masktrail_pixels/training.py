"""What a step of training computes, and what a recipe can tell it."""

from dataclasses import dataclass

import torch
from torch import nn

from masktrail.data.synth import Clips
from masktrail.losses import StepOutput, mask_loss, masked_mean
from masktrail.recipe import Recipe, Stage, StepSettings, Training


@dataclass(frozen=True)
class PixelSettings(StepSettings):
    """The table `[stages.pixels]` of a recipe.

    Attributes:
        loss: key of `losses.MASK_LOSSES`.
    """

    loss: str = "bce"


def pixel_step(network: nn.Module, clips: Clips, stage: Stage) -> StepOutput:
    """From frame to frame of clips on its own masks, one object per entry of the batch."""
    settings = stage.settings_as(PixelSettings)
    b, t, n = clips.masks.shape[:3]
    images = clips.images.repeat_interleave(n, 0)  # (B*N, T, 3, S, S)
    truth = clips.masks.transpose(1, 2).flatten(0, 1)  # (B*N, T, S, S)
    mask, outputs = truth[:, :1], []
    for i in range(1, t):
        outputs.append(network(images[:, i - 1], images[:, i], mask))
        mask = outputs[-1].detach().sigmoid()
    logits = torch.cat(outputs, 1)  # (B*N, T-1, S, S)
    valid = clips.valid.flatten()[:, None].expand(b * n, t - 1)
    losses = mask_loss(logits, truth[:, 1:], settings.loss)
    parts = {name: masked_mean(loss, valid) for name, loss in losses.items()}
    masks = logits.detach().sigmoid().unflatten(0, (b, n)).transpose(1, 2)
    return StepOutput(torch.stack(list(parts.values())).sum(), parts, masks)


TRAINING = Training(
    step=pixel_step,
    settings=PixelSettings,
    table="pixels",
    further=Recipe(stills="", lr=1e-3, stages=(Stage(real=1.0, multiple=0.0),)),
)
