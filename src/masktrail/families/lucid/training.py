"""What one step of training Lucid Tracker's network computes: flow, masks from frame to frame."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.data.augment import corrupt_some
from masktrail.data.synth import Clips, ClipSettings
from masktrail.families.lucid.cue import motion_cue
from masktrail.families.lucid.network import LucidNetwork, enlarged
from masktrail.losses import StepOutput, mask_loss, masked_mean
from masktrail.recipe import Recipe, Stage, StepSettings, Training

FLOW_WEIGHT = 0.1
"""Of the flow's error, in pixels, beside the losses of the masks."""


@dataclass(frozen=True)
class LucidSettings(StepSettings):
    """What the network is trained with, beside its clips.

    Attributes:
        corrupt: share of the true masks it goes out from that are bent, moved, thickened or thinned
            first.
        teacher: share of the steps from frame to frame that go out from the true mask instead of
            its own.
        still: share of the clips in which it is told nothing of motion, neither by its mask nor by
            the channel of it.
    """

    corrupt: float = 0.7
    teacher: float = 0.0
    still: float = 0.1

    def problems(self) -> Iterator[str]:
        """What makes no sense, a sentence each."""
        for name, share in vars(self).items():
            if share > 1:
                yield f"{name} = {share:g}; expected a share of 1"

    def unspoilt(self) -> Self:
        """The same for scoring: always its own masks, the true first one as it is, and motion."""
        return replace(self, corrupt=0.0, teacher=0.0, still=0.0)


class Motions(NamedTuple):
    """How B clips of T frames move.

    Attributes:
        backward: flow from every frame but the first to the one before (B, T-1, 2, S, S).
        cue: how fast each pixel moves (B, T-1, 1, S, S), see `motion_cue`.
        error: of the flow, a scalar; None where the true one is not known.
    """

    backward: Tensor
    cue: Tensor
    error: Tensor | None


def lucid_step(network: nn.Module, clips: Clips, stage: Stage) -> StepOutput:
    """Takes the network from frame to frame of clips, one object of one clip per batch entry.

    Flow is learned where the clips know it, and is as it is for the masks: no mask teaches flow.
    """
    assert isinstance(network, LucidNetwork)
    settings = stage.settings_as(LucidSettings)
    b, t, n = clips.masks.shape[:3]
    motions = _motions(network, clips, settings.still)
    images, cue, backward = (
        x.repeat_interleave(n, 0) for x in (clips.images, motions.cue, motions.backward)
    )
    truth = clips.masks.transpose(1, 2).flatten(0, 1)  # (B*N, T, S, S)
    given = partial(corrupt_some, share=settings.corrupt, generator=torch.default_generator)
    previous, outputs = given(truth[:, 0]), []
    for i in range(1, t):
        warped = network.warp(previous[:, None].float(), backward[:, i - 1])
        logits = network.segment(images[:, i], warped, cue[:, i - 1])[:, 0]
        forced = float(torch.rand(())) < settings.teacher
        previous = given(truth[:, i]) if forced else logits.detach().sigmoid()
        outputs.append(logits.float())
    stacked = torch.stack(outputs, 1)  # (B*N, T-1, S, S)
    valid = clips.valid.flatten()[:, None].expand(b * n, t - 1)
    losses = mask_loss(stacked, truth[:, 1:], "bce+dice")
    parts = {name: masked_mean(loss, valid) for name, loss in losses.items()}
    if motions.error is not None:
        parts["flow"] = FLOW_WEIGHT * motions.error
    masks = stacked.detach().sigmoid().unflatten(0, (b, n)).transpose(1, 2)
    return StepOutput(torch.stack(list(parts.values())).sum(), parts, masks)


def _motions(network: LucidNetwork, clips: Clips, still: float) -> Motions:
    b, t = clips.images.shape[:2]
    now, before = (x.flatten(0, 1) for x in (clips.images[:, 1:], clips.images[:, :-1]))
    with torch.set_grad_enabled(torch.is_grad_enabled() and clips.flow is not None):
        levels = network.flow(torch.cat([now, before]), torch.cat([before, now]))
    backward, forward = enlarged(levels[-1].detach()).chunk(2)
    error = None
    if clips.flow is not None:
        error = _error([level[: len(now)] for level in levels], clips.flow.flatten(0, 1))
    cue = motion_cue(backward, forward)
    moves = (torch.rand(b) >= still).to(cue.dtype)
    moves = moves.to(cue.device, non_blocking=True).repeat_interleave(t - 1).view(-1, 1, 1, 1)
    cue, backward = cue * moves, backward * moves
    return Motions(backward.unflatten(0, (b, t - 1)), cue.unflatten(0, (b, t - 1)), error)


def _error(levels: list[Tensor], truth: Tensor) -> Tensor:
    """Mean over levels (M, 2, h, w) of how many pixels they are off where flow (M, 3, S, S) is
    known, what is far off counted less (PWC-Net's robust loss)."""
    errors = []
    for level in levels:
        at = F.interpolate(truth, level.shape[2:], mode="nearest-exact")
        off = (level - at[:, :2]).square().sum(1).add(1e-4).sqrt()
        errors.append(masked_mean((off + 0.01) ** 0.7, at[:, 2] > 0.5))
    return torch.stack(errors).mean()


TRAINING = Training(
    step=lucid_step,
    settings=LucidSettings,
    table="lucid",
    further=Recipe(
        stills="",
        ema=0.99,
        warmup=0.05,
        lr=1e-4,
        encoder_lr=2e-5,
        frozen=("flow.",),
        stages=(
            Stage(
                batch=4,
                real=1.0,
                multiple=0.0,
                clips=ClipSettings(size=192, frames=3, paste=0.2, max_gap=5, tight=0.7, tiny=True),
            ),
        ),
    ),
)
