"""What networks are made of, and what makes them quicker once they are trained."""

import copy
from collections.abc import Collection
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from masktrail.errors import InputError

Network = TypeVar("Network", bound=nn.Module)


class ResidualBlock(nn.Module):
    """Two pre-activated 3x3 convolutions around a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(F.relu(x)), inplace=True))


class Up(nn.Module):
    """Twice the resolution, with features (B, skip, 2H, 2W) that there are there."""

    def __init__(self, channels_in: int, skip: int, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in + skip, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        x = F.relu(self.conv1(torch.cat([x, skip], 1)), inplace=True)
        return F.relu(self.conv2(x), inplace=True)


def conv_unit(channels_in: int, channels: int, dropout: float = 0.0) -> nn.Sequential:
    """3x3 convolution without bias, batch norm, ReLU, dropout; the size stays as it is."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
    )


def folded(network: Network) -> Network:
    """A copy for inference in which every batch norm is part of the convolution before it.

    Its outputs are those of the network in eval mode up to rounding; the network is left as it is.
    """
    network = copy.deepcopy(network).eval()
    for module in list(network.modules()):
        if isinstance(module, nn.Sequential):
            _fold(module)
    return network


def _fold(layers: nn.Sequential) -> None:
    for i in range(len(layers) - 1):
        convolution, norm = layers[i], layers[i + 1]
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            layers[i] = fuse_conv_bn_eval(convolution, norm)
            layers[i + 1] = nn.Identity()


def check_sides(images: Tensor, stride: int) -> None:
    """Refuses images (B, C, H, W) whose sides are no multiples of a network's stride.

    Raises:
        InputError: they are not.
    """
    height, width = images.shape[2:]
    if min(height, width) < stride or height % stride or width % stride:
        raise InputError(
            f"Images of {width}x{height} do not fit this network, whose sides are multiples of "
            f"{stride}; resize or pad them first."
        )


def check_choice(field: str, value: object, choices: Collection[object]) -> None:
    """Refuses a field of a config that is none of what is known.

    Raises:
        InputError: it is not.
    """
    if value not in choices:
        raise InputError(f"{field} = {value!r}; choose one of {', '.join(map(repr, choices))}.")


def check_dropout(field: str, share: float) -> None:
    """Refuses a share of dropout that is none.

    Raises:
        InputError: it is below 0, or 1 or more.
    """
    if not 0 <= share < 1:
        raise InputError(f"{field} = {share}; expected a share from 0 to below 1.")
