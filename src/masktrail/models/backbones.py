"""Image encoders, written here so that nothing needs torchvision."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Of red, green and blue in [0, 1]."""


class Normalise(nn.Module):
    """Brings RGB images (B, 3, H, W) in [0, 1] to the mean and deviation that ImageNet has."""

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        mean, std = torch.tensor([IMAGENET_MEAN, IMAGENET_STD]).view(2, 3, 1, 1)
        self.register_buffer("shift", -mean / std, persistent=False)
        self.register_buffer("scale", 1 / std, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return torch.addcmul(self.shift, images, self.scale)


class Pool(nn.Module):
    """ReLU, and the largest of 3x3 at every second pixel."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(F.max_pool2d(x, 3, 2, 1), inplace=True)


class BasicBlock(nn.Module):
    """Residual block of ResNet-18 with every batch norm folded into its convolution."""

    def __init__(self, channels_in: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1)
        self.downsample = (
            nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride)) if stride > 1 else None
        )

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        hidden = F.relu(self.conv1(x), inplace=True)
        return F.relu(shortcut + self.conv2(hidden), inplace=True)


class ResNet18(nn.Module):
    """ResNet-18 up to stride 16, without norm layers (He et al., CVPR 2016).

    Parameter names are torchvision's, so that folded ImageNet weights load as they are.

    Args:
        channels_in: of what it sees; 3 are the colours.
    """

    channels = (64, 128, 256)

    def __init__(self, channels_in: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, 64, 7, 2, 3)
        self.pool = Pool()
        self.layer1 = nn.Sequential(BasicBlock(64, 64), BasicBlock(64, 64))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2), BasicBlock(256, 256))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features of normalised images (B, 3, H, W) at strides 4, 8 and 16."""
        f4 = self.layer1(self.pool(self.conv1(images)))  # (B, 64, H/4, W/4)
        f8 = self.layer2(f4)  # (B, 128, H/8, W/8)
        f16 = self.layer3(f8)  # (B, 256, H/16, W/16)
        return f4, f8, f16
