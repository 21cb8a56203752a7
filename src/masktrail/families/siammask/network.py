"""SiamMask: an exemplar sought in a search region, and a mask for each place it may be at.

Source: SiamMask (Wang et al., CVPR 2019), sections 3.1 and 3.2, appendix A, and the code published
with it. The exemplar's features are correlated with those of the search region channel by channel;
every pixel of the response map ("RoW", response of a candidate window) says whether the object is
there, what its box is (three branches), and its mask in the window of 127 pixels around.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.families.siammask.backbones import BACKBONES
from masktrail.families.siammask.config import COARSE, EXEMPLAR, RING, TAPS, SiamMaskConfig
from masktrail.models.backbones import Normalise

CROP = 7
"""Pixels in the middle of an exemplar's map that are looked at."""

HIDDEN, WIDTHS = (16, 64, 128), (4, 16, 32)
"""Channels of what is refined at strides 2, 4 and 8, and on the way there."""

WINDOWS = ((61, 4), (31, 2), (15, 1))
"""Of a response in the maps at strides 2, 4 and 8: their sides, and steps between responses."""


class DepthCorr(nn.Module):
    """Correlation of an exemplar with a search region, channel by channel, and a head on it."""

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.conv_kernel = _unit(width, width, 3)
        self.conv_search = _unit(width, width, 3)
        self.head = nn.Sequential(*_unit(width, width, 1), nn.Conv2d(width, channels, 1))


class Refine(nn.Module):
    """From a response to its mask with the help of the backbone's maps (section 3.2, figure 3)."""

    def __init__(self, width: int, taps: tuple[int, ...]) -> None:
        super().__init__()
        self.v0, self.v1, self.v2 = map(_pair, taps[:3], HIDDEN, WIDTHS)
        self.h0, self.h1, self.h2 = map(_pair, WIDTHS, WIDTHS, WIDTHS)
        fine, middle, rough = WIDTHS
        self.deconv = nn.ConvTranspose2d(width, rough, 15, 15)
        self.post0 = nn.Conv2d(rough, middle, 3, padding=1)
        self.post1 = nn.Conv2d(middle, fine, 3, padding=1)
        self.post2 = nn.Conv2d(fine, 1, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):  # as published: narrow layers else go dead
                nn.init.kaiming_uniform_(module.weight, a=1)

    def forward(self, responses: Tensor, p0: Tensor, p1: Tensor, p2: Tensor) -> Tensor:
        """Logits (M, 1, 127, 127).

        Args:
            responses: (M, C, 1, 1).
            p0: windows at stride 2 (M, _, 61, 61).
            p1: windows at stride 4 (M, _, 31, 31).
            p2: windows at stride 8 (M, _, 15, 15).
        """
        x = self.deconv(responses)  # (M, 32, 15, 15)
        x = self.post0(F.interpolate(self.h2(x) + self.v2(p2), (31, 31)))
        x = self.post1(F.interpolate(self.h1(x) + self.v1(p1), (61, 61)))
        return self.post2(F.interpolate(self.h0(x) + self.v0(p0), (EXEMPLAR, EXEMPLAR)))


class SiamMask(nn.Module):
    """The network; its functions are `exemplar`, `search`, `match`, `coarse` and `refined`."""

    frames = 2

    def __init__(self, config: SiamMaskConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or SiamMaskConfig()
        taps = TAPS[config.backbone]
        self.normalise = Normalise()
        self.encoder = BACKBONES[config.backbone]()
        self.adjust = _unit(taps[3], config.width, 1)[:2]
        self.heads = nn.ModuleDict(
            {name: DepthCorr(config.width, channels) for name, channels in config.heads.items()}
        )
        self.refine = Refine(config.width, taps)

    def exemplar(self, images: Tensor) -> tuple[Tensor, ...]:
        """Kernels (B, C, 5, 5), one for each head, of exemplars (B, 3, 127, 127) in [0, 1]."""
        features = self.features(images)[3]  # (B, C, 7, 7)
        return tuple(self._head(name).conv_kernel(features) for name in self.heads)

    def search(self, images: Tensor) -> tuple[Tensor, ...]:
        """What there is in search regions, whatever is sought in them.

        Args:
            images: (B, 3, 255, 255) in [0, 1].

        Returns:
            For each head (B, C, 29, 29); then what `refined` wants, maps at strides 2, 4 and 8.
        """
        *maps, features = self.features(images)
        return *(self._head(name).conv_search(features) for name in self.heads), *maps

    def match(self, *parts: Tensor) -> tuple[Tensor, ...]:
        """Where exemplars are found.

        Args:
            parts: as `exemplar` gave them, one for each head, then as `search` did.

        Returns:
            Scores (B, 10, 25, 25), five anchors' logits against the object, then for it, and boxes
            (B, 20, 25, 25), see `anchors.decoded`; of two branches scores (B, 1, 25, 25) alone.
            Then responses (B, C, 25, 25), which `coarse` and `refined` make masks of.
        """
        said, n = [], len(self.heads)
        for name, kernel, features in zip(self.heads, parts[:n], parts[n:], strict=True):
            found = correlate(kernel, features)
            said.append(found if name == "mask" else self._head(name).head(found))
        return tuple(said)

    def coarse(self, responses: Tensor, place: Tensor) -> Tensor:
        """Logits (B, 1, 127, 127) of the mask of a response, drawn 63 pixels wide.

        Args:
            responses: as `match` gave them.
            place: row and column of the response (2,), whole numbers.
        """
        return self.coarse_masks(_at(responses, place.long()))

    def refined(
        self, responses: Tensor, p0: Tensor, p1: Tensor, p2: Tensor, place: Tensor
    ) -> Tensor:
        """The same, refined with the help of maps as `search` gave them."""
        at = place.long()
        shown = (window(m, at, *where) for m, where in zip((p0, p1, p2), WINDOWS, strict=True))
        return self.refine(_at(responses, at), *shown)

    def features(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Maps of pictures (B, 3, S, S) in [0, 1] at strides 2, 4 and 8, and what heads look at:
        the middle of an exemplar alone."""
        p0, p1, p2, p3 = self.encoder(self.normalise(images))
        features = self.adjust(p3)
        if images.shape[3] == EXEMPLAR:
            border = (features.shape[3] - CROP) // 2
            features = features[:, :, border : border + CROP, border : border + CROP]
        return p0, p1, p2, features

    def coarse_masks(self, responses: Tensor) -> Tensor:
        """Logits (M, 1, 127, 127) of responses (M, C, 1, 1)."""
        drawn = self._head("mask").head(responses).view(-1, 1, COARSE, COARSE)
        size = (EXEMPLAR, EXEMPLAR)
        return F.interpolate(drawn, size, mode="bilinear", align_corners=True)

    def _head(self, name: str) -> DepthCorr:
        return cast(DepthCorr, self.heads[name])


def correlate(kernel: Tensor, features: Tensor) -> Tensor:
    """Correlation channel by channel.

    Args:
        kernel: (B, C, 5, 5).
        features: (B, C, 29, 29).

    Returns:
        (B, C, 25, 25).
    """
    b, c = kernel.shape[:2]
    stacked = features.reshape(1, b * c, *features.shape[2:])
    found = F.conv2d(stacked, kernel.reshape(b * c, 1, *kernel.shape[2:]), groups=b * c)
    return found.reshape(b, c, *found.shape[2:])


def window(maps: Tensor, place: Tensor, side: int, step: int) -> Tensor:
    """What maps show of the window of a response, zeros beyond them.

    Args:
        maps: (B, C, h, w).
        place: row and column of the response, int64 (2,).
        side: of the window, pixels of the maps.
        step: pixels of the maps from one response to the next.

    Returns:
        (B, C, side, side).
    """
    for axis in (2, 3):
        last = maps.shape[axis] - 1
        pixels = torch.arange(side, device=maps.device) + step * (place[axis - 2] - RING)
        inside = ((pixels >= 0) & (pixels <= last)).to(maps.dtype)
        shape = [side if i == axis else 1 for i in range(4)]
        maps = maps.index_select(axis, pixels.clamp(0, last)) * inside.view(shape)
    return maps


def _at(responses: Tensor, place: Tensor) -> Tensor:
    """One response (B, C, 1, 1) of a map."""
    return responses.index_select(2, place[:1]).index_select(3, place[1:])


def _unit(channels_in: int, channels: int, side: int) -> nn.Sequential:
    convolution = nn.Conv2d(channels_in, channels, side, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.ReLU(inplace=True))


def _pair(channels_in: int, hidden: int, channels: int) -> nn.Sequential:
    first = nn.Conv2d(channels_in, hidden, 3, padding=1)
    second = nn.Conv2d(hidden, channels, 3, padding=1)
    return nn.Sequential(first, nn.ReLU(inplace=True), second, nn.ReLU(inplace=True))
