"""Boxes of batches of masks, on whatever device these are."""

import torch
from torch import Tensor


def tight_boxes(masks: Tensor) -> Tensor:
    """Boxes of masks, bool (M, H, W); that of an empty one is the picture's.

    Returns:
        float (M, 4), x0, y0, x1, y1 in pixels, end exclusive.
    """
    columns, rows = masks.any(1).byte(), masks.any(2).byte()  # (M, W), (M, H)
    starts = torch.stack([columns.argmax(1), rows.argmax(1)], 1)
    beyond = torch.stack([columns.flip(1).argmax(1), rows.flip(1).argmax(1)], 1)
    ends = torch.stack([columns.shape[1] - beyond[:, 0], rows.shape[1] - beyond[:, 1]], 1)
    return torch.cat([starts, ends], 1).float()
