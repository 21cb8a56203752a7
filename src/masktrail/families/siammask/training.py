"""What one training step of a SiamMask computes."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.data.synth import Clips
from masktrail.families.siammask.config import RING, SEARCH
from masktrail.families.siammask.network import WINDOWS, SiamMask
from masktrail.families.siammask.pairs import Pairs, cut_pairs, in_clips
from masktrail.families.siammask.settings import SiamSettings
from masktrail.families.siammask.targets import (
    Targets,
    anchor_targets,
    in_any_order,
    mask_windows,
    middle_targets,
)
from masktrail.losses import StepOutput, masked_mean
from masktrail.recipe import Stage, Training


def pair_step(network: nn.Module, clips: Clips, stage: Stage) -> StepOutput:
    """Seeks the objects of every clip's first frame in its later ones.

    Losses: of the score softmax cross-entropy, positives and negatives weighing one half each, or
    the logistic loss likewise without anchors; of the box L1; of the masks the logistic loss, in
    windows of positive responses (SiamMask, equation 3).
    """
    assert isinstance(network, SiamMask)
    settings = stage.settings_as(SiamSettings)
    pairs = cut_pairs(clips, settings)
    three = network.config.branches == "three"
    targets = anchor_targets(pairs) if three else middle_targets(pairs)
    *said, found, p0, p1, p2 = _look(network, pairs, settings.refine)
    maps = p0, p1, p2
    rows, counted = _windows(targets, settings)
    truth = mask_windows(pairs.masks, rows)
    parts = {}
    if not settings.refine:
        parts["score"] = settings.score * _score_loss(said[0].float(), targets)
        if three:
            parts["box"] = settings.box * _box_loss(said[1].float(), targets)
    for name, refine in {"mask": False, "refined": True}.items():
        if settings.refine or not refine:
            logits = _drawn(network, found, maps, rows, refine)
            parts[name] = settings.mask * _mask_loss(logits, truth, counted)
    with _looking_only(network.heads):
        best = _best(said[0].float())
        soft = _drawn(network, found, maps, best, settings.refine).float().sigmoid()
        masks = in_clips(soft, best, pairs, clips.images.shape[-1])
    b, t, n = clips.masks.shape[:3]
    loss = torch.stack(list(parts.values())).sum()
    return StepOutput(loss, parts, masks.unflatten(0, (b, t - 1, n)))


def _look(network: SiamMask, pairs: Pairs, refine: bool) -> tuple[Tensor, ...]:
    """What `match` gives, then maps; of it masks alone are learned from where they are refined."""
    for part in (network.encoder, network.adjust, network.heads):
        part.train(network.training and not refine)  # their statistics too are left as they are
    with torch.set_grad_enabled(torch.is_grad_enabled() and not refine):
        kernels = network.exemplar(pairs.exemplars)
        parts = network.search(pairs.regions)
        n = len(kernels)
        return *network.match(*kernels, *parts[:n]), *parts[n:]


def _windows(targets: Targets, settings: SiamSettings) -> tuple[Tensor, Tensor]:
    """Responses whose masks are learned, so many of each pair.

    Returns:
        Which pair, row and column, int64 (M, 3); and whether it is a positive one, bool (M,).
    """
    positive = targets.positive.any(1)  # (P, n, n)
    if settings.search != SEARCH:  # windows that lie in the search region
        inner = torch.zeros_like(positive)
        inner[:, RING:-RING, RING:-RING] = True
        positive = positive & inner
    flat, n = positive.flatten(1), positive.shape[-1]
    chosen = in_any_order(flat)[:, : settings.windows]  # (P, K)
    pair = torch.arange(len(flat), device=flat.device)[:, None].expand_as(chosen)
    rows = torch.stack([pair, chosen // n, chosen % n], 2).flatten(0, 1)
    return rows, flat.gather(1, chosen).flatten()


def _score_loss(said: Tensor, targets: Targets) -> Tensor:
    """Of scores (P, 2A, n, n), or (P, 1, n, n) without anchors."""
    b, a, n = *targets.positive.shape[:2], said.shape[-1]
    if targets.shifts is None:
        missed, alarm = F.softplus(-said), F.softplus(said)
    else:
        against, for_it = F.log_softmax(said.view(b, 2, a, n, n), 1).unbind(1)
        missed, alarm = -for_it, -against
    return 0.5 * (masked_mean(missed, targets.positive) + masked_mean(alarm, targets.negative))


def _box_loss(said: Tensor, targets: Targets) -> Tensor:
    """Of boxes (P, 4A, n, n): the mean of a pair's positive anchors, 0 of pairs that have none."""
    assert targets.shifts is not None
    errors = (said.view(targets.shifts.shape) - targets.shifts).abs().sum(1)  # (P, A, n, n)
    positive = targets.positive.to(errors.dtype)
    count = positive.sum((1, 2, 3))
    each = (errors * positive).sum((1, 2, 3)) / count.clamp_min(1)
    return each.sum() / len(each)


def _mask_loss(logits: Tensor, truth: Tensor, counted: Tensor) -> Tensor:
    """Of masks (M, 1, 127, 127) in windows, those that count."""
    losses = F.binary_cross_entropy_with_logits(logits[:, 0].float(), truth, reduction="none")
    return masked_mean(losses.mean((1, 2)), counted)


def _drawn(
    network: SiamMask,
    found: Tensor,
    maps: tuple[Tensor, Tensor, Tensor],
    rows: Tensor,
    refine: bool,
) -> Tensor:
    """Logits (M, 1, 127, 127) of masks of responses, of which pair, row and column, (M, 3)."""
    vectors = found[rows[:, 0], :, rows[:, 1], rows[:, 2]][..., None, None]  # (M, C, 1, 1)
    if not refine:
        return network.coarse_masks(vectors)
    shown = (windows(each, rows, *how) for each, how in zip(maps, WINDOWS, strict=True))
    return network.refine(vectors, *shown)


@contextmanager
def _looking_only(part: nn.Module) -> Iterator[None]:
    """Within, a part of a network learns nothing, nor do its statistics change."""
    learning = part.training
    part.eval()
    with torch.no_grad():
        yield
    part.train(learning)


def windows(maps: Tensor, rows: Tensor, side: int, step: int) -> Tensor:
    """Windows (M, C, side, side) of responses (M, 3) in maps (P, C, h, w), zeros beyond them."""
    padded = F.pad(maps, [step * RING] * 4)
    along = torch.arange(side, device=maps.device)
    down, across = (step * rows[:, i, None] + along for i in (1, 2))  # (M, side)
    views = padded.movedim(1, -1)[rows[:, :1, None], down[:, :, None], across[:, None]]
    return views.movedim(-1, 1)


def _best(said: Tensor) -> Tensor:
    """The responses (P, 3), which pair, row, column, whose scores (P, _, n, n) are the best."""
    p, n = len(said), said.shape[-1]
    scores = said if said.shape[1] == 1 else said.view(p, 2, -1, n, n).softmax(1)[:, 1]
    best = scores.amax(1).flatten(1).argmax(1)
    return torch.stack([torch.arange(p, device=best.device), best // n, best % n], 1)


TRAINING = Training(step=pair_step, settings=SiamSettings, table="siam")
