"""Label propagation: every pixel takes the labels of what looks most like it nearby, not long ago.

Frozen features, nothing trained on video. The scheme is that of CRW (Jabri et al., "Space-Time
Correspondence as a Contrastive Random Walk", NeurIPS 2020) and DINO (Caron et al., ICCV 2021) for
testing features on DAVIS; the features are an ImageNet classifier's.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.models.backbones import Normalise, ResNet18

STRIDE = 8
"""Of the features; height and width of images must be multiples of this."""

BLOCK = 12
"""Query pixels are compared in squares of this side, whose neighbourhoods overlap most."""


@dataclass(frozen=True)
class FeatureConfig:
    """There is nothing to choose."""


class FeatureNetwork(nn.Module):
    """ResNet-18's third stage with its stride taken out, as features of length 1 at stride 8."""

    stride = STRIDE

    def __init__(self, config: FeatureConfig | None = None) -> None:
        super().__init__()
        self.encoder = ResNet18()
        for module in self.encoder.layer3.modules():
            if isinstance(module, nn.Conv2d):
                module.stride = (1, 1)
        self.normalise = Normalise()

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, 256, H/8, W/8) of RGB images (B, 3, H, W) in [0, 1]."""
        return F.normalize(self.encoder(self.normalise(images))[2].float(), dim=1)

    def propagate(
        self,
        query: Tensor,
        keys: Tensor,
        labels: Tensor,
        radius: int,
        top_k: int,
        temperature: float,
    ) -> Tensor:
        """`propagate_labels` of features (1, 256, h, w) and those of T frames (T, 256, h, w)."""
        return propagate_labels(query[0], keys, labels, radius, top_k, temperature)


def propagate_labels(
    query: Tensor,
    keys: Tensor,
    labels: Tensor,
    radius: int = 12,
    top_k: int = 5,
    temperature: float = 0.07,
) -> Tensor:
    """Labels of every query pixel: those of its nearest keys, averaged by similarity.

    A pixel is compared with the pixels of all reference frames at most `radius` away across and
    down. Blocks of pixels with no label in reach are skipped: theirs are 0.

    Args:
        query: features of unit length (C, H, W).
        keys: the same of T reference frames (T, C, H, W).
        labels: soft masks of N objects in these frames (T, N, H, W).
        radius: of the neighbourhood, in feature pixels.
        top_k: how many keys share the weight; all where there are fewer.
        temperature: of the softmax over their similarities.

    Returns:
        (N, H, W) in [0, 1].
    """
    height, width = query.shape[1:]
    below, right = -height % BLOCK, -width % BLOCK
    queries = _tiles(F.pad(query, (0, right, 0, below)), BLOCK)  # (C, Y, X, B, B)
    margins = (radius, radius + right, radius, radius + below)
    side = BLOCK + 2 * radius
    last = keys.permute(0, 2, 3, 1).contiguous()  # whole pixels side by side: quick to cut out
    key_tiles = _tiles(F.pad(last, (0, 0, *margins)).permute(0, 3, 1, 2), side)
    label_tiles = _tiles(F.pad(labels, margins), side)
    there = _tiles(F.pad(query.new_ones(height, width), margins), side)  # (Y, X, S, S)
    near = _near(radius).to(query.device)
    out = labels.new_zeros(labels.shape[1], *queries.shape[1:])  # (N, Y, X, B, B)
    for y, x in _labelled(label_tiles):
        allowed = near & (there[y, x].flatten() > 0)
        bias = torch.zeros_like(allowed, dtype=query.dtype).masked_fill_(~allowed, -torch.inf)
        similarity = torch.addmm(
            bias.repeat(1, len(keys)),
            queries[:, y, x].flatten(1).T,
            key_tiles[:, :, y, x].permute(0, 2, 3, 1).reshape(-1, len(query)).T,
        )  # (B*B, T*S*S)
        nearest, where = similarity.topk(min(top_k, similarity.shape[1]), 1, sorted=False)
        votes = label_tiles[:, :, y, x].transpose(0, 1).flatten(1)[:, where]  # (N, B*B, K)
        out[:, y, x] = ((nearest / temperature).softmax(1) * votes).sum(2).unflatten(1, (BLOCK, -1))
    return out.transpose(2, 3).flatten(3).flatten(1, 2)[:, :height, :width]


def _tiles(maps: Tensor, side: int) -> Tensor:
    """Squares (..., Y, X, side, side) around the blocks of (..., H, W), as a view."""
    return maps.unfold(-2, side, BLOCK).unfold(-2, side, BLOCK)


def _near(radius: int) -> Tensor:
    """Which pixels of a tile each pixel of its block may look at, bool (B*B, S*S)."""
    offset = torch.arange(BLOCK + 2 * radius) - torch.arange(BLOCK)[:, None]
    reach = (offset >= 0) & (offset <= 2 * radius)  # (B, S) along one axis
    return (reach[:, None, :, None] & reach[None, :, None, :]).flatten(2).flatten(0, 1)


def _labelled(tiles: Tensor) -> Iterator[tuple[int, int]]:
    """Places (y, x) of tiles (T, N, Y, X, S, S) that hold any label."""
    yield from map(tuple, tiles.amax((0, 1, 4, 5)).nonzero().tolist())
