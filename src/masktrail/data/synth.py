"""Training clips drawn from packed data: photographs set in motion, real motion, pasted objects.

A clip is one crop followed through T frames. Its background is a photograph that is moved and bent
(STM's and Lucid Data Dreaming's idea) or frames of a real video; in a share of the clips an object
cut out of a photograph moves on its own in front of it, or behind its object: as a target, as a
look-alike or as an occluder. All pixels of a batch are sampled at once, on the device of the pack.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from masktrail.data.augment import jitter_colour, motion, uniform, warp
from masktrail.data.pack import Pack, PackedObject
from masktrail.errors import InputError

T = TypeVar("T")

MIN_AREA = 0.002
"""Objects smaller than this share of a picture are not marked for tracking."""

DRAWS = 1000
"""Tries to find a stretch of video that begins with an object."""


@dataclass(frozen=True)
class ClipSettings:
    """How clips are drawn.

    Attributes:
        size: side of the square crop, pixels.
        frames: per clip.
        objects: target slots per clip; a clip may fill fewer.
        paste: share of the clips that get a pasted object.
        max_gap: largest step between frames of a real video.
        still_motion: strength of the motion given to photographs; 1 is +-0.12 rad, +-10 % size,
            +-12 % of the crop a step.
        real_motion: the same, on top of real motion.
    """

    size: int = 192
    frames: int = 3
    objects: int = 1
    paste: float = 0.5
    max_gap: int = 12
    still_motion: float = 1.0
    real_motion: float = 0.3


@dataclass
class Clips:
    """A batch of clips.

    Attributes:
        images: (B, T, 3, S, S) in [0, 1].
        masks: (B, T, N, S, S), 0 or 1, objects never overlapping; all 0 in slots not `valid`.
        valid: bool (B, N), slots that hold an object seen in frame 0.
    """

    images: Tensor
    masks: Tensor
    valid: Tensor


class ClipSampler:
    """Draws batches of clips from packs.

    Args:
        stills: photographs, also where pasted objects come from.
        videos: real videos.
        seed: everything drawn follows from it.

    Raises:
        InputError: no photograph shows an object of a usable size.
    """

    def __init__(self, stills: Pack, videos: list[Pack], seed: int) -> None:
        self.generator = Generator().manual_seed(seed)
        self.stills = stills
        self.videos = videos
        self._still_rows = [
            row for row in range(len(stills.objects)) if _large(stills.objects[row])
        ]
        if not self._still_rows:
            raise InputError(f"No photograph shows an object of {MIN_AREA:.1%} of its area.")

    def stills_batch(self, batch: int, settings: ClipSettings) -> Clips:
        """Clips whose background is a photograph set in motion."""
        rows = [self._pick(self._still_rows) for _ in range(batch)]
        table = [[row] * settings.frames for row in rows]
        aspects = _aspects(self.stills, rows)
        return self._clips(self.stills, table, aspects, settings, settings.still_motion)

    def video_batch(self, batch: int, settings: ClipSettings) -> Clips:
        """Clips of real motion, forwards or backwards, with random gaps.

        Raises:
            InputError: no video is long enough, or none shows an object of a usable size.
        """
        sizes = torch.tensor([float(len(pack.images)) for pack in self.videos])
        pack = self.videos[int(torch.multinomial(sizes, 1, generator=self.generator))]
        table = [self._video_rows(pack, settings) for _ in range(batch)]
        aspects = _aspects(pack, [rows[0] for rows in table])
        return self._clips(pack, table, aspects, settings, settings.real_motion)

    def _pick(self, items: Sequence[T]) -> T:
        return items[int(torch.randint(len(items), (), generator=self.generator))]

    def _video_rows(self, pack: Pack, settings: ClipSettings) -> list[int]:
        """Rows of a stretch of video that begins with an object, one per frame."""
        long = [s for s in pack.sequences if s.count >= settings.frames]
        for _ in range(DRAWS if long else 0):
            sequence = self._pick(long)
            offsets = self._offsets(sequence.count, settings)
            first = int(torch.randint(sequence.count - offsets[-1], (), generator=self.generator))
            rows = [sequence.start + first + offset for offset in offsets]
            if torch.rand((), generator=self.generator) < 0.5:
                rows.reverse()
            if _large(pack.objects[rows[0]]):
                return rows
        raise InputError(
            f"No video in a pack of {len(pack.sequences)} has {settings.frames} frames, the first "
            f"of which shows an object of {MIN_AREA:.1%} of its area."
        )

    def _offsets(self, count: int, settings: ClipSettings) -> list[int]:
        """Frames of a clip from a video of `count` frames, counted from its own first one."""
        steps = settings.frames - 1
        gaps = torch.randint(1, settings.max_gap + 1, (steps,), generator=self.generator)
        if int(gaps.sum()) >= count:  # too short a video: as far apart as it allows
            gaps.fill_((count - 1) // max(1, steps))
        return [0, *gaps.cumsum(0).tolist()]

    def _clips(
        self,
        pack: Pack,
        table: list[list[int]],
        aspects: Tensor,
        settings: ClipSettings,
        strength: float,
    ) -> Clips:
        """Clips whose frames come from the rows `table` (B lists of T) of `pack`."""
        b, t = len(table), settings.frames
        targets = [self._targets(pack.objects[rows[0]], settings.objects) for rows in table]
        grid = self._background_grid(targets, aspects, settings, strength)
        ids = _ids(targets, settings.objects)
        if all(len(set(rows)) == 1 for rows in table):
            layer = _sample(pack, torch.tensor(table)[:, 0], ids, grid)
        else:
            each = grid.flatten(0, 1)[:, None]
            layer = _sample(pack, torch.tensor(table).view(-1), ids.repeat_interleave(t, 0), each)
            layer = layer.view(b, t, *layer.shape[2:])
        images, masks = layer[:, :, :3], (layer[:, :, 3:] > 0.5).float()
        if settings.paste > 0:
            images, masks = self._paste(images, masks, settings)
        images = jitter_colour(images.clamp(0, 1), self.generator)
        if torch.rand((), generator=self.generator) < 0.5:
            images, masks = images.flip(-1), masks.flip(-1)
        valid = masks[:, 0].mean((2, 3)) > MIN_AREA / 4
        # what was not marked in frame 0 is background for good, whenever it turns up
        return Clips(images, masks * valid[:, None, :, None, None], valid)

    def _targets(self, objects: list[PackedObject], count: int) -> list[PackedObject]:
        """At most `count` of the large ones, in random order."""
        large = _large(objects)
        order = torch.randperm(len(large), generator=self.generator).tolist()
        return [large[i] for i in order[:count]]

    def _background_grid(
        self,
        targets: list[list[PackedObject]],
        aspects: Tensor,
        settings: ClipSettings,
        strength: float,
    ) -> Tensor:
        """Where in the stretched canvas every output pixel lies, (B, T, S, S, 2)."""
        b, t, g = len(targets), settings.frames, self.generator
        short = aspects.clamp_max(1)  # half the short side, in units where half the height is 1
        centre = torch.tensor([[2 * o[0].x - 1, 2 * o[0].y - 1] for o in targets])
        centre[:, 0] *= aspects
        half = short * uniform((b,), 0.5, 1.0, g)
        centre += uniform((b, 2), -0.4, 0.4, g) * half[:, None]
        room = (torch.stack([aspects, torch.ones(b)], 1) - half[:, None]).clamp_min(0)
        centre = centre.clamp(-room, room)
        moves = motion(b, t, g, 0.12 * strength, 0.10 * strength, 0.12 * strength)
        spin = uniform((b,), -0.25, 0.25, g) * min(1.0, strength)
        moves = _turn(spin) @ moves
        at = _positions(moves, settings.size)
        if strength > 0.5:
            at = at + warp(b, t, settings.size, g, 0.02 * strength)
        at = at * half.view(-1, 1, 1, 1, 1) + centre.view(-1, 1, 1, 1, 2)
        at[..., 0] /= aspects.view(-1, 1, 1, 1)
        return at

    def _paste(
        self, images: Tensor, masks: Tensor, settings: ClipSettings
    ) -> tuple[Tensor, Tensor]:
        """Puts an object of a photograph into some clips, moving on its own."""
        b, n, g = len(masks), masks.shape[2], self.generator
        rows = [self._pick(self._still_rows) for _ in range(b)]
        pasted = [self._targets(self.stills.objects[row], 1) for row in rows]
        grid = self._paste_grid(pasted, _aspects(self.stills, rows), settings)
        layer = _sample(self.stills, torch.tensor(rows), _ids(pasted, 1), grid)
        wanted = torch.rand((b, 1, 1, 1, 1), generator=g) < settings.paste
        behind = torch.rand((b, 1, 1, 1, 1), generator=g) < 0.35
        wanted, behind = wanted.to(images.device), behind.to(images.device)
        alpha = layer[:, :, 3:] * wanted
        alpha = torch.where(behind, alpha * (1 - masks.amax(2, keepdim=True)), alpha)
        images = images + alpha * (layer[:, :, :3] - images)
        solid = (alpha > 0.5).float()
        masks = masks * (1 - solid)
        # the pasted object takes the last slot where that one is free, or in half of the clips
        takes = torch.rand((b, 1, 1, 1), generator=g).to(images.device) < 0.5
        takes = (takes | (masks[:, :1, -1].amax((2, 3), keepdim=True) == 0)) & wanted[:, 0]
        last = torch.where(takes[:, None], solid, masks[:, :, -1:])
        return images, torch.cat([masks[:, :, : n - 1], last], 2)

    def _paste_grid(
        self, pasted: list[list[PackedObject]], aspects: Tensor, settings: ClipSettings
    ) -> Tensor:
        """Where in their photographs the output pixels of pasted objects lie, (B, T, S, S, 2)."""
        b, t, g = len(pasted), settings.frames, self.generator
        boxes = torch.tensor([[o[0].x, o[0].y, o[0].width, o[0].height] for o in pasted])
        span = torch.stack([aspects, torch.ones(b)], 1)
        centre, extent = (2 * boxes[:, :2] - 1) * span, 2 * boxes[:, 2:] * span
        shown = 2 * torch.exp(uniform((b,), math.log(0.15), math.log(0.7), g))
        scale = extent.amax(1) / shown  # source units per output unit
        moves = motion(b, t, g, 0.12, 0.10, 0.12)
        place, speed = uniform((b, 1, 2), -0.8, 0.8, g), uniform((b, 1, 2), -0.4, 0.4, g)
        path = place + speed * torch.arange(t).view(1, t, 1)
        at = _positions(moves, settings.size, path)
        at = at + warp(b, t, settings.size, g, 0.02)
        at = at * scale.view(-1, 1, 1, 1, 1) + centre.view(-1, 1, 1, 1, 2)
        at[..., 0] /= aspects.view(-1, 1, 1, 1)
        return at


def _large(objects: list[PackedObject]) -> list[PackedObject]:
    return [o for o in objects if o.area > MIN_AREA]


def _aspects(pack: Pack, rows: list[int]) -> Tensor:
    """Width / height of the pictures in `rows`, (len(rows),)."""
    starts = torch.tensor([sequence.start for sequence in pack.sequences])
    where = torch.searchsorted(starts, torch.tensor(rows), right=True) - 1
    return torch.tensor([pack.sequences[int(i)].aspect for i in where])


def _ids(targets: list[list[PackedObject]], slots: int) -> Tensor:
    """Ids by slot (B, slots); -1, which no pixel has, in empty slots."""
    return torch.tensor([[o.id for o in row] + [-1] * (slots - len(row)) for row in targets])


def _turn(angles: Tensor) -> Tensor:
    """Rotation matrices (B, 1, 2, 2)."""
    cos, sin = angles.cos(), angles.sin()
    return torch.stack([cos, -sin, sin, cos], -1).view(-1, 1, 2, 2)


def _positions(moves: Tensor, size: int, path: Tensor | None = None) -> Tensor:
    """Output pixel centres moved by matrices (B, T, 2, 3), as (B, T, S, S, 2).

    `path` (B, T, 2) is where the origin of the first frame has gone to.
    """
    axis = (torch.arange(size) + 0.5) / size * 2 - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    points = torch.stack([x, y], -1).view(1, 1, -1, 2)
    if path is not None:
        points = points - path[:, :, None]
    moved = points @ moves[..., :2].transpose(2, 3) + moves[:, :, None, :, 2]
    return moved.view(*moves.shape[:2], size, size, 2)


def _sample(pack: Pack, rows: Tensor, ids: Tensor, grid: Tensor) -> Tensor:
    """Pictures in [0, 1] with the masks of some objects behind their colours.

    Args:
        pack: where the pictures are.
        rows: (R,) of the pack.
        ids: (R, N) of the objects.
        grid: (R, K, S, S, 2), K crops of every row, in the pack's stretched coordinates.

    Returns:
        (R, K, 3+N, S, S), black and empty outside the picture.
    """
    device = pack.images.device
    rows, ids = rows.to(device), ids.to(device)
    masks = (pack.labels[rows][:, None] == ids[..., None, None]).to(torch.uint8) * 255
    pixels = torch.cat([pack.images[rows].permute(0, 3, 1, 2), masks], 1).float()
    flat = grid.to(device).flatten(1, 2)  # the crops of a row stacked on top of each other
    sampled = F.grid_sample(pixels, flat, mode="bilinear", align_corners=False)
    crops, size = grid.shape[1], grid.shape[2]
    return sampled.unflatten(2, (crops, size)).transpose(1, 2) / 255
