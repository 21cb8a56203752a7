"""From one mask per object to one label per pixel; between soft masks and logits."""

import torch
from torch import Tensor

EPSILON = 1e-4
"""Probabilities stay this far from 0 and 1 where they become logits."""

CLAMP = 1e-7
"""Probabilities stay this far from 0 and 1, so that logits stay finite."""


def soft_aggregate(logits: Tensor) -> Tensor:
    """Turns independent object logits into logits that compete with each other and the background.

    Source: STM (Oh et al., ICCV 2019), equation 3: the background's probability is the product of
    the objects' complements; a softmax over the logits of all follows. Computed in float32.

    Args:
        logits: (B, N, H, W), one per object.

    Returns:
        (B, N+1, H, W), background first; a softmax over dimension 1 gives probabilities.
    """
    objects = logits.float().sigmoid()
    background = (1 - objects).prod(1, keepdim=True)
    probabilities = torch.cat([background, objects], 1).clamp(CLAMP, 1 - CLAMP)
    return probabilities.logit()


def others(masks: Tensor) -> Tensor:
    """For each object of soft masks (B, N, H, W), the sum of all the others, same shape."""
    return masks.sum(1, keepdim=True) - masks


def to_logits(masks: list[Tensor], shape: tuple[int, ...] | torch.Size) -> Tensor:
    """Soft masks, each of `shape` (H, W), to logits (N, H, W)."""
    if not masks:
        return torch.empty(0, *shape)
    return torch.stack(masks).logit(EPSILON)
