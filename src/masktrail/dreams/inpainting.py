"""Patch-based inpainting: what may lie behind an object, continued from the picture around it.

Sources: the background of "Lucid Data Dreaming" (Khoreva et al., IJCV 2019) is filled once per
annotated picture; by patches as in Wexler et al., "Space-time completion of video", PAMI 2007:
from coarse to fine, every patch that touches the hole looks for its nearest neighbour outside, and
every pixel in the hole becomes the weighted mean of what those say. Neighbours are searched for as
in Barnes et al., "PatchMatch", SIGGRAPH 2009, section 3, but for all patches at once.

A patch is named by its top left pixel, and pixels are numbered row by row, so that a shift is one
number to add. Patches lie in the picture: none starts in the last SIDE - 1 rows and columns.
"""

from itertools import takewhile
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from masktrail.devices import no_autocast, sent

SIDE = 7
"""Pixels a side of a patch."""

COARSEST = 24
"""Pictures are halved while their shorter side stays at least this, pixels."""

JUMPS = (1, 2, 4)
"""How far away the patches lie that offer their neighbours, pixels."""

ROUNDS = (1, 2, 4, 8)
"""Rounds of searching and voting a level, the finest first; the last also for the coarsest."""

DEPTH = 6
"""How far into the hole trust falls, pixels; beyond, it is the same everywhere."""

FALL = 1.3
"""By which factor trust falls a pixel: Wexler et al., 2007."""

CHUNK = 4096
"""Patches compared at once, which the processor's cache has room for."""


class _Level(NamedTuple):
    """What is missing of a picture of HW pixels at one scale, and what there is to fill it from."""

    size: tuple[int, int]
    """H, W."""
    hole: Tensor
    """(M,) numbers of the pixels to fill."""
    targets: Tensor
    """(N,) numbers of the patches that touch the hole."""
    sources: Tensor
    """(S,) numbers of the patches that do not."""
    is_source: Tensor
    """(HW,), bool."""
    trust: Tensor
    """(N,), how much a target's vote counts: the less, the deeper in the hole it lies."""


def inpainted(image: Tensor, hole: Tensor, generator: Generator) -> Tensor:
    """A picture with a hole filled from its surroundings.

    Args:
        image: (3, H, W) in [0, 1], on any device.
        hole: (H, W), bool, where to fill; what `image` is there has no influence.
        generator: source of randomness, on the CPU.

    Returns:
        (3, H, W) in [0, 1], outside the hole equal to `image`. Filled smoothly where nothing
        outside the hole is as large as a patch, and in mid grey where nothing is outside.
    """
    hole = hole.to(image.device)
    if not hole.any():
        return image.clone()
    if hole.all():
        return torch.full_like(image, 0.5)
    with no_autocast(image.device):
        filled = _filled(image.float().masked_fill(hole, 0), hole, generator)
    return torch.where(hole, filled.clamp(0, 1).to(image.dtype), image)


def _filled(image: Tensor, hole: Tensor, generator: Generator) -> Tensor:
    """`inpainted` for a hole that is neither empty nor everything."""
    scales = _pyramid(image, hole)
    levels = [_level(missing) for _, missing in scales]
    levels = list(takewhile(lambda level: len(level.sources) > 0, levels))
    if not levels:
        return _smooth(image, hole)
    coarsest = len(levels) - 1
    colours = _flat(_smooth(*scales[coarsest]))
    neighbours = _drawn(levels[-1], generator)
    for i, level in reversed(list(enumerate(levels))):
        if i < coarsest:
            neighbours = _upscaled(neighbours, levels[i + 1], level, generator)
            colours = _voted(_flat(scales[i][0]), level, neighbours, level.trust)
        for _ in range(ROUNDS[-1 if i == coarsest else min(i, len(ROUNDS) - 1)]):
            search = _Search(colours, level, neighbours)
            search.propagate()
            search.guess(generator)
            neighbours = search.neighbours
            weights = level.trust * _likeness(search.distances)
            colours = _voted(colours, level, neighbours, weights)
    return colours.T.unflatten(1, image.shape[1:])


def _flat(image: Tensor) -> Tensor:
    """A picture (3, H, W) as colours (HW, 3)."""
    return image.flatten(1).T.contiguous()


def _pyramid(image: Tensor, hole: Tensor) -> list[tuple[Tensor, Tensor]]:
    """A picture and its hole at every scale, the finest first.

    A coarse pixel is the mean of the known ones of its four, and missing where most of them are.
    """
    scales = [(image, hole)]
    while min(hole.shape) >= 2 * COARSEST:
        image, known = _halved(image, hole)
        hole = known < 0.5
        if hole.all() or not hole.any():
            break
        scales.append((image.masked_fill(hole, 0), hole))
    return scales


def _halved(image: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
    """Means (3, H', W') of what is known of every 2 x 2 pixels, and its share (H', W')."""
    stacked = torch.cat([image.masked_fill(hole, 0), (~hole).to(image.dtype)[None]])
    pooled = F.avg_pool2d(stacked, 2, ceil_mode=True)
    known = pooled[3]
    return pooled[:3] / known.clamp_min(0.1), known


def _smooth(image: Tensor, hole: Tensor) -> Tensor:
    """A hole filled by interpolation from coarser and coarser means ("push-pull").

    Source: Gortler et al., "The lumigraph", SIGGRAPH 1996.
    """
    if not hole.any():
        return image
    coarse, known = _halved(image, hole)
    coarse = _smooth(coarse, known == 0)
    fine = F.interpolate(coarse[None], hole.shape, mode="bilinear")[0]
    return torch.where(hole, fine, image)


def _level(hole: Tensor) -> _Level:
    """What the patches of a picture are, by where it is missing, (H, W)."""
    height, width = hole.shape
    is_target = torch.zeros_like(hole)
    is_source = torch.zeros_like(hole)
    trust = torch.ones_like(hole, dtype=torch.float32)
    if min(height, width) >= SIDE:
        inside = slice(height - SIDE + 1), slice(width - SIDE + 1)
        touched = F.max_pool2d(hole[None].float(), SIDE, 1)[0] > 0
        is_target[inside], is_source[inside] = touched, ~touched
        middle = SIDE // 2
        trust[inside] = FALL ** -_depth(hole)[middle : height - middle, middle : width - middle]
    targets = is_target.flatten().nonzero()[:, 0]
    return _Level(
        (height, width),
        hole.flatten().nonzero()[:, 0],
        targets,
        is_source.flatten().nonzero()[:, 0],
        is_source.flatten(),
        trust.flatten()[targets],
    )


def _depth(hole: Tensor) -> Tensor:
    """How many pixels, up to DEPTH, every pixel (H, W) lies from what is known."""
    missing = hole.float()[None]
    depth = torch.zeros_like(missing)
    for _ in range(DEPTH):
        depth += missing
        missing = -F.max_pool2d(-missing, 3, 1, 1)
    return depth[0]


def _drawn(level: _Level, generator: Generator) -> Tensor:
    """Neighbours (HW,) of all patches: random sources for targets, themselves for others."""
    device = level.sources.device
    neighbours = torch.arange(len(level.is_source), device=device)
    picks = torch.randint(len(level.sources), (len(level.targets),), generator=generator)
    neighbours[level.targets] = level.sources[sent(picks, device)]
    return neighbours


def _upscaled(neighbours: Tensor, coarse: _Level, fine: _Level, generator: Generator) -> Tensor:
    """Neighbours (HW,) at twice the scale, random where those do not fit."""
    (height, width), middle = coarse.size, SIDE // 2
    y, x = fine.targets // fine.size[1], fine.targets % fine.size[1]
    rows = ((y + middle) // 2 - middle).clamp(0, height - SIDE)
    columns = ((x + middle) // 2 - middle).clamp(0, width - SIDE)
    found = neighbours[rows * width + columns]
    y = y + 2 * (found // width - rows)
    x = x + 2 * (found % width - columns)
    found = (y * fine.size[1] + x).remainder(len(fine.is_source))
    drawn = _drawn(fine, generator)
    drawn[fine.targets] = torch.where(fine.is_source[found], found, drawn[fine.targets])
    return drawn


class _Search:
    """Nearest neighbours among the sources, sought for all targets of a level at once."""

    def __init__(self, colours: Tensor, level: _Level, neighbours: Tensor) -> None:
        """Begins with `neighbours` (HW,) in a picture of `colours` (HW, 3)."""
        self.level = level
        self.neighbours = neighbours.clone()
        strip = F.pad(colours.flatten(), (0, 3 * SIDE - 3))
        self._strips = strip.unfold(0, 3 * SIDE, 3).contiguous()  # a patch is SIDE of these
        self._down = torch.arange(SIDE, device=colours.device) * level.size[1]
        self._wanted = self._patches(level.targets)
        self.distances = self._measured(
            torch.arange(len(level.targets), device=colours.device), neighbours[level.targets]
        )

    def propagate(self) -> None:
        """Every target tries what its neighbours in the picture found, shifted as they are."""
        for jump in JUMPS:
            for shift in (jump, -jump, jump * self.level.size[1], -jump * self.level.size[1]):
                beside = (self.level.targets + shift).remainder(len(self.neighbours))
                self._offer(self.neighbours[beside] - shift)

    def guess(self, generator: Generator) -> None:
        """Every target tries patches at random, ever closer to what it found."""
        reach = max(self.level.size)
        while reach >= 1:
            away = torch.randint(
                -reach, reach + 1, (2, len(self.level.targets)), generator=generator
            )
            away = away[0] * self.level.size[1] + away[1]
            found = self.neighbours[self.level.targets]
            self._offer(found + sent(away, found.device))
            reach //= 3

    def _offer(self, offered: Tensor) -> None:
        """Takes the patches of these numbers (N,) that are sources and nearer than those found."""
        offered = offered.remainder(len(self.neighbours))
        new = self.level.is_source[offered] & (offered != self.neighbours[self.level.targets])
        new = new.nonzero()[:, 0]
        offered = offered[new]
        distances = self._measured(new, offered)
        nearer = (distances < self.distances[new]).nonzero()[:, 0]
        new = new[nearer]
        self.distances[new] = distances[nearer]
        self.neighbours[self.level.targets[new]] = offered[nearer]

    def _measured(self, targets: Tensor, patches: Tensor) -> Tensor:
        """Distances (K,) from the targets of these places (K,) to the patches numbered (K,)."""
        return torch.cat(
            [
                torch.linalg.vector_norm(
                    self._wanted.index_select(0, which) - self._patches(chunk), dim=1
                )
                for which, chunk in zip(targets.split(CHUNK), patches.split(CHUNK), strict=True)
            ]
        )

    def _patches(self, numbers: Tensor) -> Tensor:
        """Colours of patches numbered (K,) as (K, 3 * SIDE * SIDE)."""
        strips = (numbers[:, None] + self._down).flatten()
        return self._strips.index_select(0, strips).view(len(numbers), 3 * SIDE * SIDE)


def _likeness(distances: Tensor) -> Tensor:
    """Weights (N,) that fall with the distances (N,), as a Gaussian.

    Source: Wexler et al., 2007, but with half their width, which keeps texture sharper.
    """
    usual = distances.kthvalue(1 + (len(distances) - 1) * 3 // 4).values.clamp_min(1e-6)
    return (-2 * (distances / usual).square()).exp().clamp_min(1e-6)


def _voted(colours: Tensor, level: _Level, neighbours: Tensor, weights: Tensor) -> Tensor:
    """A picture whose hole is the weighted mean of what the neighbours of its patches hold there.

    Args:
        colours: (HW, 3).
        level: of the picture.
        neighbours: (HW,).
        weights: (N,) of the targets.

    Returns:
        (HW, 3).
    """
    total = len(colours)
    everywhere = colours.new_zeros(total)
    everywhere[level.targets] = weights
    shift = neighbours - torch.arange(total, device=colours.device)
    mean = colours.new_zeros(len(level.hole), 3)
    weight = colours.new_zeros(len(level.hole), 1)
    across = torch.arange(SIDE, device=colours.device)
    for down in range(SIDE):
        # Before the first pixel come the last rows, and beside the first column the last ones,
        # where no patch starts: their weight is 0.
        patches = (level.hole[:, None] - (down * level.size[1] + across)).remainder(total)
        votes = everywhere.take(patches)
        pixels = (level.hole[:, None] + shift.take(patches)).flatten()
        said = colours.index_select(0, pixels).view(len(votes), SIDE, 3)
        mean += (votes[:, :, None] * said).sum(1)
        weight += votes.sum(1, keepdim=True)
    filled = colours.clone()
    filled[level.hole] = mean / weight
    return filled
