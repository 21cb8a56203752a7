"""What a training step of a prompt network computes: marks, masks, and clicks on what is wrong."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.data.augment import corrupt
from masktrail.data.clicks import Click, corrective_click, depth, first_click
from masktrail.data.synth import Clips
from masktrail.losses import mask_loss, masked_mean
from masktrail.models.prompt import prompt_maps
from masktrail.train.output import StepOutput
from masktrail.train.recipe import ClickSettings, Stage
from masktrail.types import Box, Points

MOST_FIRST = 3
"""Clicks an object is first marked by."""

ASTRAY = 0.2
"""Share of the objects marked by clicks of which one says what is not the object."""

Bool = NDArray[np.bool_]


def prompt_step(network: nn.Module, clips: Clips, stage: Stage) -> StepOutput:
    """Marks the objects in the first frame of clips, then corrects the masks click by click.

    A click goes where the mask is most wrong, and the mask is fed back with it (iterative training
    with mask guidance: RITM, Sofiiuk et al., ICIP 2022); here the mask after every click is learned
    from, not the last one alone.
    """
    b, n, size = *clips.valid.shape, clips.masks.shape[-1]
    images = clips.images[:, 0].repeat_interleave(n, 0)  # (B*N, 3, S, S)
    images = images.contiguous(memory_format=torch.channels_last)
    truth, shown = clips.masks[:, 0].flatten(0, 1), clips.valid.flatten()
    marks, previous = _marks(truth, stage.click)
    generator, outputs = _generator(), []
    for more in reversed(range(1 + stage.click.rounds)):
        maps = torch.stack([prompt_maps(mark, size, size) for mark in marks]).to(images.device)
        small = network(images, maps, previous[:, None])
        logits = F.interpolate(small.float(), (size, size), mode="bilinear")[:, 0]
        outputs.append(logits)
        previous = logits.detach().sigmoid()
        if more:
            marks = _corrected(marks, previous, truth, generator)
    stacked = torch.stack(outputs, 1)  # (B*N, R, S, S)
    losses = mask_loss(stacked, truth[:, None].expand_as(stacked), "bce+dice")
    counted = shown[:, None].expand(stacked.shape[:2])
    parts = {name: masked_mean(loss, counted) for name, loss in losses.items()}
    masks = stacked.detach().sigmoid().unflatten(0, (b, n)).transpose(1, 2)
    return StepOutput(torch.stack(list(parts.values())).sum(), parts, masks)


def _marks(truth: Tensor, settings: ClickSettings) -> tuple[list[Points], Tensor]:
    """First prompts of masks (M, S, S), and the soft masks (M, S, S) they go out from."""
    generator = _generator()
    chosen = generator.random(len(truth))
    boxed = chosen < settings.box
    spoilt = (chosen >= settings.box) & (chosen < settings.box + settings.mask)
    previous = torch.zeros_like(truth)
    if spoilt.any():
        previous[torch.from_numpy(spoilt)] = _spoilt(truth[torch.from_numpy(spoilt)], generator)
    found, true = _bool(previous), _bool(truth)
    marks = []
    for i, mask in enumerate(true):
        if not mask.any():  # an empty slot, which does not count
            marks.append(Points((), ()))
        elif boxed[i]:
            marks.append(Points((), (), jittered_box(mask, settings.jitter, generator)))
        elif spoilt[i]:
            marks.append(_with(Points((), ()), corrective_click(found[i], mask, generator)))
        else:
            marks.append(_first_clicks(mask, generator))
    return marks, previous


def jittered_box(mask: Bool, jitter: float, generator: np.random.Generator) -> Box:
    """The tight box of a mask (H, W), each side moved by at most a share of its length."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    sides = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)
    lengths = np.tile(sides[2:] - sides[:2], 2)
    sides += generator.uniform(-jitter, jitter, 4) * lengths
    height, width = mask.shape
    return Box(*(float(side) for side in sides.clip(0, [width, height, width, height])))


def _first_clicks(mask: Bool, generator: np.random.Generator) -> Points:
    """A click in the middle of an object, or some anywhere in it; perhaps one beside it."""
    clicks = Points((), ())
    if generator.random() < 0.5:
        clicks = _with(clicks, first_click(mask))
    else:
        for _ in range(int(generator.integers(1, MOST_FIRST + 1))):
            clicks = _with(clicks, first_click(mask, generator))
    if generator.random() < ASTRAY:
        rows, columns = np.nonzero(depth(~mask) > 3)
        if len(rows):
            at = int(generator.integers(len(rows)))
            clicks = _with(clicks, Click(columns[at] + 0.5, rows[at] + 0.5, False))
    return clicks


def _corrected(
    marks: list[Points], previous: Tensor, truth: Tensor, generator: np.random.Generator
) -> list[Points]:
    """Prompts with one more click each, where the soft masks (M, S, S) are most wrong."""
    return [
        _with(mark, corrective_click(found, true, generator) if true.any() else None)
        for mark, found, true in zip(marks, _bool(previous), _bool(truth), strict=True)
    ]


def _with(clicks: Points, click: Click | None) -> Points:
    if click is None:
        return clicks
    points = (*clicks.points, (click.x, click.y))
    return replace(clicks, points=points, labels=(*clicks.labels, click.label))


def _spoilt(masks: Tensor, generator: np.random.Generator) -> Tensor:
    """Masks (M, S, S) as a tracker might lose them: bent, and a rectangle of half too much or
    too little."""
    masks = corrupt(masks, torch.default_generator).clone()
    size = masks.shape[-1]
    for mask in masks:
        x, y = generator.integers(0, size, 2)
        width, height = generator.integers(size // 8, size // 2, 2)
        mask[y : y + height, x : x + width] = float(generator.random() < 0.3)
    return masks


def _bool(masks: Tensor) -> Bool:
    return (masks > 0.5).cpu().numpy()


def _generator() -> np.random.Generator:
    """Of what torch's seed makes follow."""
    return np.random.default_rng(int(torch.randint(2**62, ())))
