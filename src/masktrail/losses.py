"""Losses on logits and probabilities of masks."""

import torch
from torch import Tensor
from torch.nn import functional as F


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


def masked_mean(values: Tensor, valid: Tensor) -> Tensor:
    """Mean of `values` where `valid` (bool, same shape), a scalar; 0 if nothing is valid."""
    weights = valid.to(values.dtype)
    return (values * weights).sum() / weights.sum().clamp_min(1)


def label_maps(masks: Tensor) -> Tensor:
    """Classes (B, H, W), int64, 0 background, of 0/1 masks (B, N, H, W) that do not overlap."""
    ids = torch.arange(1, masks.shape[1] + 1, device=masks.device, dtype=masks.dtype)
    return (masks * ids.view(1, -1, 1, 1)).sum(1).long()
