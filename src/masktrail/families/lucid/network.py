"""Lucid Tracker's network: the next mask from the picture, how it moves, and the mask moved along.

Source: Khoreva et al., "Lucid Data Dreaming for Video Object Segmentation", IJCV 2019, section 3:
M_t = f(I_t, |F_t|, w(M_t-1, F_t)) in one stream of five channels, which the authors found as good
as two streams. Theirs is DeepLab on VGG-16, and the flow FlowNet 2.0's; here it is a U-shaped
network on ResNet-18 (He et al., CVPR 2016) up to stride 16, and a flow network of its own, small
enough for a processor. All are pure functions: `estimate`, `warp`, `segment`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.devices import no_autocast
from masktrail.errors import InputError
from masktrail.models.backbones import Normalise, ResNet18
from masktrail.models.blocks import ResidualBlock, Up, check_sides
from masktrail.models.flow_network import STRIDE, FlowNetwork, moved

MORE = 2
"""Channels beside the colours: the mask moved along, and how fast everything moves."""


@dataclass(frozen=True)
class LucidConfig:
    """How wide the decoder is.

    Attributes:
        width: channels at stride 2; two, three and four times as many at strides 4, 8 and 16.

    Raises:
        InputError: less than 4.
    """

    width: int = 32

    def __post_init__(self) -> None:
        if self.width < 4:
            raise InputError(f"width = {self.width}; expected 4 channels or more.")


class LucidNetwork(nn.Module):
    """One object at a time."""

    stride = STRIDE

    def __init__(self, config: LucidConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or LucidConfig()
        w, (c4, c8, c16) = config.width, ResNet18.channels
        self.flow = FlowNetwork()
        self.encoder = ResNet18(3 + MORE)
        self.context = nn.Sequential(
            nn.Conv2d(c16, 4 * w, 3, padding=1), ResidualBlock(4 * w), nn.ReLU(inplace=True)
        )
        self.ups = nn.ModuleList([Up(4 * w, c8, 3 * w), Up(3 * w, c4, 2 * w), Up(2 * w, 64, w)])
        self.head = nn.Conv2d(w, 1, 3, padding=1)
        self.normalise = Normalise()

    @torch.no_grad()
    def start_from(self, tensors: dict[str, Tensor]) -> list[str] | None:
        """Starts the encoder from a ResNet-18 of pictures; None where they are of none.

        The filters of the first layer are those of the three colours; the others stay as they are.

        Args:
            tensors: as torchvision names them, batch norms folded.
        """
        filters = tensors.get("conv1.weight")
        if filters is None or filters.shape != (64, 3, 7, 7):
            return None
        rest = {name: value for name, value in tensors.items() if name != "conv1.weight"}
        self.encoder.conv1.weight[:, :3] = filters
        self.encoder.load_state_dict(rest, strict=False)
        return [f"encoder.{name}" for name in rest]

    def estimate(self, first: Tensor, second: Tensor) -> Tensor:
        """Optical flow.

        Args:
            first: RGB pictures (B, 3, H, W) in [0, 1], sides multiples of 16.
            second: those before or after them.

        Returns:
            (B, 2, H, W): where what the first one shows is in the second, x and y in pixels.

        Raises:
            InputError: sides that are no multiples of 16.
        """
        check_sides(first, self.stride)
        with no_autocast(first.device):
            return enlarged(self.flow(first, second)[-1])

    def warp(self, masks: Tensor, flow: Tensor) -> Tensor:
        """Masks of the frame before as they are in this one.

        Args:
            masks: soft masks (B, N, H, W) in [0, 1].
            flow: from this frame to the one before (B, 2, H, W), in pixels.

        Returns:
            Same shape as the masks; what comes from outside the picture is 0.
        """
        return moved(masks, flow)

    def segment(self, images: Tensor, masks: Tensor, motion: Tensor) -> Tensor:
        """Finds objects, one each.

        Args:
            images: RGB (B, 3, H, W) in [0, 1], sides multiples of 16.
            masks: soft masks (B, 1, H, W) of the frame before, moved along.
            motion: (B, 1, H, W) in [0, 1], how fast what is seen moves, see `flow.cue`.

        Returns:
            Logits (B, 1, H, W).

        Raises:
            InputError: sides that are no multiples of 16.
        """
        check_sides(images, self.stride)
        x = torch.cat([self.normalise(images), masks, motion], 1)
        f2 = self.encoder.conv1(x)
        f4 = self.encoder.layer1(self.encoder.pool(f2))
        f8 = self.encoder.layer2(f4)
        x = self.context(self.encoder.layer3(f8))
        for up, skip in zip(self.ups, (f8, f4, F.relu(f2)), strict=True):
            x = up(x, skip)
        logits = self.head(x)
        return F.interpolate(logits, scale_factor=2, mode="bilinear", align_corners=False)


def enlarged(flow: Tensor) -> Tensor:
    """Flow at stride 4 for every pixel."""
    return F.interpolate(flow, scale_factor=4, mode="bilinear", align_corners=False)
