"""Objects that compete for pixels, in batches, as networks train; `tracking.competition` does the
same of one frame."""

import torch
from torch import Tensor

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
