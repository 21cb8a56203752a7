"""Pictures seen through flow."""

import torch
from torch import Tensor
from torch.nn import functional as F


def carried(values: Tensor, flow: Tensor) -> Tensor:
    """Values (M, C, H, W) of one frame, seen through flow (M, H, W, 2) from another to it."""
    height, width = flow.shape[1:3]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    target = torch.stack([x, y], -1) + flow
    grid = (2 * target + 1) / torch.tensor([width, height]) - 1
    return F.grid_sample(values, grid, align_corners=False)
