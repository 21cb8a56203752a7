"""ResNets whose every map lies on the pixels of the one before, at stride 8 to the end.

conv1 and the step to stride 8 are not padded, so that pixel k of a stride-8 map is the picture's
pixel 7 + 8k whatever the picture's size; what is padded keeps its size.
The third layer keeps stride 8 and looks at every second pixel instead (dilation 2) but for its
first convolution. Source: SiamMask's published code, for ResNet-50.
"""

from torch import Tensor, nn
from torch.nn import functional as F

Maps = tuple[Tensor, Tensor, Tensor, Tensor]
"""Of pictures of side S: (S-5)/2, (S-3)/4, and two of (S-7)/8 pixels."""


class BasicBlock(nn.Module):
    """Of ResNet-18, every batch norm folded into its convolution; names are torchvision's."""

    def __init__(self, channels_in: int, channels: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.border = stride - 1  # of which an unpadded 3x3 convolution knows nothing
        widens = channels != channels_in
        first = 1 if widens else dilation
        padding = 0 if stride > 1 else first
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding, first)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, dilation, dilation)
        shortcut = nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride)) if widens else None
        self.downsample = shortcut

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.conv2(F.relu(self.conv1(x), inplace=True))
        if self.downsample is not None:
            n = self.border
            x = self.downsample(x[..., n : x.shape[-2] - n, n : x.shape[-1] - n])
        return F.relu(x + hidden, inplace=True)


class ResNet18(nn.Module):
    """ResNet-18 without norms; a file of it up to stride 16 fits."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2)
        self.layer1 = nn.Sequential(BasicBlock(64, 64), BasicBlock(64, 64))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 1, 2), BasicBlock(256, 256, 1, 2))

    def forward(self, images: Tensor) -> Maps:
        """Maps of normalised images (B, 3, S, S)."""
        f2 = F.relu(self.conv1(images), inplace=True)  # (B, 64, 125, 125) at 255
        f4 = self.layer1(F.max_pool2d(f2, 3, 2, 1))  # (B, 64, 63, 63)
        f8 = self.layer2(f4)  # (B, 128, 31, 31)
        return f2, f4, f8, self.layer3(f8)  # (B, 256, 31, 31)


def unit(
    channels_in: int,
    channels: int,
    side: int,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> nn.Sequential:
    """A convolution without bias and its batch norm."""
    convolution = nn.Conv2d(channels_in, channels, side, stride, padding, dilation, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels))


class Bottleneck(nn.Module):
    """Of ResNet-50."""

    def __init__(self, channels_in: int, hidden: int, stride: int, dilation: int) -> None:
        super().__init__()
        widens = channels_in != 4 * hidden
        middle = 1 if widens else dilation
        padding = 0 if stride > 1 else middle
        self.conv1 = unit(channels_in, hidden, 1)
        self.conv2 = unit(hidden, hidden, 3, stride, padding, middle)
        self.conv3 = unit(hidden, 4 * hidden, 1)
        self.downsample = None
        if widens:
            plain = stride == dilation == 1  # the first layer alone, as in other ResNets
            side, border = (1, 0) if plain else (3, padding)
            self.downsample = unit(channels_in, 4 * hidden, side, stride, border)

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.conv1(x), inplace=True)
        hidden = F.relu(self.conv2(hidden), inplace=True)
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(shortcut + self.conv3(hidden), inplace=True)


class ResNet50(nn.Module):
    """ResNet-50 (He et al., CVPR 2016) up to its third layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = unit(3, 64, 7, stride=2)
        self.layer1 = _layer(64, 64, 3, 1, 1)
        self.layer2 = _layer(256, 128, 4, 2, 1)
        self.layer3 = _layer(512, 256, 6, 1, 2)

    def forward(self, images: Tensor) -> Maps:
        """Maps of normalised images (B, 3, S, S)."""
        f2 = F.relu(self.conv1(images), inplace=True)  # (B, 64, 125, 125) at 255
        f4 = self.layer1(F.max_pool2d(f2, 3, 2, 1))  # (B, 256, 63, 63)
        f8 = self.layer2(f4)  # (B, 512, 31, 31)
        return f2, f4, f8, self.layer3(f8)  # (B, 1024, 31, 31)


def _layer(channels_in: int, hidden: int, count: int, stride: int, dilation: int) -> nn.Sequential:
    first = Bottleneck(channels_in, hidden, stride, dilation)
    more = (Bottleneck(4 * hidden, hidden, 1, dilation) for _ in range(count - 1))
    return nn.Sequential(first, *more)


BACKBONES: dict[str, type[nn.Module]] = {"resnet18": ResNet18, "resnet50": ResNet50}
