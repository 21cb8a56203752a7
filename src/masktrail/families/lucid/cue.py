"""How fast things move, as Lucid Tracker's network is told: a picture of the flow's length."""

import torch
from torch import Tensor

from masktrail.flow.cue import STILL
from masktrail.models.flow_network import moved


def motion_cue(backward: Tensor, forward: Tensor) -> Tensor:
    """`flow.cue.motion_cue` of a batch, on its device.

    Args:
        backward: flow from frames to those before (B, 2, H, W), in pixels.
        forward: from those before to them.

    Returns:
        (B, 1, H, W) in [0, 1].
    """
    back, forth = (_length(flow) for flow in (backward, forward))
    length = 0.5 * (back + moved(forth, backward))
    most = length.amax((2, 3), keepdim=True)
    return torch.where(most < STILL, torch.zeros_like(length), length / most.clamp_min(STILL))


def _length(flow: Tensor) -> Tensor:
    """Of flow (B, 2, H, W) beside the camera's (B, 1, H, W)."""
    camera = flow.flatten(2).median(2).values[..., None, None]
    return (flow - camera).square().sum(1, keepdim=True).sqrt()
