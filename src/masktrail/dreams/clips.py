"""Training clips that are dreams of packed photographs; of these alone is optical flow known."""

import torch
from torch import Tensor
from torch.nn import functional as F

from masktrail.data.augment import jitter_colour
from masktrail.data.pack import Pack, PackedObject
from masktrail.data.sizes import MIN_AREA
from masktrail.data.synth import Clips, ClipSampler, ClipSettings
from masktrail.dreams.dreamer import Dreamer, DreamSettings

PER_PICTURE = 2
"""Dreams of a photograph in a batch: what lies behind its objects is invented once for them."""

AROUND = 1.5
"""Of a photograph a part is dreamt of that is so many clips wide and high, where it is as large."""


def dreamt_batch(sampler: ClipSampler, batch: int, settings: ClipSettings) -> Clips:
    """Clips that are dreams of the sampler's photographs, with exact flow.

    Args:
        sampler: its photographs and its source of randomness are taken.
        batch: clips.
        settings: of these `size`, `frames`, `objects` and `room` count.
    """
    pictures = [
        _dreamer(sampler, settings).draw(min(PER_PICTURE, batch - first), settings.size)
        for first in range(0, batch, PER_PICTURE)
    ]
    images = torch.cat([dreams.images for dreams in pictures])
    masks = torch.cat([_filled(dreams.masks, settings.objects) for dreams in pictures])
    vectors = torch.cat([dreams.backward for dreams in pictures])
    known = torch.cat([dreams.backward_valid for dreams in pictures])
    valid = masks[:, 0].mean((2, 3)) > MIN_AREA / 4
    return Clips(
        jitter_colour(images, sampler.generator),
        masks * valid[:, None, :, None, None],
        valid,
        torch.cat([vectors, known[..., None].float()], 4).movedim(4, 2),
    )


def _dreamer(sampler: ClipSampler, settings: ClipSettings) -> Dreamer:
    """Of a photograph, or of the part of it around an object."""
    row, targets = sampler.photograph(settings.objects)
    assert sampler.stills is not None
    low, high = settings.room
    room = low + (high - low) * float(torch.rand((), generator=sampler.generator))
    image, labels = _part(sampler.stills, row, targets, settings.size, room)
    seed = int(torch.randint(2**62, (), generator=sampler.generator))
    device = image.device
    return Dreamer(image, labels, seed, DreamSettings(frames=settings.frames), device)


def _part(
    pack: Pack, row: int, targets: list[PackedObject], size: int, room: float
) -> tuple[Tensor, Tensor]:
    """Of a packed picture what lies around the first of some objects, scaled so that a clip of
    `size` pixels is `room` times as large as that: uint8 (H, W, 3), and their ids (H, W)."""
    image, labels = pack.images[row], pack.labels[row]
    height, width = labels.shape
    first = targets[0]
    aspect = pack.aspect_of(row)
    high = size / (room * max(first.width * aspect, first.height))  # of the whole, where it fits
    high = max(high, size, size / aspect)
    scale = high / height, high * aspect / width  # down, across
    cut = []
    for axis, middle in ((0, first.y * height), (1, first.x * width)):
        whole = (height, width)[axis]
        side = min(whole, round(AROUND * size / scale[axis]))
        start = min(max(round(middle - side / 2), 0), whole - side)
        cut.append(slice(start, start + side))
    sides = [max(size, round((c.stop - c.start) * s)) for c, s in zip(cut, scale, strict=True)]
    image, labels = image[cut[0], cut[1]], labels[cut[0], cut[1]]
    chosen = torch.zeros_like(labels)
    for target in targets:
        chosen = torch.where(labels == target.id, labels, chosen)
    pixels = image.permute(2, 0, 1)[None].float()
    scaled = F.interpolate(pixels, sides, mode="bilinear", antialias=True)[0]
    ids = F.interpolate(chosen[None, None].float(), sides, mode="nearest-exact")[0, 0]
    return scaled.round().to(torch.uint8).permute(1, 2, 0), ids.int()


def _filled(masks: Tensor, slots: int) -> Tensor:
    """Masks (B, T, n, S, S) and empty ones, so that there are as many as slots."""
    return F.pad(masks, (0, 0, 0, 0, 0, slots - masks.shape[2]))
