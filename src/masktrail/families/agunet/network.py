"""AGUNet's network: a U-Net whose skips are guided by what is like the annotated object.

Source: Yin, Xu, Wang and Zhang, "AGUnet: Annotation-guided U-net for fast one-shot video object
segmentation", Pattern Recognition 110, 2021. Only its abstract and what the report says of it could
be read. From the abstract: the network is fully convolutional and Siamese, marks foreground and
background of a frame by comparing it with the annotated one, and fuses these marks into the skips
of a U-Net; it is trained on single pictures. From the report: f(I_R, I) = g(phi(I_R), phi(I)) gives
a map S, on several scales, and skips become F * S, S the same for all channels. All else is ours:
phi is ResNet-18 up to stride 16 (He et al., CVPR 2016), g one of `matching`, on features of stride
16, S is resized for the other scales, widths and losses are our own.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.devices import no_autocast
from masktrail.families.agunet.config import STRIDE, AgunetConfig, Levels
from masktrail.families.agunet.matching import MATCHING
from masktrail.models.backbones import Normalise, ResNet18
from masktrail.models.blocks import Up, check_sides


class Guided(nn.Module):
    """A skip of fewer channels, guided by a map.

    Args:
        stride: of the encoder's features.
        channels_in: of them.
        channels: of the skip.
        fuse: as `AgunetConfig` has it.
    """

    def __init__(self, stride: int, channels_in: int, channels: int, fuse: str) -> None:
        super().__init__()
        self.factor = STRIDE // stride
        self.reduce = nn.Conv2d(channels_in, channels, 1)
        self.replace = fuse == "replace"
        self.channels = channels if self.replace else 2 * channels

    def forward(self, features: Tensor, scores: Tensor) -> Tensor:
        """Of features (B, C, h, w) and maps (B, N, H/16, W/16): (B*N, channels, h, w)."""
        skip = F.relu(self.reduce(features), inplace=True)
        skip = skip.repeat_interleave(scores.shape[1], 0)
        seen = scores.flatten(0, 1)[:, None].to(skip.dtype)
        if self.factor > 1:
            seen = F.interpolate(
                seen, scale_factor=self.factor, mode="bilinear", align_corners=False
            )
        guided = skip * seen
        return guided if self.replace else torch.cat([skip, guided], 1)


class AgunetNetwork(nn.Module):
    """It holds no state: `encode`, `project`, `score` and `segment` are pure functions."""

    stride = STRIDE
    frames = 2

    def __init__(self, config: AgunetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or AgunetConfig()
        w, (c4, c8, c16) = config.width, ResNet18.channels
        self.encoder = ResNet18()
        self.projection = nn.Conv2d(c16, config.key, 1)
        self.matching = MATCHING[config.g]()
        levels = (16, c16, 8 * w), (8, c8, 4 * w), (4, c4, 2 * w), (2, 64, w)
        skips = [Guided(*level, config.fuse) for level in levels]
        guided = [skip.channels for skip in skips]
        self.skips = nn.ModuleList(skips)
        self.bottom = nn.Conv2d(guided[0], 8 * w, 3, padding=1)
        self.ups = nn.ModuleList(
            Up(above, skip, channels)
            for above, skip, channels in (
                (8 * w, guided[1], 4 * w),
                (4 * w, guided[2], 2 * w),
                (2 * w, guided[3], w),
            )
        )
        self.head = nn.Conv2d(w, 1, 3, padding=1)
        self.normalise = Normalise()

    def encode(self, images: Tensor) -> Levels:
        """Encodes RGB images (B, 3, H, W) in [0, 1].

        Raises:
            InputError: sides that are no multiples of 16.
        """
        check_sides(images, self.stride)
        f2 = self.encoder.conv1(self.normalise(images))
        f4 = self.encoder.layer1(self.encoder.pool(f2))
        f8 = self.encoder.layer2(f4)
        return Levels(self.encoder.layer3(f8), f8, f4, F.relu(f2))

    def project(self, f16: Tensor) -> Tensor:
        """What pictures are compared by (B, key, H/16, W/16), of length 1, of `Levels.f16`."""
        return F.normalize(self.projection(f16).float(), dim=1)

    def score(self, now: Tensor, keys: Tensor, masks: Tensor) -> Tensor:
        """Where objects are likely to be, by what they looked like where they were marked.

        Args:
            now: from `project` (1, key, h, w).
            keys: the same of R marked pictures (R, key, h, w).
            masks: how much of each of their pixels is the object's (R, N, h, w), 0 to 1.

        Returns:
            S (1, N, h, w), 0 to 1.
        """
        return self.likeness(now, keys[None], masks[None]).sigmoid()

    def likeness(self, now: Tensor, keys: Tensor, masks: Tensor) -> Tensor:
        """Logits of S (B, N, h, w), of batches, see `matching.Matching.forward`."""
        with no_autocast(now.device):
            return cast(Tensor, self.matching(now.float(), keys.float(), masks.float()))

    def segment(self, f16: Tensor, f8: Tensor, f4: Tensor, f2: Tensor, scores: Tensor) -> Tensor:
        """Finds objects.

        Args:
            f16: this and the next three as `encode` gave them.
            f8: see there.
            f4: see there.
            f2: see there.
            scores: from `score` (B, N, H/16, W/16).

        Returns:
            Logits (B, N, H/2, W/2), objects independent of each other.
        """
        levels = (f16, f8, f4, f2)
        skips = [skip(f, scores) for skip, f in zip(self.skips, levels, strict=True)]
        x = F.relu(self.bottom(skips[0]), inplace=True)
        for up, skip in zip(self.ups, skips[1:], strict=True):
            x = up(x, skip)
        return self.head(x).view(len(f2), -1, *f2.shape[2:])
