"""How much each pixel of a picture is like an object that was marked in others: AGUNet's g.

Both give the map S before its sigmoid, from features of length 1 at stride 16. `TopK` compares each
pixel with the pixels of the object and with all others, as label propagation and FEELVOS do;
`CrossCorrelation` is nearer to the words of the report, which are SiamFC's: the object's features,
cut out, are a kernel that the picture's are correlated with.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NEAREST = 20
"""So many of the most similar pixels count, on either side."""

NOWHERE = -4.0
"""Less than any similarity, for pixels that do not count."""

UNLIKE, NOTHING = -1.0, 1e-3
"""The least similarity there is; so much of a pixel is none of it."""

SIDE = 15
"""Of kernels, pixels at stride 16; what an object has beyond it does not count."""

SCALES = (0.75, 1.0, 4 / 3)
"""Sizes that the object may have become, times what it had."""


class Matching(nn.Module):
    """One way to compare; similarities, which are all alike, become logits."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(10.0))
        self.shift = nn.Parameter(torch.tensor(-1.0))

    def forward(self, now: Tensor, keys: Tensor, masks: Tensor) -> Tensor:
        """Logits of S.

        Args:
            now: features (B, C, h, w) of length 1.
            keys: the same of R marked pictures (B, R, C, h', w'), of any size.
            masks: how much of each of their pixels is the object's (B, R, N, h', w'), 0 to 1.

        Returns:
            (B, N, h, w).
        """
        return self.scale * self.similarity(now, keys, masks) + self.shift

    def similarity(self, now: Tensor, keys: Tensor, masks: Tensor) -> Tensor:
        """How similar each pixel is to the objects, see `forward`."""
        raise NotImplementedError


class TopK(Matching):
    """The mean of the most similar pixels of the object, less that of those that are not its."""

    def similarity(self, now: Tensor, keys: Tensor, masks: Tensor) -> Tensor:
        """See `Matching.similarity`."""
        b, n = masks.shape[0], masks.shape[2]
        remembered = keys.transpose(1, 2).flatten(2)  # (B, C, R*h*w)
        similar = now.flatten(2).transpose(1, 2) @ remembered  # (B, h*w, R*h*w)
        # of an object that fills no pixel those count that it fills most
        least = (0.5 * masks.amax((3, 4), keepdim=True)).clamp_min(NOTHING)
        ours = (masks > least).transpose(1, 2).flatten(2)  # (B, N, R*h*w)
        found = _nearest(similar, ours) - _nearest(similar, ~ours)
        return found.view(b, n, *now.shape[2:])


class CrossCorrelation(Matching):
    """Correlation with the object's features, cut out, at the best of three sizes."""

    def similarity(self, now: Tensor, keys: Tensor, masks: Tensor) -> Tensor:
        """See `Matching.similarity`."""
        b, r, n = masks.shape[:3]
        size = now.shape[2:]
        kernels = [_kernels(keys, masks, scale) for scale in SCALES]
        stacked = torch.stack(kernels, 3)  # (B, R, N, scales, C, SIDE, SIDE)
        each = stacked.flatten(1, 3).flatten(0, 1)
        found = F.conv2d(now.reshape(1, -1, *size), each, padding=SIDE // 2, groups=b)
        best = found.reshape(b, r, n, len(SCALES), *size).amax(3)
        there = masks.amax((3, 4), keepdim=True) > NOTHING
        return torch.where(there, best, UNLIKE).amax(1)


MATCHING = {"topk": TopK, "xcorr": CrossCorrelation}


def _nearest(similar: Tensor, counts: Tensor) -> Tensor:
    """Means (B, N, Q) of the largest of similarities (B, Q, P), of the pixels that count, bool
    (B, N, P); `NOWHERE` where there is none."""
    values = torch.where(counts[:, :, None], similar[:, None], NOWHERE)
    padded = F.pad(values, (0, NEAREST), value=NOWHERE)  # small pictures have fewer
    largest = padded.topk(NEAREST, 3, sorted=False).values
    there = (largest > 0.5 * NOWHERE).to(largest.dtype)
    count = there.sum(3)
    mean = (largest * there).sum(3) / count.clamp_min(1)
    return torch.where(count > 0, mean, UNLIKE)


def _kernels(keys: Tensor, masks: Tensor, scale: float) -> Tensor:
    """An object's features around its middle, as they would be were it so many times as large.

    Args:
        keys: (B, R, C, h, w).
        masks: (B, R, N, h, w).
        scale: of the object.

    Returns:
        (B, R, N, C, SIDE, SIDE), so that a correlation gives the mean over the object.
    """
    b, r, n, h, w = masks.shape
    c = keys.shape[2]
    rows = torch.arange(h, device=masks.device, dtype=masks.dtype) + 0.5
    columns = torch.arange(w, device=masks.device, dtype=masks.dtype) + 0.5
    total = masks.sum((3, 4)).clamp_min(1e-6)  # (B, R, N)
    middle_y = (masks * rows[:, None]).sum((3, 4)) / total
    middle_x = (masks * columns).sum((3, 4)) / total
    reach = (torch.arange(SIDE, device=masks.device, dtype=masks.dtype) - SIDE // 2) / scale
    x = (middle_x[..., None] + reach) * 2 / w - 1  # (B, R, N, SIDE)
    y = (middle_y[..., None] + reach) * 2 / h - 1
    x, y = torch.broadcast_tensors(x[..., None, :], y[..., None])
    grid = torch.stack([x, y], -1).reshape(b * r * n, SIDE, SIDE, 2)
    layers = torch.cat([keys[:, :, None] * masks[:, :, :, None], masks[:, :, :, None]], 3)
    cut = F.grid_sample(layers.reshape(b * r * n, c + 1, h, w), grid, align_corners=False)
    mass = cut[:, c:].sum((2, 3), keepdim=True).clamp_min(1e-6)
    return (cut[:, :c] / mass).view(b, r, n, c, SIDE, SIDE)
