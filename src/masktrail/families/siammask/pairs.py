"""Pairs to learn from, cut out of clips: an exemplar of a frame, a search region of the next one.

Source: SiamMask's published code, whose pairs are crops of 511 pixels moved and resized likewise.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from masktrail.data.augment import uniform
from masktrail.data.boxes import tight_boxes
from masktrail.data.synth import Clips
from masktrail.devices import no_autocast, sent
from masktrail.families.siammask.config import EXEMPLAR, RING, STRIDE
from masktrail.families.siammask.settings import SiamSettings

EXEMPLAR_SHIFT, EXEMPLAR_SCALE = 4, 0.05
"""Exemplars are off their place by so many pixels and of another size by such a share, at most."""

BLURS = (3, 5, 7)
"""Sides of the squares that search regions are blurred by, pixels."""


@dataclass(frozen=True)
class Pairs:
    """Exemplars and where to look for them, P of each.

    Attributes:
        exemplars: (P, 3, 127, 127) in [0, 1].
        regions: (P, 3, S, S) in [0, 1].
        masks: of the object in the region, 0 or 1, (P, S, S); all 0 where it is not there.
        boxes: x0, y0, x1, y1 of it (P, 4), pixels of the region.
        known: whether there is an object, bool (P,).
        there: whether the exemplar's object is in the region, bool (P,).
        strange: whether it is sought in another clip, bool (P,).
        back: matrices (P, 2, 3) from positions in the clip's frame to those in the region, both
            [-1, 1] x [-1, 1].
    """

    exemplars: Tensor
    regions: Tensor
    masks: Tensor
    boxes: Tensor
    known: Tensor
    there: Tensor
    strange: Tensor
    back: Tensor


def cut_pairs(clips: Clips, settings: SiamSettings) -> Pairs:
    """Every object of the first frames of clips, and the later frames to look for it.

    Random numbers are torch's own.

    Returns:
        A pair for each clip, each later frame, each object, in this order.
    """
    device, size = clips.images.device, clips.images.shape[-1]
    count = clips.masks.shape[1] - 1, clips.masks.shape[2]  # later frames, objects
    start = _spread(clips.masks[:, :1], (count[0], 1))
    later = clips.masks[:, 1:].flatten(0, 2)  # (P, S, S)
    before = _spread(clips.images[:, :1, None], count)
    now = _spread(clips.images[:, 1:, None], (1, count[1]))  # (P, 3, S, S)
    known = _spread(clips.valid[:, None], (count[0], 1))
    seen = later.flatten(1).any(1)
    first, second = tight_boxes(start > 0.5), tight_boxes(later > 0.5)
    second = torch.where(seen[:, None], second, first)  # it is looked for where it was
    near, wide = _squares(first), _squares(second)
    if settings.spoilt:
        near = _moved(near, EXEMPLAR_SHIFT / EXEMPLAR, EXEMPLAR_SCALE)
    wide[:, 2] *= settings.search / EXEMPLAR
    wide = _moved(wide, settings.shift / settings.search, settings.scale)
    fill = before.mean((2, 3))[..., None, None]  # (P, 3, 1, 1)
    with no_autocast(device):  # bfloat16 knows no position to the pixel
        exemplars = _cut(before - fill, near, EXEMPLAR) + fill
        regions = _cut(now - fill, wide, settings.search) + fill
        masks = (_cut(later[:, None], wide, settings.search)[:, 0] > 0.5).float()
    strange = sent(torch.rand(len(known)) < settings.strangers, device) & (len(clips.images) > 1)
    others = exemplars.roll(count[0] * count[1], 0)  # of the clip before
    exemplars = torch.where(strange[:, None, None, None], others, exemplars)
    colourless = sent(torch.rand(len(known), 1, 1, 1) < settings.grey, device)
    exemplars, regions = (
        torch.where(colourless, x.mean(1, keepdim=True), x).clamp(0, 1)
        for x in (exemplars, regions)
    )
    there = masks.flatten(1).any(1) & known & ~strange
    corners = second.unflatten(1, (2, 2)) - wide[:, None, :2]
    ratio = settings.search / wide[:, 2:, None]
    return Pairs(
        exemplars,
        _blurred(regions, settings.blur),
        masks * there[:, None, None],
        (corners * ratio).flatten(1) + settings.search / 2,
        known,
        there,
        strange,
        _back(wide, size),
    )


def in_clips(masks: Tensor, rows: Tensor, pairs: Pairs, size: int) -> Tensor:
    """Masks of windows where they lie in the frames of clips.

    Args:
        masks: soft (P, 1, 127, 127).
        rows: whose they are: which pair, row and column of the response (P, 3).
        pairs: the pairs.
        size: side of the clips, pixels.

    Returns:
        (P, size, size), 0 beyond the windows.
    """
    side = pairs.regions.shape[-1]
    corner = STRIDE * (rows[:, 1:].flip(1) - RING)  # x, y of the windows in the regions
    into = pairs.back.clone()  # from the clip to the region, then on to the window
    into[..., 2] -= (corner + EXEMPLAR / 2) * 2 / side - 1
    into *= side / EXEMPLAR
    grid = F.affine_grid(into, [len(masks), 1, size, size], align_corners=False)
    return F.grid_sample(masks, grid, align_corners=False)[:, 0]


def _spread(values: Tensor, counts: tuple[int, int]) -> Tensor:
    """(B, T, N, ...) for each clip, later frame and object (P, ...), so often as told."""
    b, t, n, *rest = values.shape
    times = t * counts[0], n * counts[1]
    return values.expand(b, *times, *rest).flatten(0, 2)


def _squares(boxes: Tensor) -> Tensor:
    """Middles and sides (P, 3) of exemplars of objects with boxes (P, 4): SiamFC's margin."""
    corners = boxes.unflatten(1, (2, 2))
    sides = (corners[:, 1] - corners[:, 0]).clamp_min(1)
    side = (sides + sides.mean(1, keepdim=True)).prod(1, keepdim=True).sqrt()
    return torch.cat([corners.mean(1), side], 1)


def _moved(squares: Tensor, shift: float, scale: float) -> Tensor:
    """Squares (P, 3) moved by up to a share of their sides, and resized."""
    b, generator = len(squares), torch.default_generator
    moves = sent(uniform((b, 2), -shift, shift, generator), squares.device)
    sizes = sent(uniform((b, 1), -scale, scale, generator), squares.device)
    return torch.cat([squares[:, :2] + moves * squares[:, 2:], squares[:, 2:] * (1 + sizes)], 1)


def _cut(images: Tensor, squares: Tensor, side: int) -> Tensor:
    """Squares (P, 3) of pictures (P, C, S, S), resampled to `side`; 0 beyond the pictures."""
    size = images.shape[-1]
    scale, middle = _placed(squares, size)
    matrices = torch.cat([torch.eye(2, device=images.device) * scale, middle], 2)  # (P, 2, 3)
    grid = F.affine_grid(matrices, [len(images), 1, side, side], align_corners=False)
    return F.grid_sample(images.float(), grid, align_corners=False)


def _back(squares: Tensor, size: int) -> Tensor:
    """See `Pairs.back`."""
    scale, middle = _placed(squares, size)
    return torch.cat([torch.eye(2, device=squares.device) / scale, -middle / scale], 2)


def _placed(squares: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Sizes (P, 1, 1) and middles (P, 2, 1) of squares in pictures that are [-1, 1] x [-1, 1]."""
    return squares[:, 2:, None] / size, squares[:, :2, None] * 2 / size - 1


def _blurred(images: Tensor, share: float) -> Tensor:
    """A share of pictures (P, 3, S, S) blurred, all by the same square."""
    chosen = sent(torch.rand(len(images), 1, 1, 1) < share, images.device)
    side = BLURS[int(torch.randint(len(BLURS), ()))]
    blurred = F.avg_pool2d(images, side, 1, side // 2, count_include_pad=False)
    return torch.where(chosen, blurred, images)
