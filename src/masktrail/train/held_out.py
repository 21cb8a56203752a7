"""How good a network is on videos that it does not learn from, told while it learns from others."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace

import torch
from torch import Tensor, nn

from masktrail.data.pack import Pack
from masktrail.data.synth import ClipSampler
from masktrail.devices import fast_autocast
from masktrail.families import training_of
from masktrail.losses import masked_mean
from masktrail.recipe import Recipe, Stage, Training
from masktrail.train.drawing import open_packs

SEED = 0
"""Of the clips and of all that is drawn beside them: every score is of the same ones."""

CLIPS, BATCH = 48, 8


class HeldOut:
    """Clips of a recipe's held-out pack, as its last stage has them but for what is done to them.

    Args:
        recipe: names the pack.
        device: where the pack is to lie and the network computes.
        packs: that are open already, by folder; this one may be among them.

    Raises:
        InputError: the pack cannot be used, or holds a sequence that models are measured on.
    """

    def __init__(
        self, recipe: Recipe, device: torch.device, packs: Mapping[str, Pack] | None = None
    ) -> None:
        pack = (packs or {}).get(recipe.held_out)
        if pack is None:
            (pack,) = open_packs([recipe.held_out], device).values()
        self._sampler = ClipSampler(None, [pack], SEED)
        training = training_of(recipe.family)
        self._stage = _as_they_are(recipe.stages[-1], training)
        self._compute = training.step
        self._device = device

    @torch.no_grad()
    def score(self, network: nn.Module) -> dict[str, float]:
        """How good a network is; what random numbers the training draws does not change.

        Returns:
            "IoU", the mean of the masks of the frames after the first, or of the one frame after
            its last click; and the losses of a training step by their names, means over all clips.
        """
        network.eval()
        sums: defaultdict[str, Tensor] = defaultdict(lambda: torch.zeros((), device=self._device))
        with ExitStack() as stack:
            stack.enter_context(torch.random.fork_rng([]))
            stack.enter_context(fast_autocast(self._device))
            torch.manual_seed(SEED)
            self._sampler.generator.manual_seed(SEED)
            for _ in range(CLIPS // BATCH):
                clips = self._sampler.video_batch(BATCH, self._stage.clips)
                output = self._compute(network, clips, self._stage)
                sums["IoU"] += _iou(output.masks, clips.masks, clips.valid)
                for name, loss in output.parts.items():
                    sums[name] += loss
        return {name: float(total) / (CLIPS // BATCH) for name, total in sums.items()}


def _as_they_are(stage: Stage, training: Training) -> Stage:
    """A stage of clips that are neither bent nor pasted into, and of masks that are not spoilt."""
    clips = replace(stage.clips, objects=1, paste=0.0, real_motion=0.0, small=0.0, far=0)
    settings = stage.settings_as(training.settings).unspoilt() if training.settings else None
    return replace(stage, clips=clips, own=settings)


def _iou(masks: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Mean over all objects and frames; 1 where there is nothing and nothing is found.

    Args:
        masks: soft, (B, T-1, N, S, S); or (B, R, N, S, S) of one frame, of which the last counts.
        truth: (B, T, N, S, S).
        valid: slots that hold an object, bool (B, N).
    """
    true = truth[:, 1:] if truth.shape[1] > 1 else truth
    predicted, true = masks[:, -true.shape[1] :] > 0.5, true > 0.5
    union = (predicted | true).sum((3, 4))
    iou = torch.where(union > 0, (predicted & true).sum((3, 4)) / union.clamp_min(1), 1.0)
    return masked_mean(iou, valid[:, None].expand(iou.shape))
