"""Space-time memory network for ordinary computers.

One image encoder pass per frame, whatever the number of objects; a key/value memory at stride 16
(STM, STCN, XMem); values made from the encoder's own features and the masks folded into channels
(the memory encoder of SAM 2 does likewise), so that writing to memory costs little; masks of the
frame before, taken along to where its pixels went (`near.py`); a light decoder to stride 4,
and a lighter one that sharpens its logits to stride 2. The network holds no state:
`encode`, `memorize`, `gather`, `read` and `segment` are pure functions of tensors.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.families.memory.config import MASK_STRIDE, STRIDE, Encoded, MemoryConfig
from masktrail.families.memory.near import Transport
from masktrail.families.memory.readout import lift_memory, lift_query, read_nearest
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

    def forward(self, f16: Tensor) -> tuple[Tensor, Tensor]:
        """Lifted memory keys (B, P, 2K+1) and query keys (B, 2K+1, P) of P pixels."""
        key = self.key(f16).float()
        shrinkage = self.shrinkage(f16).float().square() + 1
        selection = self.selection(f16).float().sigmoid()
        return lift_memory(key, shrinkage), lift_query(key, selection)


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
        side = 8 // MASK_STRIDE
        self.fold, self.unfold = nn.PixelUnshuffle(side), nn.PixelShuffle(side)
        self.transport = Transport()
        self.conv = nn.Conv2d(2 * side * side + 1, config.stride8, 3, padding=1)
        nn.init.zeros_(self.conv.weight)  # at first it adds nothing
        assert self.conv.bias is not None
        nn.init.zeros_(self.conv.bias)

    def forward(self, before: Tensor, now: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Masks taken along, and decoder features made of them.

        Args:
            before: keys of the frame before (B, near, H/8, W/8).
            now: keys of this frame.
            masks: soft masks of the frame before (B, N, H/2, W/2).

        Returns:
            Soft masks (B, N, H/2, W/2) and features (B*N, stride8, H/8, W/8).
        """
        n = masks.shape[1]
        folded = self.fold(torch.cat([masks, others(masks)], 1))  # (B, 2*N*16, H/8, W/8)
        carried, confidence = self.transport(before, now, folded)
        pairs = carried.unflatten(1, (2, n, -1)).transpose(1, 2).flatten(0, 1).flatten(1, 2)
        features = torch.cat([pairs, confidence.repeat_interleave(n, 0)], 1).to(masks.dtype)
        carried_masks = carried[:, : carried.shape[1] // 2].to(masks.dtype)
        return self.unfold(carried_masks), self.conv(features)


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
        self, encoded: Encoded, readout: Tensor, previous: Tensor, before: Tensor
    ) -> Tensor:
        n = previous.shape[1]
        masks, carried = self.carried(before, encoded.near, previous)
        x = self.readout(readout) + self.previous(masks)
        x = self.block16(x + encoded.skip16.repeat_interleave(n, 0))
        x = _double(self.reduce8(F.relu(x, inplace=True))) + encoded.skip8.repeat_interleave(n, 0)
        x = self.block8(x + carried)
        x = _double(self.reduce4(F.relu(x, inplace=True))) + encoded.skip4.repeat_interleave(n, 0)
        x = F.relu(self.conv4(F.relu(x, inplace=True)), inplace=True)
        logits = _double(self.head(x))
        x = _double(self.reduce2(x)) + encoded.skip2.repeat_interleave(n, 0)
        x = self.conv2(F.relu(x, inplace=True))
        return logits + self.head2(F.relu(x, inplace=True))  # (B*N, 1, H/2, W/2)


class MemoryNetwork(nn.Module):
    """Encoder, key head, value encoder and decoder of `memory-s`."""

    stride = STRIDE
    plain_stem = True

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
        memory, query = self.keys(f16)
        skips = self.skip16(f16), self.skip8(f8), self.skip4(f4), self.skip2(normalised)
        return Encoded(f16, memory, query, *skips, self.near(f8))

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

    def memorize_each(self, f16: Tensor, masks: Tensor) -> list[Tensor]:
        """Values (P, value), float32, of every object of one image, see `memorize`."""
        values = self.memorize(f16, masks)[0].float().unflatten(1, (masks.shape[1], -1))
        return [each.contiguous() for each in values.unbind(1)]

    def gather(self, keys: list[Tensor], values: list[list[Tensor]]) -> tuple[Tensor, Tensor]:
        """Frames joined to a memory of objects that were seen in all of them.

        Args:
            keys: of T frames, `Encoded.memory` of one image each.
            values: of T frames, those of N objects each, from `memorize_each`.

        Returns:
            Keys (M, 2K+1) and values (M, N*value).
        """
        return torch.cat(keys, 1)[0], torch.cat([torch.cat(frame, 1) for frame in values])

    def read(self, query: Tensor, memories: list[tuple[Tensor, Tensor]], top_k: int) -> Tensor:
        """What memories say of every pixel of one image.

        Args:
            query: `Encoded.query` (1, 2K+1, P).
            memories: from `gather`, of different objects.
            top_k: memory pixels that each pixel reads from.

        Returns:
            (1, P, N*value), objects in the order of the memories.
        """
        readouts = [read_nearest(keys, query[0], values, top_k) for keys, values in memories]
        return torch.cat(readouts, 1)[None]

    def segment(
        self, encoded: Encoded, readout: Tensor, previous: Tensor, before: Tensor
    ) -> Tensor:
        """Object logits of the encoded images.

        Args:
            encoded: of B images.
            readout: (B, H/16*W/16, N*value) from memory.
            previous: soft masks (B, N, H/2, W/2) of the frame before.
            before: `near` of the frame before, as `encode` gave it.

        Returns:
            Logits (B, N, H/2, W/2), objects independent of each other.
        """
        b, n = previous.shape[:2]
        h, w = encoded.f16.shape[2:]
        readout = readout.transpose(1, 2).reshape(b * n, self.config.value, h, w)
        return self.decoder(encoded, readout, previous, before).view(b, n, *previous.shape[2:])


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
