"""Clicks as a user would set them, from the true masks of objects.

Source: RITM (Sofiiuk et al., ICIP 2022), which follows the evaluation of earlier work (Xu et al.,
"Deep Interactive Object Selection", CVPR 2016): a click goes into the middle of what is most wrong,
found by a distance transform. All is computed for whole batches, where the masks lie, and nothing
is read back from there.
"""

from typing import NamedTuple

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F


class Clicks(NamedTuple):
    """A click for each of M masks.

    Attributes:
        at: (M, 2), x and y in pixels, continuous; in the middle of a pixel.
        label: bool (M,), whether it lies on the object.
        there: bool (M,), whether there is one at all; `at` means nothing otherwise.
    """

    at: Tensor
    label: Tensor
    there: Tensor


def first_clicks(masks: Tensor) -> Clicks:
    """Clicks on objects, in their middles; none on what is empty.

    Args:
        masks: of the objects, bool (M, H, W).
    """
    depths = depth(masks)
    there = depths.amax((1, 2)) > 0
    return Clicks(middles(depths), torch.ones_like(there), there)


def corrective_clicks(masks: Tensor, truth: Tensor, chances: Tensor | None = None) -> Clicks:
    """Clicks in the deepest places where masks are wrong; none where they are right.

    Args:
        masks: bool (M, H, W).
        truth: bool (M, H, W).
        chances: (M,) in [0, 1); with them a click lies anywhere in the inner half of what is
            missing, or of what is too much, whichever goes deeper.
    """
    missing, surplus = depth(torch.cat([truth & ~masks, masks & ~truth])).chunk(2)
    label = missing.amax((1, 2)) >= surplus.amax((1, 2))
    depths = torch.where(label[:, None, None], missing, surplus)
    at = middles(depths) if chances is None else inner_places(depths, chances[:, None])[:, 0]
    return Clicks(at, label, depths.amax((1, 2)) > 0)


def depth(regions: Tensor) -> Tensor:
    """Distance of every pixel of regions to what is not of them, 0 outside.

    The picture's edge counts as outside. In steps of the chessboard: where the middle is hardly
    depends on it.

    Args:
        regions: bool (M, H, W), one or more.

    Returns:
        (M, H, W), whole numbers in float32.
    """
    if regions.device.type == "cpu":  # twenty times as fast there
        depths = [
            ndimage.distance_transform_cdt(np.pad(region, 1), "chessboard")[1:-1, 1:-1]
            for region in regions.numpy()
        ]
        return torch.from_numpy(np.stack(depths)).float()
    return _eroded_away(regions)


def _eroded_away(regions: Tensor) -> Tensor:
    """`depth` by as many erosions as it takes at most: to ask how many it takes is to wait."""
    outside = F.pad((~regions).float(), (1, 1, 1, 1), value=1.0)[:, None]
    depths = torch.zeros_like(outside)
    for _ in range((min(regions.shape[1:]) + 1) // 2):
        depths += 1 - outside
        outside = F.max_pool2d(outside, 3, 1, 1)
    return depths[:, 0, 1:-1, 1:-1]


def middles(depths: Tensor) -> Tensor:
    """Of the deepest pixels of each region, that nearest to their middle.

    Args:
        depths: (M, H, W), see `depth`.

    Returns:
        Positions (M, 2) of its centre; those of any pixel where the region is empty.
    """
    deepest = depths == depths.amax((1, 2), keepdim=True)
    y = torch.arange(depths.shape[1], device=depths.device)[:, None]
    x = torch.arange(depths.shape[2], device=depths.device)
    count = deepest.sum((1, 2), keepdim=True)
    middle_y, middle_x = ((deepest * i).sum((1, 2), keepdim=True) / count for i in (y, x))
    distance = (y - middle_y).square() + (x - middle_x).square()
    nearest = distance.masked_fill(~deepest, torch.inf).flatten(1).argmin(1)
    return _centres(nearest, depths.shape[2])


def inner_places(depths: Tensor, chances: Tensor) -> Tensor:
    """Places at least half as deep as a region is anywhere.

    Args:
        depths: (M, H, W), see `depth`.
        chances: (M, K), see `places`.

    Returns:
        Positions (M, K, 2), see `places`.
    """
    return places(depths > depths.amax((1, 2), keepdim=True) / 2, chances)


def places(allowed: Tensor, chances: Tensor) -> Tensor:
    """Pixels drawn from those allowed, all of them alike.

    Args:
        allowed: bool (M, H, W).
        chances: (M, K) in [0, 1): the share of the allowed pixels, row by row, that come before.

    Returns:
        Positions (M, K, 2) of their centres; of any pixel where none is allowed.
    """
    passed = allowed.flatten(1).cumsum(1, dtype=torch.int32)  # allowed up to and with each
    ranks = (chances * passed[:, -1:]).int() + 1
    indices = torch.searchsorted(passed, ranks).clamp_max(passed.shape[1] - 1)
    return _centres(indices, allowed.shape[2])


def _centres(pixels: Tensor, width: int) -> Tensor:
    """Positions (..., 2) of pixels (...) counted row by row."""
    return torch.stack([pixels % width, pixels.div(width, rounding_mode="floor")], -1) + 0.5
