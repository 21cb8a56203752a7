"""What a SiamMask ought to say of search regions.

Source: SiamMask's published code for anchors; SiamFC (Bertinetto et al., ECCVW 2016), equation 7,
for responses without anchors.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from masktrail.devices import sent
from masktrail.families.siammask.anchors import anchors, centres
from masktrail.families.siammask.config import EXEMPLAR, RING, STRIDE, responses
from masktrail.families.siammask.pairs import Pairs

LIKE, UNLIKE = 0.6, 0.3
"""Anchors that overlap the object's box by more are positive, by less negative."""

RADIUS = 16.0
"""Without anchors, responses are positive that are no farther from the object's middle, pixels."""

POSITIVE, ALL, STRANGE = 16, 64, 16
"""At most so many positive anchors of a pair count, so many of all, so many of a stranger's."""

MIDDLE = 3
"""Those of a stranger's lie so many responses from the middle, at most."""

GOLDEN = (5**0.5 - 1) / 2
"""Multiples of it lie spread between whole numbers."""


@dataclass(frozen=True)
class Targets:
    """What is positive and what negative among the responses of pairs, and what is neither.

    Attributes:
        positive: bool (P, A, n, n), A anchors, or 1 without any.
        negative: the same.
        shifts: (P, 4, A, n, n) of the boxes, see `anchors.decoded`; None without anchors.
    """

    positive: Tensor
    negative: Tensor
    shifts: Tensor | None


def anchor_targets(pairs: Pairs) -> Targets:
    """Anchors by how much they overlap the object's box, a sample of them."""
    side, device = pairs.masks.shape[-1], pairs.boxes.device
    grid = sent(torch.tensor(anchors(responses(side))), device)  # (4, A, n, n)
    corners = (pairs.boxes - side / 2).view(-1, 2, 2, 1, 1, 1)
    low, high = corners[:, 0], corners[:, 1]  # (P, 2, 1, 1, 1)
    middle, size = (low + high) / 2, (high - low).clamp_min(1)
    half = grid[2:] / 2
    shared = torch.minimum(high, grid[:2] + half) - torch.maximum(low, grid[:2] - half)
    overlap = shared.clamp_min(0).prod(1)  # (P, A, n, n)
    iou = overlap / (size.prod(1) + grid[2:].prod(0) - overlap)
    there, strange = (x.view(-1, 1, 1, 1) for x in (pairs.there, pairs.strange))
    positive = _some((iou > LIKE) & there, POSITIVE)
    central = _central(iou.shape[-1], device)
    count = torch.where(pairs.strange, STRANGE, ALL - positive.flatten(1).sum(1))
    unlike = torch.where(strange, central, (iou < UNLIKE) | ~there)
    negative = _some(unlike & pairs.known.view(-1, 1, 1, 1), count)
    shifts = torch.cat([(middle - grid[:2]) / grid[2:], (size / grid[2:]).log()], 1)
    return Targets(positive, negative, shifts)


def middle_targets(pairs: Pairs) -> Targets:
    """Responses by how far they are from the middle of the object's box."""
    side, device = pairs.masks.shape[-1], pairs.boxes.device
    at = sent(torch.tensor(centres(responses(side))), device)
    middle = pairs.boxes.view(-1, 2, 2).mean(1) - side / 2  # (P, 2)
    across, down = (at - middle[:, :1]).square(), (at - middle[:, 1:]).square()
    near = (down[:, :, None] + across[:, None]) <= RADIUS**2
    positive = (near & pairs.there[:, None, None])[:, None]
    return Targets(positive, ~positive & pairs.known.view(-1, 1, 1, 1), None)


def mask_windows(masks: Tensor, rows: Tensor) -> Tensor:
    """What masks (P, S, S) show in the windows of M responses.

    Args:
        masks: in search regions, 0 or 1.
        rows: int64 (M, 3): which mask, row and column of the response.

    Returns:
        (M, 127, 127).
    """
    padded = F.pad(masks, [RING * STRIDE] * 4)
    views = padded.unfold(1, EXEMPLAR, STRIDE).unfold(2, EXEMPLAR, STRIDE)  # (P, n, n, 127, 127)
    return views[rows[:, 0], rows[:, 1], rows[:, 2]]


def _some(eligible: Tensor, count: Tensor | int) -> Tensor:
    """A random choice of at most `count`, or (P,) of them, of the eligible entries (P, A, n, n)."""
    ranks = in_any_order(eligible.flatten(1)).argsort(1).view(eligible.shape)
    limit = count if isinstance(count, int) else count.view(-1, 1, 1, 1)
    return eligible & (ranks < limit)


def in_any_order(eligible: Tensor) -> Tensor:
    """Places (P, K) of entries (P, K), the eligible ones first, in an order that is drawn anew.

    A number a pair is drawn and all else follows from it where the entries are.
    """
    p, k = eligible.shape
    start = sent(torch.rand(p, 1), eligible.device)
    chances = (start + GOLDEN * torch.arange(k, device=eligible.device)).frac()
    return chances.masked_fill(~eligible, 2.0).argsort(1)


def _central(count: int, device: torch.device) -> Tensor:
    """Responses in the middle of a map, bool (1, 1, count, count)."""
    near = (torch.arange(count, device=device) - count // 2).abs() <= MIDDLE
    return (near[:, None] & near)[None, None]
