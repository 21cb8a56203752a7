"""Space-time memory network for ordinary computers.

One image encoder pass per frame, whatever the number of objects; a key/value memory at stride 16
(STM, STCN, XMem); values made from the encoder's own features and the masks folded into channels
(the memory encoder of SAM 2 does likewise), so that writing to memory costs little; masks of the
frame before, taken along to where its pixels went (`near.py`); a light decoder to stride 4,
and a lighter one that sharpens its logits to stride 2. The network holds no state:
`encode`, `lift`, `memorize`, `compare`, `carry` and `segment` are pure functions of tensors.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.devices import no_autocast
from masktrail.families.memory.config import MASK_STRIDE, STRIDE, Encoded, MemoryConfig
from masktrail.families.memory.near import Transport
from masktrail.families.memory.readout import lift_memory, lift_query, similarity
from masktrail.models.aggregate import others
from masktrail.models.backbones import Normalise, ResNet18
from masktrail.models.blocks import ResidualBlock

SEEN = 4
"""Stride at which the network looks at the masks that go in."""


class KeyHead(nn.Module):
    """Key, shrinkage and selection from stride-16 features (XMem, section 3.2)."""

    def __init__(self, channels: int, key: int) -> None:
        super().__init__()
        self.key = nn.Conv2d(channels, key, 3, padding=1)
        self.shrinkage = nn.Conv2d(channels, 1, 3, padding=1)
        self.selection = nn.Conv2d(channels, key, 3, padding=1)
        nn.init.orthogonal_(self.key.weight)
        assert self.key.bias is not None
        nn.init.zeros_(self.key.bias)

    def forward(self, f16: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Key (B, K, H, W), shrinkage (B, 1, H, W), at least 1, selection (B, K, H, W), 0 to 1."""
        shrinkage = self.shrinkage(f16).float().square() + 1
        return self.key(f16).float(), shrinkage, self.selection(f16).float().sigmoid()


class MaskStem(nn.Module):
    """Masks folded into channels at stride 16: this object's and the others'."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        fold = STRIDE // SEEN
        self.fold = nn.Sequential(nn.AvgPool2d(SEEN // MASK_STRIDE), nn.PixelUnshuffle(fold))
        self.conv = nn.Conv2d(2 * fold * fold, channels, 3, padding=1)

    def forward(self, masks: Tensor) -> Tensor:
        """Soft masks (B, N, H/2, W/2) to features (B*N, channels, H/16, W/16)."""
        pairs = torch.stack([masks, others(masks)], 2).flatten(0, 1)
        return self.conv(self.fold(pairs))


class Carried(nn.Module):
    """Masks of the frame before, taken along to where their pixels went."""

    def __init__(self, config: MemoryConfig) -> None:
        super().__init__()
        self.side = side = 8 // MASK_STRIDE
        self.fold, self.unfold = nn.PixelUnshuffle(side), nn.PixelShuffle(side)
        self.transport = Transport()
        self.conv = nn.Conv2d(2 * side * side + 1, config.stride8, 3, padding=1)
        nn.init.zeros_(self.conv.weight)  # at first it adds nothing
        assert self.conv.bias is not None
        nn.init.zeros_(self.conv.bias)

    def carry(self, before: Tensor, now: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """See `MemoryNetwork.carry`."""
        folded = self.fold(torch.cat([masks, others(masks)], 1))  # (B, 2*N*16, H/8, W/8)
        return self.transport(before, now, folded)

    def forward(self, carried: Tensor, found: Tensor) -> tuple[Tensor, Tensor]:
        """Soft masks (B, N, H/2, W/2), and decoder features (B*N, stride8, H/8, W/8), of what
        `carry` gave."""
        n = carried.shape[1] // (2 * self.side**2)
        pairs = carried.unflatten(1, (2, n, -1)).transpose(1, 2).flatten(0, 1).flatten(1, 2)
        features = torch.cat([pairs, found.repeat_interleave(n, 0)], 1)
        return self.unfold(carried[:, : carried.shape[1] // 2]), self.conv(features)


class ValueEncoder(nn.Module):
    """What memory keeps of an object: the image's features seen together with its mask."""

    def __init__(self, channels: int, config: MemoryConfig) -> None:
        super().__init__()
        self.image = nn.Conv2d(channels, config.hidden, 1)
        self.masks = MaskStem(config.hidden)
        self.blocks = nn.Sequential(ResidualBlock(config.hidden), ResidualBlock(config.hidden))
        self.out = nn.Conv2d(config.hidden, config.value, 3, padding=1)

    def forward(self, f16: Tensor, masks: Tensor) -> Tensor:
        objects = masks.shape[1]
        x = self.image(f16).repeat_interleave(objects, 0) + self.masks(masks)
        return self.out(F.relu(self.blocks(x), inplace=True))  # (B*N, value, H/16, W/16)


class Decoder(nn.Module):
    """From readout and previous mask to logits at stride 2, one object per batch entry."""

    def __init__(self, config: MemoryConfig) -> None:
        super().__init__()
        self.readout = nn.Conv2d(config.value, config.hidden, 3, padding=1)
        self.previous = MaskStem(config.hidden)
        self.block16 = ResidualBlock(config.hidden)
        self.carried = Carried(config)
        self.reduce8 = nn.Conv2d(config.hidden, config.stride8, 1)
        self.block8 = ResidualBlock(config.stride8)
        self.reduce4 = nn.Conv2d(config.stride8, config.stride4, 1)
        self.conv4 = nn.Conv2d(config.stride4, config.stride4, 3, padding=1)
        self.head = nn.Conv2d(config.stride4, 1, 3, padding=1)
        self.reduce2 = nn.Conv2d(config.stride4, config.stride2, 1)
        self.conv2 = nn.Conv2d(config.stride2, config.stride2, 3, padding=1)
        self.head2 = nn.Conv2d(config.stride2, 1, 3, padding=1)
        nn.init.zeros_(self.head2.weight)  # at first the logits are those of stride 4
        assert self.head2.bias is not None
        nn.init.zeros_(self.head2.bias)

    def forward(
        self,
        skips: tuple[Tensor, Tensor, Tensor, Tensor],
        readout: Tensor,
        carried: Tensor,
        found: Tensor,
    ) -> Tensor:
        masks, near = self.carried(carried, found)
        n = masks.shape[1]
        skip16, skip8, skip4, skip2 = (skip.repeat_interleave(n, 0) for skip in skips)
        x = self.readout(readout) + self.previous(masks)
        x = self.block16(x + skip16)
        x = _double(self.reduce8(F.relu(x, inplace=True))) + skip8
        x = self.block8(x + near)
        x = _double(self.reduce4(F.relu(x, inplace=True))) + skip4
        x = F.relu(self.conv4(F.relu(x, inplace=True)), inplace=True)
        logits = _double(self.head(x))
        x = _double(self.reduce2(x)) + skip2
        x = self.conv2(F.relu(x, inplace=True))
        return logits + self.head2(F.relu(x, inplace=True))  # (B*N, 1, H/2, W/2)


class MemoryNetwork(nn.Module):
    """Encoder, key head, value encoder and decoder of `memory-s`."""

    stride = STRIDE

    def __init__(self, config: MemoryConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or MemoryConfig()
        self.encoder = ResNet18()
        c4, c8, c16 = self.encoder.channels
        self.keys = KeyHead(c16, config.key)
        self.skip16 = nn.Conv2d(c16, config.hidden, 1)
        self.skip8 = nn.Conv2d(c8, config.stride8, 1)
        self.skip4 = nn.Conv2d(c4, config.stride4, 1)
        self.skip2 = nn.Conv2d(3, config.stride2, 5, 2, 2)
        self.near = nn.Conv2d(c8, config.near, 1)
        nn.init.orthogonal_(self.near.weight)
        self.values = ValueEncoder(c16, config)
        self.decoder = Decoder(config)
        self.normalise = Normalise()

    def encode(self, images: Tensor) -> Encoded:
        """Encodes RGB images (B, 3, H, W) in [0, 1]; H and W multiples of 16."""
        normalised = self.normalise(images)
        f4, f8, f16 = self.encoder(normalised)
        key, shrinkage, selection = self.keys(f16)
        skips = self.skip16(f16), self.skip8(f8), self.skip4(f4), self.skip2(normalised)
        return Encoded(f16, key, shrinkage, selection, *skips, self.near(f8))

    def lift(self, key: Tensor, shrinkage: Tensor, selection: Tensor) -> tuple[Tensor, Tensor]:
        """What images are compared by, of `Encoded.keys`: as memory (B, P, 2K+1), as query
        (B, 2K+1, P), of their P pixels at stride 16; float32, whose terms nearly cancel."""
        with no_autocast(key.device):
            return lift_memory(key, shrinkage), lift_query(key, selection)

    def memorize(self, f16: Tensor, masks: Tensor) -> Tensor:
        """Values to be stored beside the memory keys of the same images.

        Args:
            f16: (B, 256, H/16, W/16).
            masks: soft masks (B, N, H/2, W/2) in [0, 1].

        Returns:
            (B, H/16*W/16, N*value).
        """
        values = self.values(f16, masks)
        b, n = masks.shape[:2]
        return values.reshape(b, n * self.config.value, -1).transpose(1, 2)

    def compare(self, query: Tensor, keys: Tensor) -> Tensor:
        """How similar pixels of one image are to those in memory: an engine's `attend` reads the
        values of the nearest.

        Args:
            query: from `lift` (1, 2K+1, Q), of Q of the image's pixels.
            keys: memory, from `lift`, of the remembered frames side by side, (1, M, 2K+1).

        Returns:
            (1, Q, M), float32.
        """
        return similarity(keys, query)

    def carry(self, before: Tensor, now: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Masks taken along from one frame to the next, see `near.Transport`.

        Args:
            before: `Encoded.near` (B, near, H/8, W/8) of the frame before.
            now: that of this frame.
            masks: soft masks (B, N, H/2, W/2) of the frame before.

        Returns:
            The masks and those of all other objects together, folded into channels,
            (B, 2*N*16, H/8, W/8), and how well each pixel was found again (B, 1, H/8, W/8).
        """
        return self.decoder.carried.carry(before, now, masks)

    def segment(
        self,
        skip16: Tensor,
        skip8: Tensor,
        skip4: Tensor,
        skip2: Tensor,
        readout: Tensor,
        carried: Tensor,
        found: Tensor,
    ) -> Tensor:
        """Object logits of B images.

        Args:
            skip16: this and the next three as `encode` gave them.
            skip8: see there.
            skip4: see there.
            skip2: see there.
            readout: (B, H/16*W/16, N*value) from memory.
            carried: masks of the frame before, from `carry`; so is the next.
            found: see there.

        Returns:
            Logits (B, N, H/2, W/2), objects independent of each other.
        """
        (b, _, h, w), (height, width) = skip16.shape, skip2.shape[2:]
        n = readout.shape[2] // self.config.value
        readout = readout.transpose(1, 2).reshape(b * n, self.config.value, h, w)
        skips = skip16, skip8, skip4, skip2
        return self.decoder(skips, readout, carried, found).view(b, n, height, width)


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
