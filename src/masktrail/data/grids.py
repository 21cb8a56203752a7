"""Where the crops of a clip lie in packed pictures, and fetching their pixels from there."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from masktrail.data.augment import bending, motion, positions, uniform
from masktrail.data.pack import Pack, PackedObject
from masktrail.devices import sent

MIN_HALF = 0.1
"""Crops are no smaller than this share of their picture's height."""

MAX_HALF = 1.5
"""Crops that may reach beyond their picture, as those of small objects do, are no larger than this
share of its short side."""

SMALL = (0.07, 0.21)
"""Shares of the crop's side that a small object's longer side has: 20 to 60 pixels of 288."""

PASTED = (0.15, 0.7)
"""The same of pasted objects that are not to be small."""


class Trajectories(NamedTuple):
    """Where the crops of clips lie in pictures, in a few numbers each.

    Attributes:
        moves: matrices (R, K, 2, 3), K crops of every picture, from output positions (see
            `augment`) to positions in the pack's stretched pictures, [-1, 1] x [-1, 1].
        bends: displacements (R, K, CONTROLS * CONTROLS, 2) of control points there; None for none.
    """

    moves: Tensor
    bends: Tensor | None

    def apart(self) -> "Trajectories":
        """The same crops, each of a picture of its own, (R * K, 1, ...)."""
        bends = None if self.bends is None else self.bends.flatten(0, 1)[:, None]
        return Trajectories(self.moves.flatten(0, 1)[:, None], bends)

    def grid(self, size: int, device: torch.device) -> Tensor:
        """Where every pixel of crops of `size` lies, (R, K, size, size, 2) on `device`."""
        moves = sent(self.moves.flatten(0, 1), device)
        bends = None if self.bends is None else sent(self.bends.flatten(0, 1), device)
        return positions(moves, bends, size).unflatten(0, self.moves.shape[:2])


def crop_halves(
    targets: list[PackedObject],
    aspects: Tensor,
    tight: Tensor,
    small: Tensor,
    generator: Generator,
    room: Sequence[float] = (1.2, 2.6),
    limit: float = 1.0,
) -> Tensor:
    """How large the crops around objects are.

    Args:
        targets: the object each of B clips is about.
        aspects: of the pictures, (B,).
        tight: which crops are sized by their object instead of by their picture, bool (B,).
        small: which crops are so large that their object is small in them, bool (B,).
        generator: source of randomness.
        room: sides of tight crops over the longer side of their object, between these.
        limit: tight crops are no larger than this share of their picture's short side.

    Returns:
        Half of their sides (B,), in units where half the height of the picture is 1.
    """
    b, g = len(targets), generator
    short = aspects.clamp_max(1)
    half = short * uniform((b,), 0.5, 1.0, g)
    sides = torch.tensor([[o.width, o.height] for o in targets])
    extent = torch.maximum(sides[:, 0] * aspects, sides[:, 1])
    around = (extent * uniform((b,), room[0], room[1], g)).clamp_min(MIN_HALF)
    half = torch.where(tight, torch.minimum(around, limit * short), half)
    if small.any():  # else nothing is drawn, so that a seed draws what it always drew
        far = (extent / _log_uniform(b, SMALL, g)).clamp_min(MIN_HALF)
        half = torch.where(small, torch.minimum(far, MAX_HALF * short), half)
    return half


def background_trajectories(
    targets: list[PackedObject],
    aspects: Tensor,
    half: Tensor,
    frames: int,
    strength: float,
    generator: Generator,
) -> Trajectories:
    """Crops that hold an object and move, from frame to frame, as a camera would.

    Args:
        targets: the object each of B clips is about.
        aspects: of the pictures, (B,).
        half: of the sides of the crops (B,), see `crop_halves`.
        frames: T.
        strength: of the motion; above 0.5 the picture is bent too.
        generator: source of randomness.

    Returns:
        Of T crops of each of B pictures.
    """
    b, t, g = len(targets), frames, generator
    centre = torch.tensor([[2 * o.x - 1, 2 * o.y - 1] for o in targets])
    centre[:, 0] *= aspects
    centre += uniform((b, 2), -0.4, 0.4, g) * half[:, None]
    room = (torch.stack([aspects, torch.ones(b)], 1) - half[:, None]).clamp_min(0)
    centre = centre.clamp(-room, room)
    moves = motion(b, t, g, 0.12 * strength, 0.10 * strength, 0.12 * strength)
    spin = uniform((b,), -0.25, 0.25, g) * min(1.0, strength)
    moves = _turn(spin) @ moves
    bends = bending(b, t, g, 0.02 * strength) if strength > 0.5 else None
    return _placed(moves, bends, half, centre, aspects)


def pasted_trajectories(
    pasted: list[PackedObject],
    aspects: Tensor,
    small: Tensor,
    frames: int,
    generator: Generator,
) -> Trajectories:
    """The same for objects that cross the crop on paths of their own; arguments likewise."""
    b, t, g = len(pasted), frames, generator
    boxes = torch.tensor([[o.x, o.y, o.width, o.height] for o in pasted])
    span = torch.stack([aspects, torch.ones(b)], 1)
    centre, extent = (2 * boxes[:, :2] - 1) * span, 2 * boxes[:, 2:] * span
    sizes = 2 * _log_uniform(b, PASTED, g)
    if small.any():
        sizes = torch.where(small, 2 * _log_uniform(b, SMALL, g), sizes)
    scale = extent.amax(1) / sizes  # source units per output unit
    moves = motion(b, t, g, 0.12, 0.10, 0.12)
    place, speed = uniform((b, 1, 2), -0.8, 0.8, g), uniform((b, 1, 2), -0.4, 0.4, g)
    path = place + speed * torch.arange(t).view(1, t, 1)
    moves[..., 2:] -= moves[..., :2] @ path[..., None]  # they turn about where they have gone
    return _placed(moves, bending(b, t, g, 0.02), scale, centre, aspects)


def _placed(
    moves: Tensor, bends: Tensor | None, scale: Tensor, centre: Tensor, aspects: Tensor
) -> Trajectories:
    """Motion of crops (B, T, 2, 3) about their middles, brought to where they lie in pictures.

    Args:
        moves: in output units.
        bends: likewise.
        scale: lengths in units where half the height of the picture is 1, for 1 of output (B,).
        centre: of the crops (B, 2), in the same units.
        aspects: of the pictures (B,), which are stretched to squares.
    """
    stretch = torch.stack([aspects, torch.ones_like(aspects)], 1)
    lengths = (scale[:, None] / stretch)[:, None, :, None]  # (B, 1, 2, 1)
    moves = moves * lengths
    moves[..., 2] += (centre / stretch)[:, None]
    return Trajectories(moves, None if bends is None else bends * lengths.transpose(2, 3))


def _log_uniform(count: int, limits: tuple[float, float], generator: Generator) -> Tensor:
    """Numbers (count,) as likely to lie between 0.1 and 0.2 as between 0.2 and 0.4."""
    low, high = limits
    return torch.exp(uniform((count,), math.log(low), math.log(high), generator))


def _turn(angles: Tensor) -> Tensor:
    """Rotation matrices (B, 1, 2, 2)."""
    cos, sin = angles.cos(), angles.sin()
    return torch.stack([cos, -sin, sin, cos], -1).view(-1, 1, 2, 2)


def sample(
    pack: Pack, rows: Tensor, ids: Tensor, where: Trajectories, size: int, filled: bool = False
) -> Tensor:
    """Pictures in [0, 1] with the masks of some objects behind their colours.

    Args:
        pack: where the pictures are, and where all is computed.
        rows: (R,) of the pack.
        ids: (R, N) of the objects.
        where: K crops of every row.
        size: S, side of the crops, pixels.
        filled: whether what lies outside the picture has its mean colour; else it is black.

    Returns:
        (R, K, 3+N, S, S), no object outside the picture.
    """
    device = pack.images.device
    rows, ids = sent(rows, device), sent(ids, device)
    labels, images = pack.labels.index_select(0, rows), pack.images.index_select(0, rows)
    masks = (labels[:, None] == ids[..., None, None]).to(torch.uint8) * 255
    pixels = torch.cat([images.permute(0, 3, 1, 2), masks], 1).float()
    fill = pixels[:, :3].mean((2, 3), keepdim=True) if filled else None
    if fill is not None:
        pixels[:, :3] -= fill
    grid = where.grid(size, device)
    flat = grid.flatten(1, 2)  # the crops of a row stacked on top of each other
    sampled = F.grid_sample(pixels, flat, mode="bilinear", align_corners=False)
    if fill is not None:
        sampled[:, :3] += fill
    return sampled.unflatten(2, grid.shape[1:3]).transpose(1, 2) / 255
