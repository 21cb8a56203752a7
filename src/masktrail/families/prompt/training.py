"""What a training step of a prompt network computes: marks, masks, and clicks on what is wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.data.augment import corrupt, uniform
from masktrail.data.boxes import tight_boxes
from masktrail.data.clicks import corrective_clicks, depth, inner_places, middles, places
from masktrail.data.rows import change_rows
from masktrail.data.synth import Clips
from masktrail.devices import sent
from masktrail.families.prompt.network import MAPS, covered, disks
from masktrail.losses import StepOutput, mask_loss, masked_mean
from masktrail.recipe import Stage, StepSettings, Training

MOST_FIRST = 3
"""Clicks an object is first marked by."""

ASTRAY = 0.2
"""Share of the objects marked by clicks of which one says what is not the object."""

GAP = 3
"""Pixels that such a click keeps away from it, and from the edge of the picture."""


@dataclass(frozen=True)
class ClickSettings(StepSettings):
    """How objects are marked for a prompt network, beside its clips.

    Attributes:
        box: share of the objects that are first marked by a box.
        jitter: each side of it is moved by at most this share of its length.
        mask: share of the objects that have a mask already, a bad one that is to be corrected. All
            others are first marked by clicks.
        rounds: so many corrective clicks follow, in every step: processes wait for each other.
    """

    box: float = 0.45
    jitter: float = 0.08
    mask: float = 0.15
    rounds: int = 3

    def problems(self) -> Iterator[str]:
        """What makes no sense, a sentence each."""
        if self.box + self.mask > 1:
            yield (
                f"box = {self.box:g}, mask = {self.mask:g}; expected shares that add up to 1 or "
                "less"
            )


def prompt_step(network: nn.Module, clips: Clips, stage: Stage) -> StepOutput:
    """Marks the objects in the first frame of clips, then corrects the masks click by click.

    A click goes where the mask is most wrong, and the mask is fed back with it (iterative training
    with mask guidance: RITM, Sofiiuk et al., ICIP 2022); here the mask after every click is learned
    from, not the last one alone.
    """
    settings = stage.settings_as(ClickSettings)
    b, n, size = *clips.valid.shape, clips.masks.shape[-1]
    images = clips.images[:, 0].repeat_interleave(n, 0)  # (B*N, 3, S, S)
    images = images.contiguous(memory_format=torch.channels_last)
    truth, valid = clips.masks[:, 0].flatten(0, 1), clips.valid.flatten()
    maps, previous = _first_marks(truth, settings)
    outputs = []
    for more in reversed(range(1 + settings.rounds)):
        small = network(images, maps, previous[:, None])
        logits = F.interpolate(small.float(), (size, size), mode="bilinear")[:, 0]
        outputs.append(logits)
        previous = logits.detach().sigmoid()
        if more:
            maps = _corrected(maps, previous, truth)
    stacked = torch.stack(outputs, 1)  # (B*N, R, S, S)
    losses = mask_loss(stacked, truth[:, None].expand_as(stacked), "bce+dice")
    counted = valid[:, None].expand(stacked.shape[:2])
    parts = {name: masked_mean(loss, counted) for name, loss in losses.items()}
    masks = stacked.detach().sigmoid().unflatten(0, (b, n)).transpose(1, 2)
    return StepOutput(torch.stack(list(parts.values())).sum(), parts, masks)


def _first_marks(truth: Tensor, settings: ClickSettings) -> tuple[Tensor, Tensor]:
    """First prompt maps (M, 3, S, S) of masks (M, S, S), all 0 where a mask is empty, and the soft
    masks (M, S, S) they go out from."""
    kind = torch.rand(len(truth))
    boxed, clicked = kind < settings.box, kind >= settings.box + settings.mask
    masked = ~boxed & ~clicked
    nothing = torch.zeros_like(truth)
    previous = change_rows(masked, lambda _, true: _spoilt(true), nothing, truth)
    maps = truth.new_zeros(len(truth), MAPS, *truth.shape[1:])
    maps = change_rows(boxed, partial(_boxed, jitter=settings.jitter), maps, truth)
    maps = change_rows(masked, _corrected, maps, previous, truth)
    return change_rows(clicked, _clicked, maps, truth), previous


def _boxed(maps: Tensor, truth: Tensor, jitter: float) -> Tensor:
    """Prompt maps with a box around each object."""
    boxes = jittered_boxes(truth > 0.5, jitter)
    shares = covered(boxes, *truth.shape[1:]) * truth.amax((1, 2), keepdim=True)
    return torch.cat([maps[:, :2], shares[:, None]], 1)


def jittered_boxes(masks: Tensor, jitter: float) -> Tensor:
    """Tight boxes of masks, each side moved by at most a share of its length.

    Args:
        masks: bool (M, H, W); the box of an empty one is that of the picture.
        jitter: the share.

    Returns:
        (M, 4), x0, y0, x1, y1 in pixels, within the picture.
    """
    boxes = tight_boxes(masks)
    lengths = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    moved = uniform((len(masks), 4), -jitter, jitter, torch.default_generator)
    boxes = boxes + sent(moved, masks.device) * lengths
    height, width = masks.shape[1:]
    x, y = boxes[:, 0::2].clamp(0, width), boxes[:, 1::2].clamp(0, height)
    return torch.stack([x, y], 2).flatten(1)


def _clicked(maps: Tensor, truth: Tensor) -> Tensor:
    """Prompt maps with a click in the middle of each object, or some anywhere in it; perhaps with
    one beside it."""
    masks, count = truth > 0.5, len(truth)
    middle, astray = torch.rand(count, 1) < 0.5, torch.rand(count, 1) < ASTRAY
    number = torch.randint(1, MOST_FIRST + 1, (count, 1)).masked_fill(middle, 1)
    chosen = torch.cat([torch.arange(MOST_FIRST) < number, astray], 1)  # (M, K)
    chances = sent(torch.rand(count, MOST_FIRST + 1), truth.device)
    depths, beside = depth(masks), depth(~masks) > GAP
    at = inner_places(depths, chances[:, :-1])
    first = torch.where(sent(middle, truth.device), middles(depths), at[:, 0])
    at = torch.cat([first[:, None], at[:, 1:], places(beside, chances[:, -1:])], 1)
    inside, outside = masks.flatten(1).any(1), beside.flatten(1).any(1)
    possible = torch.stack([inside] * MOST_FIRST + [inside & outside], 1)
    label = torch.arange(MOST_FIRST + 1) < MOST_FIRST
    there = sent(chosen, truth.device) & possible
    return _with_clicks(maps, at, sent(label, truth.device), there)


def _corrected(maps: Tensor, previous: Tensor, truth: Tensor) -> Tensor:
    """Prompt maps with one more click each, where the soft masks (M, S, S) are most wrong."""
    chances = sent(torch.rand(len(truth)), truth.device)
    clicks = corrective_clicks(previous > 0.5, truth > 0.5, chances)
    there = clicks.there & (truth.amax((1, 2)) > 0)
    return _with_clicks(maps, clicks.at[:, None], clicks.label[:, None], there[:, None])


def _with_clicks(maps: Tensor, at: Tensor, label: Tensor, there: Tensor) -> Tensor:
    """Prompt maps (M, 3, S, S) with those of K clicks more that are there.

    Args:
        maps: as they were.
        at: positions (M, K, 2).
        label: whether on the object, bool (M, K) or (K,).
        there: bool (M, K).
    """
    near = disks(at, *maps.shape[2:]) & there[..., None, None]  # (M, K, S, S)
    positive = label.expand_as(there)[..., None, None]
    drawn = torch.stack([(near & positive).any(1), (near & ~positive).any(1)], 1)
    return torch.cat([maps[:, :2].maximum(drawn.to(maps.dtype)), maps[:, 2:]], 1)


def _spoilt(masks: Tensor) -> Tensor:
    """Masks (M, S, S) as a tracker might lose them: bent, and a rectangle of half too much or
    too little."""
    size, count = masks.shape[-1], len(masks)
    corners, lengths = torch.rand(count, 2) * size, size * (0.125 + 0.375 * torch.rand(count, 2))
    boxes = torch.cat([corners, corners + lengths], 1)
    filled = torch.rand(count, 1, 1) < 0.3
    inside = covered(sent(boxes, masks.device), size, size) > 0.5
    bent = corrupt(masks, torch.default_generator)
    return torch.where(inside, sent(filled.float(), masks.device), bent)


TRAINING = Training(step=prompt_step, settings=ClickSettings, table="click")
