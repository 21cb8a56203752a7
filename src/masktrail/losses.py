"""Losses on logits and probabilities of masks."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class StepOutput(NamedTuple):
    """Losses and pictures of one step of training, whatever the family of model.

    Attributes:
        loss: scalar to be minimised.
        parts: its parts, scalars by name, for the log.
        masks: predicted soft masks (B, T-1, N, S, S) of the frames after the first; of networks
            that make masks of clicks (B, R, N, S, S), of the one frame after each round of them.
    """

    loss: Tensor
    parts: dict[str, Tensor]
    masks: Tensor


def hard_pixel_cross_entropy(logits: Tensor, target: Tensor, keep: float) -> Tensor:
    """Cross-entropy averaged over the hardest pixels of each picture.

    Source: bootstrapped cross-entropy as STM, STCN and XMem train with.

    Args:
        logits: (B, C, H, W), background first.
        target: class of every pixel, int64 (B, H, W).
        keep: share of the pixels that counts, 0 to 1.

    Returns:
        (B,).
    """
    losses = F.cross_entropy(logits, target, reduction="none").flatten(1)
    count = max(1, int(keep * losses.shape[1]))
    return losses.topk(count, 1, sorted=False).values.mean(1)


def dice(probabilities: Tensor, target: Tensor, smooth: float = 1.0) -> Tensor:
    """Soft Dice loss with unsquared denominators, as XMem and Cutie train with.

    Args:
        probabilities: (..., H, W) in [0, 1].
        target: same shape, 0 or 1.
        smooth: added above and below, so that an empty target with an empty prediction costs 0.

    Returns:
        (...), 0 where they agree, towards 1 where they do not.
    """
    overlap = (probabilities * target).sum((-2, -1))
    total = probabilities.sum((-2, -1)) + target.sum((-2, -1))
    return 1 - (2 * overlap + smooth) / (total + smooth)


def squared_dice(probabilities: Tensor, target: Tensor, eps: float = 1e-5) -> Tensor:
    """Soft Dice loss with squared denominators: the report's equation 4, which U-Nets train with.

    An empty target costs nearly 1 whatever is predicted, short of nothing at all, and its gradient
    is all but zero; `mask_loss` says what can be done about it.

    Args:
        probabilities: (..., H, W) in [0, 1].
        target: same shape, 0 or 1.
        eps: added above and below.

    Returns:
        (...), 0 where they agree, towards 1 where they do not.
    """
    overlap = (probabilities * target).sum((-2, -1))
    total = probabilities.square().sum((-2, -1)) + target.square().sum((-2, -1))
    return 1 - (2 * overlap + eps) / (total + eps)


def mask_loss(logits: Tensor, target: Tensor, kind: str, empty: str = "bce") -> dict[str, Tensor]:
    """The parts of the loss a U-Net is trained with, a sample at a time.

    Args:
        logits: (..., H, W).
        target: same shape, 0 or 1.
        kind: key of `MASK_LOSSES`.
        empty: what becomes of Dice where the target is empty: "dice" takes equation 4 to the
            letter, "skip" counts 0, "bce" puts the cross-entropy in its place.

    Returns:
        By name, (...) each; the loss is their sum.
    """
    bce = F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean((-2, -1))
    dice = squared_dice(logits.sigmoid(), target)
    if empty != "dice":
        present = target.amax((-2, -1)) > 0
        dice = torch.where(present, dice, bce if empty == "bce" else torch.zeros_like(dice))
    parts = {"cross_entropy": bce, "dice": dice}
    return {name: parts[name] for name in MASK_LOSSES[kind]}


MASK_LOSSES = {
    "dice": ("dice",),
    "bce": ("cross_entropy",),
    "bce+dice": ("cross_entropy", "dice"),
}
"""Kinds of loss of a U-Net, and the parts they add up."""

EMPTY_TARGETS = ("bce", "skip", "dice")


def masked_mean(values: Tensor, valid: Tensor) -> Tensor:
    """Mean of `values` where `valid` (bool, same shape), a scalar; 0 if nothing is valid."""
    weights = valid.to(values.dtype)
    return (values * weights).sum() / weights.sum().clamp_min(1)


def label_maps(masks: Tensor) -> Tensor:
    """Classes (B, H, W), int64, 0 background, of 0/1 masks (B, N, H, W) that do not overlap."""
    ids = torch.arange(1, masks.shape[1] + 1, device=masks.device, dtype=masks.dtype)
    return (masks * ids.view(1, -1, 1, 1)).sum(1).long()
