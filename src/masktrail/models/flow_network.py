"""A small network for optical flow, from coarse to fine.

Source: PWC-Net (Sun et al., CVPR 2018): features in a pyramid, those of the second picture warped
by the flow found so far, compared with those of the first within a few pixels, and a few
convolutions that say by how much the flow is to be changed. Three levels, a tenth of its width.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.devices import no_autocast

WIDTHS = (16, 32, 48, 64)
"""Channels of the features at strides 2, 4, 8 and 16."""

REACHES = (3, 3, 4)
"""How many pixels of their stride strides 4, 8 and 16 compare in each direction."""

HIDDEN = (64, 48, 32)
"""Channels of the convolutions that read the comparisons."""

STRIDE = 16


class FlowNetwork(nn.Module):
    """Optical flow of pairs of pictures whose sides are multiples of 16."""

    def __init__(self) -> None:
        super().__init__()
        self.levels = nn.ModuleList()
        channels = 3
        for width in WIDTHS:
            self.levels.append(_Level(channels, width))
            channels = width
        self.readers = nn.ModuleList(
            _Reader((2 * reach + 1) ** 2 + width + 2, HIDDEN)
            for reach, width in zip(REACHES, WIDTHS[1:], strict=True)
        )

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where what the first picture shows is in the second.

        Args:
            first: RGB pictures (B, 3, H, W) in [0, 1].
            second: those after or before them, same shape.

        Returns:
            Flow at strides 16, 8 and 4, each (B, 2, H/stride, W/stride): x and y, in pixels of the
            pictures.
        """
        ours, theirs = self._features(first), self._features(second)
        flow = ours[-1].new_zeros(ours[-1].shape[0], 2, *ours[-1].shape[2:]).float()
        found: list[Tensor] = []
        for level in (2, 1, 0):
            scale = STRIDE >> (2 - level)
            mine, other = ours[level], theirs[level]
            if found:
                flow = F.interpolate(flow, scale_factor=2, mode="bilinear", align_corners=False)
                other = moved(other.float(), flow / scale)
            compared = _compared(mine, other, REACHES[level])
            read = torch.cat([compared, mine, (flow / scale).to(mine.dtype)], 1)
            flow = flow + scale * self.readers[level](read).float()
            found.append(flow)
        return found[0], found[1], found[2]

    def _features(self, images: Tensor) -> list[Tensor]:
        """At strides 4, 8 and 16."""
        x, features = 2 * images - 1, []
        for level in self.levels:
            x = level(x)
            features.append(x)
        return features[1:]


class _Level(nn.Module):
    """Half as many pixels, more channels."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, 2, 1)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.conv2(F.leaky_relu(self.conv1(x), 0.1)), 0.1)


class _Reader(nn.Module):
    """From comparisons to what is to be added to the flow, in pixels of its stride."""

    def __init__(self, channels: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.convs = nn.ModuleList()
        for width in hidden:
            self.convs.append(nn.Conv2d(channels, width, 3, 1, 1))
            channels = width
        self.head = nn.Conv2d(channels, 2, 3, 1, 1)
        nn.init.zeros_(self.head.weight)

    def forward(self, x: Tensor) -> Tensor:
        for conv in self.convs:
            x = F.leaky_relu(conv(x), 0.1)
        return self.head(x)


def moved(maps: Tensor, flow: Tensor) -> Tensor:
    """What maps show where flow leads, 0 where that is outside.

    Args:
        maps: (B, C, H, W).
        flow: (B, 2, H, W), x and y, in pixels of these.
    """
    height, width = maps.shape[2:]
    rows = torch.arange(height, device=maps.device, dtype=flow.dtype)
    columns = torch.arange(width, device=maps.device, dtype=flow.dtype)
    x = (columns + flow[:, 0] + 0.5) * (2 / width) - 1
    y = (rows[:, None] + flow[:, 1] + 0.5) * (2 / height) - 1
    with no_autocast(maps.device):  # bfloat16 knows no position to the pixel
        return F.grid_sample(maps, torch.stack([x, y], 3), align_corners=False)


def _compared(first: Tensor, second: Tensor, reach: int) -> Tensor:
    """How alike every pixel of (B, C, H, W) and those of the other around it are, -1 to 1 times the
    square root of C: (B, (2 reach + 1)^2, H, W)."""
    (height, width), side = first.shape[2:], 2 * reach + 1
    first, second = _told_apart(first), _told_apart(second)
    padded = F.pad(second, (reach, reach, reach, reach))
    steps = torch.arange(side, device=first.device)[:, None]
    columns = (torch.arange(width, device=first.device) + steps).flatten()
    beside = padded.index_select(3, columns).unflatten(3, (side, width))
    rows = [(first[:, :, :, None] * beside[:, :, y : y + height]).sum(1) for y in range(side)]
    return torch.stack(rows, 1).transpose(2, 3).flatten(1, 2)


def _told_apart(features: Tensor) -> Tensor:
    """Features (B, C, H, W) without what all pixels have in common, each of the same length:
    otherwise all are alike at first, and nothing is learned from comparing them (Jonschkowski et
    al., "What Matters in Unsupervised Optical Flow", ECCV 2020)."""
    features = features.float()
    features = features - features.mean((2, 3), keepdim=True)
    return features.shape[1] ** 0.25 * F.normalize(features, dim=1, eps=1e-3)
