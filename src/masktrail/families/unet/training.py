"""What one step of training a network that goes from frame to frame computes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import torch
from torch import nn

from masktrail.data.augment import corrupt_some
from masktrail.data.synth import Clips, ClipSettings
from masktrail.losses import EMPTY_TARGETS, MASK_LOSSES, StepOutput, mask_loss, masked_mean
from masktrail.recipe import Recipe, Stage, StepSettings, Training


@dataclass(frozen=True)
class PairSettings(StepSettings):
    """What a U-Net that sees two frames and a mask is trained with, beside its clips.

    Attributes:
        loss: key of `losses.MASK_LOSSES`.
        empty: what becomes of Dice on empty targets, one of `losses.EMPTY_TARGETS`.
        teacher: share of the steps from frame to frame that go out from the true mask instead of
            the network's own.
        corrupt: share of the true masks so given that are bent, moved, thickened or thinned first.
    """

    loss: str = "bce+dice"
    empty: str = "bce"
    teacher: float = 0.0
    corrupt: float = 0.5

    def problems(self) -> Iterator[str]:
        """What makes no sense, a sentence each."""
        if self.loss not in MASK_LOSSES or self.empty not in EMPTY_TARGETS:
            yield (
                f"loss = {self.loss!r}, empty = {self.empty!r}; expected one of "
                f"{', '.join(MASK_LOSSES)} and one of {', '.join(EMPTY_TARGETS)}"
            )
        for name, share in (("teacher", self.teacher), ("corrupt", self.corrupt)):
            if share > 1:
                yield f"{name} = {share:g}; expected a share of 1"

    def unspoilt(self) -> Self:
        """The same for scoring: always its own masks, and the true first one as it is."""
        return replace(self, teacher=0.0, corrupt=0.0)


def pair_step(network: nn.Module, clips: Clips, stage: Stage) -> StepOutput:
    """Takes a U-Net from frame to frame of clips, one object of one clip per batch entry.

    The mask it goes out from is the true one for frame 0, later its own or, in a share of the
    steps, again the true one (teacher forcing); a share of the true ones is corrupted first, since
    no mask it will be given is perfect.
    """
    settings = stage.settings_as(PairSettings)
    b, t, n = clips.masks.shape[:3]
    images = clips.images.repeat_interleave(n, 0)  # (B*N, T, 3, S, S)
    truth = clips.masks.transpose(1, 2).flatten(0, 1)  # (B*N, T, S, S)
    given = partial(corrupt_some, share=settings.corrupt, generator=torch.default_generator)
    previous, outputs = given(truth[:, 0]), []
    for i in range(1, t):
        logits = network(images[:, i - 1], images[:, i], previous[:, None])[:, 0]
        forced = float(torch.rand(())) < settings.teacher
        previous = given(truth[:, i]) if forced else logits.detach().sigmoid()
        outputs.append(logits.float())
    stacked = torch.stack(outputs, 1)  # (B*N, T-1, S, S)
    valid = clips.valid.flatten()[:, None].expand(b * n, t - 1)
    losses = mask_loss(stacked, truth[:, 1:], settings.loss, settings.empty)
    parts = {name: masked_mean(loss, valid) for name, loss in losses.items()}
    masks = stacked.detach().sigmoid().unflatten(0, (b, n)).transpose(1, 2)
    return StepOutput(torch.stack(list(parts.values())).sum(), parts, masks)


TRAINING = Training(
    step=pair_step,
    settings=PairSettings,
    table="pair",
    further=Recipe(
        stills="",
        ema=0.99,
        warmup=0.05,
        lr=1e-4,
        encoder_lr=2e-5,
        stages=(
            Stage(
                batch=4,
                real=1.0,
                multiple=0.0,
                clips=ClipSettings(size=160, frames=4, paste=0.2, max_gap=5, tight=0.7, tiny=True),
            ),
        ),
    ),
)
