"""Training clips drawn from packed data: photographs set in motion, real motion, pasted objects.

A clip is one crop followed through T frames. Its background is a photograph that is moved and bent
(STM's and Lucid Data Dreaming's idea) or frames of a real video; in a share of the clips an object
cut out of a photograph moves on its own in front of it, or behind its object: as a target, as a
look-alike or as an occluder. All pixels of a batch are sampled at once, on the device of the pack.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Generator, Tensor

from masktrail.data.augment import jitter_colour
from masktrail.data.grids import (
    MAX_HALF,
    background_trajectories,
    crop_halves,
    pasted_trajectories,
    sample,
)
from masktrail.data.pack import Pack, PackedObject
from masktrail.data.sizes import MIN_AREA, TINY
from masktrail.data.whole_frames import WholeFrameClips
from masktrail.devices import sent
from masktrail.errors import InputError

T = TypeVar("T")

FAR_SHARE = 0.4
"""Clips of real videos whose second frame may be far from the first, if any are to be."""

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
        max_gap: largest step between frames of a real video; each clip draws its own limit up to
            it, so that most steps are small.
        far: largest step from the first frame to the second in `FAR_SHARE` of the clips of real
            videos, 0 for none: what is remembered is mostly longer ago than the frame before.
        still_motion: strength of the motion given to photographs; 1 is +-0.12 rad, +-10 % size,
            +-12 % of the crop a step.
        real_motion: the same, on top of real motion.
        tight: share of the clips whose crop is sized by its object instead of by its picture.
        room: sides of those crops over the longer side of their object, between these.
        beyond: whether they may reach beyond the picture; what lies there has its mean colour.
        small: share of the clips whose object is small in the crop, as far as their picture allows,
            and whose pasted object is: a crop larger than others, see `grids.SMALL`.
        tiny: whether objects smaller than `MIN_AREA` are marked too, in crops sized by them.
        plain: whole frames of videos stretched to the square, one after the other, and nothing
            else done to them, as the report trained; `size` and `frames` alone count then.
    """

    size: int = 192
    frames: int = 3
    objects: int = 1
    paste: float = 0.5
    max_gap: int = 12
    far: int = 0
    still_motion: float = 1.0
    real_motion: float = 0.3
    tight: float = 0.0
    room: tuple[float, float] = (1.2, 2.6)
    beyond: bool = False
    small: float = 0.0
    tiny: bool = False
    plain: bool = False


@dataclass
class Clips:
    """A batch of clips.

    Attributes:
        images: (B, T, 3, S, S) in [0, 1].
        masks: (B, T, N, S, S), 0 or 1, objects never overlapping; all 0 in slots not `valid`.
        valid: bool (B, N), slots that hold an object seen in frame 0.
        flow: (B, T-1, 3, S, S), from where a frame's pixels are to where they were in the frame
            before: x and y in pixels, and 1 where that is known, else 0; None where no flow is.
    """

    images: Tensor
    masks: Tensor
    valid: Tensor
    flow: Tensor | None = None

    def tensors(self) -> dict[str, Tensor]:
        """All that is known, by name."""
        return {name: tensor for name, tensor in vars(self).items() if tensor is not None}


class ClipSampler:
    """Draws batches of clips from packs.

    Args:
        stills: photographs, also where pasted objects come from; without any they come from the
            first of the videos' packs.
        videos: real videos.
        seed: everything drawn follows from it.
        shares: how often each of the videos' packs is drawn from, relative to the others; as often
            as it has frames, if empty.

    Raises:
        InputError: there is nothing to draw from, or no object in it.
    """

    def __init__(
        self, stills: Pack | None, videos: list[Pack], seed: int, shares: Sequence[float] = ()
    ) -> None:
        self.generator = Generator().manual_seed(seed)
        shares = shares or [float(len(pack.images)) for pack in videos]
        self._shares = torch.tensor(shares)
        self.stills = stills
        self.videos = videos
        self._plain: dict[int, WholeFrameClips] = {}
        sources = [pack for pack in (stills, *videos) if pack is not None]
        if not sources:
            raise InputError("There are neither photographs nor videos to train on.")
        self._cutouts = sources[0]
        objects = self._cutouts.objects
        self._rows = [row for row in range(len(objects)) if _large(objects[row])]
        if not self._rows:
            _require_objects([row for pack in sources for row in pack.objects])
        self._sets: dict[str, list[int]] = {}
        for row in self._rows:
            self._sets.setdefault(_set_of(self._cutouts, row), []).append(row)
        self._with_tiny = [row for row, found in enumerate(objects) if _large(found, TINY)]

    def require(self, settings: ClipSettings, stills: bool, videos: bool) -> None:
        """Refuses what no clip could be drawn by, before one is.

        Args:
            settings: of the clips.
            stills: whether photographs are to be drawn.
            videos: whether videos are.

        Raises:
            InputError: see `stills_batch` and `video_batch`.
        """
        if stills:
            self._require_rows(settings)
        for number, pack in enumerate(self.videos if videos else ()):
            if settings.plain:
                self._whole_frames(number).require(settings.frames)
            else:
                self._require_stretch(pack, settings)

    def stills_batch(self, batch: int, settings: ClipSettings) -> Clips:
        """Clips whose background is a photograph set in motion."""
        assert self.stills is not None
        rows_there = self._require_rows(settings)
        rows = [self._pick(rows_there) for _ in range(batch)]
        table = [[row] * settings.frames for row in rows]
        aspects = _aspects(self.stills, rows)
        return self._clips(self.stills, table, aspects, settings, settings.still_motion)

    def video_batch(self, batch: int, settings: ClipSettings) -> Clips:
        """Clips of real motion, forwards or backwards, with random gaps.

        Raises:
            InputError: no video is long enough, or none shows an object of a usable size.
        """
        number = int(torch.multinomial(self._shares, 1, generator=self.generator))
        if settings.plain:
            return self._plain_clips(number, batch, settings)
        pack = self.videos[number]
        table = [self._video_rows(pack, settings) for _ in range(batch)]
        aspects = _aspects(pack, [rows[0] for rows in table])
        return self._clips(pack, table, aspects, settings, settings.real_motion)

    def photograph(self, count: int) -> tuple[int, list[PackedObject]]:
        """The row of a photograph, and at most `count` of its objects of a usable size."""
        assert self.stills is not None
        row = self._pick(self._require_rows(ClipSettings()))
        return row, self._targets(self.stills.objects[row], count)

    def _require_rows(self, settings: ClipSettings) -> list[int]:
        """Photographs that show an object which may be marked."""
        least = least_area(settings)
        rows = self._rows if least == MIN_AREA else self._with_tiny
        if not rows:
            raise InputError(f"No photograph shows an object of {least:.2g} of its area.")
        return rows

    def _pick(self, items: Sequence[T]) -> T:
        return items[int(torch.randint(len(items), (), generator=self.generator))]

    def _video_rows(self, pack: Pack, settings: ClipSettings) -> list[int]:
        """Rows of a stretch of video that begins with an object, one per frame."""
        long = [s for s in pack.sequences if s.count >= settings.frames]
        least = least_area(settings)
        for _ in range(DRAWS if long else 0):
            sequence = self._pick(long)
            offsets = self._offsets(sequence.count, settings)
            first = self._up_to(sequence.count - offsets[-1]) - 1
            if torch.rand((), generator=self.generator) < 0.5:  # backwards
                offsets = [offsets[-1] - offset for offset in offsets]
            rows = [sequence.start + first + offset for offset in offsets]
            if _large(pack.objects[rows[0]], least):
                return rows
        raise _no_stretch(pack, settings)

    def _require_stretch(self, pack: Pack, settings: ClipSettings) -> None:
        """Refuses a pack in which `_video_rows` would find nothing."""
        for s in pack.sequences:
            rows = range(s.start, s.start + s.count) if s.count >= settings.frames else ()
            if any(_large(pack.objects[row], least_area(settings)) for row in rows):
                return
        raise _no_stretch(pack, settings)

    def _up_to(self, largest: int) -> int:
        return int(torch.randint(1, largest + 1, (), generator=self.generator))

    def _offsets(self, count: int, settings: ClipSettings) -> list[int]:
        """Frames of a clip from a video of `count` frames, counted from its own first one."""
        steps = settings.frames - 1
        limit = self._up_to(settings.max_gap)
        gaps = torch.randint(1, limit + 1, (steps,), generator=self.generator)
        if steps and settings.far and torch.rand((), generator=self.generator) < FAR_SHARE:
            room = count - 1 - int(gaps[1:].sum())
            gaps[0] = self._up_to(max(1, min(settings.far, room)))
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
        least = least_area(settings)
        targets = [self._targets(pack.objects[rows[0]], settings.objects, least) for rows in table]
        first = [objects[0] for objects in targets]
        tight = torch.rand(b, generator=self.generator) < settings.tight
        tight |= torch.tensor([target.area <= MIN_AREA for target in first])
        small = self._small(b, settings)
        room, limit = settings.room, MAX_HALF if settings.beyond else 1.0
        half = crop_halves(first, aspects, tight, small, self.generator, room, limit)
        where = background_trajectories(first, aspects, half, t, strength, self.generator)
        ids = _ids(targets, settings.objects)
        if all(len(set(rows)) == 1 for rows in table):
            layer = sample(
                pack, torch.tensor(table)[:, 0], ids, where, settings.size, settings.beyond
            )
        else:
            rows, each = torch.tensor(table).view(-1), ids.repeat_interleave(t, 0)
            layer = sample(pack, rows, each, where.apart(), settings.size, settings.beyond)
            layer = layer.view(b, t, *layer.shape[2:])
        images, masks = layer[:, :, :3], (layer[:, :, 3:] > 0.5).float()
        if settings.paste > 0 and self._rows:
            cut = self._pasted_rows(pack, table)
            images, masks = self._paste(images, masks, settings, cut, small)
        images = jitter_colour(images.clamp(0, 1), self.generator)
        flipped = sent(self._chances(b, 4) < 0.5, images.device)
        images = torch.where(flipped, images.flip(-1), images)
        masks = torch.where(flipped, masks.flip(-1), masks)
        valid = masks[:, 0].mean((2, 3)) > MIN_AREA / 4
        # what was not marked in frame 0 is background for good, whenever it turns up
        return Clips(images, masks * valid[:, None, :, None, None], valid)

    def _chances(self, count: int, axes: int) -> Tensor:
        """Random numbers from 0 to 1, one a clip: (count, 1, ...) with so many axes after it."""
        return torch.rand((count, *[1] * axes), generator=self.generator)

    def _small(self, count: int, settings: ClipSettings) -> Tensor:
        """Which clips are to show a small object, bool (count,); draws only where some are."""
        if settings.small <= 0:
            return torch.zeros(count, dtype=torch.bool)
        return torch.rand(count, generator=self.generator) < settings.small

    def _plain_clips(self, number: int, batch: int, settings: ClipSettings) -> Clips:
        """Clips of one object each from a pack of videos, with nothing done to them."""
        images, masks = self._whole_frames(number).draw(
            batch, settings.frames, settings.size, self.generator
        )
        return Clips(images, masks, masks[:, 0].amax((2, 3)) > 0)

    def _whole_frames(self, number: int) -> WholeFrameClips:
        if number not in self._plain:
            self._plain[number] = WholeFrameClips(self.videos[number])
        return self._plain[number]

    def _targets(
        self, objects: list[PackedObject], count: int, least: float = MIN_AREA
    ) -> list[PackedObject]:
        """At most `count` of the large ones, in random order."""
        large = _large(objects, least)
        order = torch.randperm(len(large), generator=self.generator).tolist()
        return [large[i] for i in order[:count]]

    def _pasted_rows(self, pack: Pack, table: list[list[int]]) -> list[int]:
        """A photograph to cut an object from for every clip: in half of those that come from
        photographs one of the same set, a look-alike."""
        alike = (torch.rand(len(table), generator=self.generator) < 0.5).tolist()
        return [
            self._pick(self._sets.get(_set_of(pack, rows[0]), self._rows))
            if same and pack is self.stills
            else self._pick(self._rows)
            for same, rows in zip(alike, table, strict=True)
        ]

    def _paste(
        self,
        images: Tensor,
        masks: Tensor,
        settings: ClipSettings,
        rows: list[int],
        small: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Puts an object of the photographs in `rows` into some clips, moving on its own."""
        b, n = len(masks), masks.shape[2]
        pasted = [self._targets(self._cutouts.objects[row], 1) for row in rows]
        aspects, t, size = _aspects(self._cutouts, rows), masks.shape[1], masks.shape[-1]
        where = pasted_trajectories(
            [objects[0] for objects in pasted], aspects, small, t, self.generator
        )
        layer = sample(self._cutouts, torch.tensor(rows), _ids(pasted, 1), where, size)
        chosen = sent(self._chances(b, 4) < settings.paste, images.device)
        behind = sent(self._chances(b, 4) < 0.35, images.device)
        alpha = layer[:, :, 3:] * chosen
        alpha = torch.where(behind, alpha * (1 - masks.amax(2, keepdim=True)), alpha)
        images = images + alpha * (layer[:, :, :3] - images)
        solid = (alpha > 0.5).float()
        masks = masks * (1 - solid)
        # the pasted object takes the last slot where that one is free, or in half of the clips
        takes = sent(self._chances(b, 3) < 0.5, images.device)
        takes = (takes | (masks[:, :1, -1].amax((2, 3), keepdim=True) == 0)) & chosen[:, 0]
        last = torch.where(takes[:, None], solid, masks[:, :, -1:])
        return images, torch.cat([masks[:, :, : n - 1], last], 2)


def _large(objects: list[PackedObject], least: float = MIN_AREA) -> list[PackedObject]:
    return [o for o in objects if o.area > least]


def least_area(settings: ClipSettings) -> float:
    """The share of its picture that an object must have to be marked."""
    return TINY if settings.tiny else MIN_AREA


def _no_stretch(pack: Pack, settings: ClipSettings) -> InputError:
    return InputError(
        f"No video in a pack of {len(pack.sequences)} has {settings.frames} frames and in one of "
        f"them an object of {least_area(settings):.2g} of its area."
    )


def _require_objects(rows: list[list[PackedObject]]) -> None:
    if not any(_large(objects, TINY) for objects in rows):
        raise InputError(f"None of {len(rows)} masks shows an object: nothing can be learned.")


def _aspects(pack: Pack, rows: list[int]) -> Tensor:
    """Width / height of the pictures in `rows`, (len(rows),)."""
    return torch.tensor([pack.aspect_of(row) for row in rows])


def _set_of(pack: Pack, row: int) -> str:
    """The data set a photograph comes from: what stands before the slash of its name."""
    return pack.sequence_of(row).name.split("/")[0]


def _ids(targets: list[list[PackedObject]], slots: int) -> Tensor:
    """Ids by slot (B, slots); -1, which no pixel has, in empty slots."""
    return torch.tensor([[o.id for o in row] + [-1] * (slots - len(row)) for row in targets])
