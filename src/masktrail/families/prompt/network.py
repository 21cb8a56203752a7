"""Prompt network: a picture, a box, clicks and the mask so far to the mask of an object.

Clicks are drawn as disks of a fixed size and enter early, with the previous mask, by a light stem
beside the encoder's first convolution ("Conv1S" of RITM: Sofiiuk et al., "Reviving Iterative
Training with Mask Guidance for Interactive Segmentation", ICIP 2022). The stem starts at zero, so
that ImageNet's features are intact at first. All enter again at the decoder, where a click is not
yet blurred. A box is one more map, as in Deep GrabCut (Xu et al., BMVC 2017), filled instead of a
map of distances. A step to stride 32 lets the decoder see all of a crop. There is no state.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.devices import no_autocast
from masktrail.models.backbones import Normalise, ResNet18
from masktrail.models.blocks import ResidualBlock

STRIDE = 32
"""Height and width of images must be multiples of this."""

MAPS = 3
"""Prompt maps: positive disks, negative disks, the box filled."""

RADIUS = 5.0
"""Of the disk of a click, pixels of the network's input, as in RITM."""


@dataclass(frozen=True)
class PromptConfig:
    """Widths, in channels.

    Attributes:
        stem: of the maps' own stem, at stride 2.
        hidden: decoder features at strides 32 and 16.
        stride8: decoder features at stride 8.
        stride4: decoder features at stride 4.
        stride2: decoder features at stride 2.
    """

    stem: int = 16
    hidden: int = 128
    stride8: int = 64
    stride4: int = 48
    stride2: int = 24


class MapStem(nn.Module):
    """What the prompt maps add to the encoder's first features; nothing, before training."""

    def __init__(self, channels: int, config: PromptConfig) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(MAPS + 1, config.stem, 3, 2, 1)
        self.conv2 = nn.Conv2d(config.stem, channels, 3, 1, 1)
        nn.init.zeros_(self.conv2.weight)
        assert self.conv2.bias is not None
        nn.init.zeros_(self.conv2.bias)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (B, 4, H, W) to (B, channels, H/2, W/2)."""
        return self.conv2(F.leaky_relu(self.conv1(maps), 0.2, inplace=True))


class Decoder(nn.Module):
    """From the encoder's features and the maps to logits at stride 2."""

    def __init__(self, channels: tuple[int, int, int, int], config: PromptConfig) -> None:
        super().__init__()
        c2, c4, c8, c16 = channels
        self.fold = nn.PixelUnshuffle(4)
        self.maps16 = nn.Conv2d(16 * (MAPS + 1), config.hidden, 3, padding=1)
        self.maps4 = nn.Conv2d(MAPS + 1, config.stride4, 3, padding=1)
        self.skip16 = nn.Conv2d(c16, config.hidden, 1)
        self.skip8 = nn.Conv2d(c8, config.stride8, 1)
        self.skip4 = nn.Conv2d(c4, config.stride4, 1)
        self.skip2 = nn.Conv2d(c2, config.stride2, 1)
        self.down32 = nn.Conv2d(config.hidden, config.hidden, 3, 2, 1)
        self.block32 = ResidualBlock(config.hidden)
        self.block16 = ResidualBlock(config.hidden)
        self.reduce8 = nn.Conv2d(config.hidden, config.stride8, 1)
        self.block8 = ResidualBlock(config.stride8)
        self.reduce4 = nn.Conv2d(config.stride8, config.stride4, 1)
        self.block4 = ResidualBlock(config.stride4)
        self.reduce2 = nn.Conv2d(config.stride4, config.stride2, 1)
        self.conv2 = nn.Conv2d(config.stride2, config.stride2, 3, padding=1)
        self.head = nn.Conv2d(config.stride2, 1, 3, padding=1)

    def forward(self, features: tuple[Tensor, Tensor, Tensor, Tensor], maps: Tensor) -> Tensor:
        f2, f4, f8, f16 = features
        maps4 = F.avg_pool2d(maps, 4)  # (B, 4, H/4, W/4)
        x = self.skip16(f16) + self.maps16(self.fold(maps4))
        x = x + _double(self.block32(self.down32(F.relu(x))))
        x = self.block16(x)
        x = _double(self.reduce8(F.relu(x, inplace=True))) + self.skip8(f8)
        x = self.block8(x)
        x = _double(self.reduce4(F.relu(x, inplace=True))) + self.skip4(f4) + self.maps4(maps4)
        x = self.block4(x)
        x = _double(self.reduce2(F.relu(x, inplace=True))) + self.skip2(f2)
        x = self.conv2(F.relu(x, inplace=True))
        return self.head(F.relu(x, inplace=True))  # (B, 1, H/2, W/2)


class PromptNetwork(nn.Module):
    """Encoder of ResNet-18, stem of the maps, decoder."""

    stride = STRIDE
    frames = 1  # of a clip, to be trained on

    def __init__(self, config: PromptConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or PromptConfig()
        self.encoder = ResNet18()
        first = self.encoder.conv1.out_channels
        self.maps = MapStem(first, config)
        self.decoder = Decoder((first, *self.encoder.channels), config)
        self.normalise = Normalise()

    def forward(self, images: Tensor, prompts: Tensor, previous: Tensor) -> Tensor:
        """Logits of the objects that prompts are about.

        Args:
            images: RGB (B, 3, H, W) in [0, 1]; H and W multiples of 32.
            prompts: (B, 3, H, W), see `prompt_maps`.
            previous: soft masks (B, 1, H, W) to be corrected, 0 where there is none.

        Returns:
            (B, 1, H/2, W/2).
        """
        maps, encoder = torch.cat([prompts, previous], 1), self.encoder
        first = encoder.conv1(self.normalise(images)) + self.maps(maps)
        f2 = F.relu(first, inplace=True)  # (B, 64, H/2, W/2)
        f4 = encoder.layer1(F.max_pool2d(f2, 3, 2, 1))  # (B, 64, H/4, W/4)
        f8 = encoder.layer2(f4)  # (B, 128, H/8, W/8)
        f16 = encoder.layer3(f8)  # (B, 256, H/16, W/16)
        return self.decoder((f2, f4, f8, f16), maps)

    def draw(self, on: Tensor, off: Tensor, boxes: Tensor, previous: Tensor) -> Tensor:
        """What `segment` is told of one object besides the image, (1, 4, H, W), float32.

        Args:
            on: positive clicks, see `prompt_maps`.
            off: negative clicks.
            boxes: one or none.
            previous: soft mask (1, 1, H, W) to be corrected, 0 where there is none.
        """
        with no_autocast(previous.device):
            maps = prompt_maps(on, off, boxes, *previous.shape[2:])[None]
            return torch.cat([maps, previous], 1)

    def segment(self, images: Tensor, maps: Tensor) -> Tensor:
        """Logits of one object in one image: the mean of what is seen in it and in its mirror.

        Args:
            images: RGB (1, 3, H, W) in [0, 1]; H and W multiples of 32.
            maps: from `draw`.

        Returns:
            (1, 1, H/2, W/2).
        """
        images, maps = (torch.cat([x, x.flip(3)]) for x in (images, maps))
        logits = self(images, maps[:, :MAPS], maps[:, MAPS:])
        return (logits[:1] + logits[1:].flip(3)) / 2


def prompt_maps(on: Tensor, off: Tensor, boxes: Tensor, height: int, width: int) -> Tensor:
    """Clicks and a box drawn as the network wants them.

    Args:
        on: positions (P, 2) of positive clicks, x and y in pixels of the network's input.
        off: the same of negative clicks, (M, 2).
        boxes: one or none, (K, 4), x0, y0, x1, y1.
        height: of the input.
        width: of the input.

    Returns:
        (3, height, width) in [0, 1]: positive disks, negative disks, the share of every pixel that
        the box covers.
    """
    clicked = [disks(at, height, width).any(0).float() for at in (on, off)]
    return torch.stack([*clicked, covered(boxes, height, width).sum(0)])


def disks(at: Tensor, height: int, width: int) -> Tensor:
    """Which pixels lie on the disks of clicks.

    Args:
        at: positions (..., 2), x and y in pixels of the network's input.
        height: of the input.
        width: of the input.

    Returns:
        bool (..., height, width).
    """
    x, y = (_centres(n, at.device) for n in (width, height))
    across, down = x - at[..., :1], y - at[..., 1:]
    return down[..., :, None].square() + across[..., None, :].square() <= RADIUS**2


def covered(boxes: Tensor, height: int, width: int) -> Tensor:
    """Share of every pixel that boxes cover.

    Args:
        boxes: (..., 4), x0, y0, x1, y1 in pixels of the network's input.
        height: of the input.
        width: of the input.

    Returns:
        (..., height, width) in [0, 1].
    """
    columns, rows = (
        _overlap(_centres(n, boxes.device), boxes[..., i, None], boxes[..., i + 2, None])
        for i, n in enumerate((width, height))
    )
    return rows[..., :, None] * columns[..., None, :]


def _centres(count: int, device: torch.device) -> Tensor:
    """Positions (count,) of the pixels of a line."""
    return torch.arange(count, device=device) + 0.5


def _overlap(centres: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Share of the pixels around `centres` that lies between two positions of a line."""
    inner = (centres + 0.5).minimum(end) - (centres - 0.5).maximum(start)
    return inner.clamp(0, 1)


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
