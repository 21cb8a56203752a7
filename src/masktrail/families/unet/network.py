"""A U-Net that sees two frames and the mask of the first: the baseline of the project's report.

The network is U-Net (Ronneberger et al., MICCAI 2015) with padded convolutions, batch norm, and
one double convolution more at full resolution. The report's drawing and the code published with it
put that one in different places; both are here.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from masktrail.models.blocks import check_choice, check_dropout, check_sides, conv_unit

CHANNELS = 3 + 3 + 1
"""Of the input: the previous image, the current one, the previous mask."""

VARIANTS = ("report", "repo", "classic")


@dataclass(frozen=True)
class UNetConfig:
    """Which of the two readings, or what both modify.

    Attributes:
        variant: "report" has four convolutions at full resolution and pools before it widens;
            "repo" widens before it pools and has a double convolution more at the bottom; "classic"
            is U-Net as it was published, with two convolutions at full resolution.
        dropout: share dropped after every pooling and before every double convolution of the
            decoder.
        width: channels at full resolution; 64 in both readings.

    Raises:
        InputError: an unknown variant, or no share.
    """

    variant: str = "report"
    dropout: float = 0.3
    width: int = 64

    def __post_init__(self) -> None:
        check_choice("variant", self.variant, VARIANTS)
        check_dropout("dropout", self.dropout)


class Up(nn.Module):
    """Doubles the resolution, halves the channels, and takes in the skip of that level."""

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(channels, channels // 2, 2, 2)
        self.dropout = nn.Dropout(dropout)
        self.convs = _double(channels, channels // 2)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = torch.cat([skip, self.up(x)], 1)  # (B, channels, 2h, 2w)
        return self.convs(self.dropout(x))


class UNet(nn.Module):
    """Five levels down to stride 16 and up again, from seven channels to one."""

    stride = 16

    def __init__(self, config: UNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or UNetConfig()
        levels = _repo_levels if config.variant == "repo" else _report_levels
        self.levels = levels(config)
        self.ups = nn.ModuleList(Up(config.width * k, config.dropout) for k in (16, 8, 4, 2))
        self.head = nn.Conv2d(config.width, 1, 1)

    def forward(self, previous: Tensor, current: Tensor, mask: Tensor) -> Tensor:
        """Finds the object of the previous frame in the current one.

        Args:
            previous: RGB images (B, 3, H, W) in [0, 1], sides multiples of 16.
            current: those that follow them, same shape.
            mask: soft masks (B, 1, H, W) in [0, 1] of the previous images.

        Returns:
            Logits (B, 1, H, W) of the masks of the current images.

        Raises:
            InputError: sides that are no multiples of 16.
        """
        check_sides(current, self.stride)
        x = torch.cat([previous, current, mask], 1)  # (B, 7, H, W)
        skips = []
        for level in self.levels:
            x = level(x)
            skips.append(x)
        for up, skip in zip(self.ups, skips[-2::-1], strict=True):
            x = up(x, skip)
        return self.head(x)


def _report_levels(config: UNetConfig) -> nn.ModuleList:
    """Each level's convolutions come after the pooling that leads to it."""
    width = config.width
    more = [_double(width, width)] if config.variant == "report" else []
    levels = [nn.Sequential(_double(CHANNELS, width), *more)]
    for channels in (width, 2 * width, 4 * width, 8 * width):
        levels.append(nn.Sequential(*_shrink(config), _double(channels, 2 * channels)))
    return nn.ModuleList(levels)


def _repo_levels(config: UNetConfig) -> nn.ModuleList:
    """The convolutions that widen a level stand before the pooling that leads to it."""
    width = config.width
    levels = [_double(CHANNELS, width)]
    for channels in (width, 2 * width, 4 * width, 8 * width):
        levels.append(nn.Sequential(_double(channels, 2 * channels), *_shrink(config)))
    levels[-1].append(_double(16 * width, 16 * width))
    return nn.ModuleList(levels)


def _shrink(config: UNetConfig) -> tuple[nn.Module, nn.Module]:
    return nn.MaxPool2d(2), nn.Dropout(config.dropout)


def _double(channels_in: int, channels: int) -> nn.Sequential:
    return nn.Sequential(conv_unit(channels_in, channels), conv_unit(channels, channels))
