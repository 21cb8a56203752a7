"""Random geometry and colour for whole batches of clips, on whatever device the clips are.

Parameters are drawn on the CPU from an explicit generator and are tiny; pixels stay where they are.
Positions are in output units: the crop is [-1, 1] x [-1, 1], x to the right, y down.
"""

import math
from functools import lru_cache

import torch
from torch import Generator, Tensor
from torch.nn import functional as F


def uniform(shape: tuple[int, ...], low: float, high: float, generator: Generator) -> Tensor:
    """Random numbers of `shape` between `low` and `high`."""
    return torch.rand(shape, generator=generator) * (high - low) + low


def motion(
    batch: int, frames: int, generator: Generator, rotation: float, zoom: float, shift: float
) -> Tensor:
    """Compounding affine motion, the first frame at rest.

    Args:
        batch: B.
        frames: T.
        generator: source of randomness.
        rotation: at most this many radians a step.
        zoom: at most this share of the size a step.
        shift: at most this far a step, as a share of the crop.

    Returns:
        (B, T, 2, 3) matrices from output positions to positions in the first frame.
    """
    angle = uniform((batch, frames), -rotation, rotation, generator)
    scale = (1 + uniform((batch, frames, 1), -zoom, zoom, generator)).clamp_min(0.5)
    stretch = 1 + uniform((batch, frames, 2), -zoom / 2, zoom / 2, generator)
    steps = torch.eye(3).repeat(batch, frames, 1, 1)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1)
    steps[..., :2, :2] = turn.view(batch, frames, 2, 2) * (scale * stretch)[..., None, :]
    steps[..., :2, 2] = uniform((batch, frames, 2), -2 * shift, 2 * shift, generator)
    steps[:, 0] = torch.eye(3)
    total = [steps[:, 0]]
    for t in range(1, frames):
        total.append(total[-1] @ steps[:, t])
    return torch.stack(total, 1)[..., :2, :]


@lru_cache(maxsize=4)
def thin_plate_basis(points: int = 4, size: int = 24) -> Tensor:
    """Displacements of the cells of a grid from those of a coarser lattice of control points.

    Args:
        points: control points a side.
        size: cells a side.

    Returns:
        (size*size, points*points), see `thin_plate`.
    """
    centres = _lattice(size) * (1 - 1 / size)
    return thin_plate(_lattice(points) * 0.9, centres).float()


def thin_plate(controls: Tensor, anywhere: Tensor) -> Tensor:
    """Matrix from values at control points to values of their thin-plate spline anywhere.

    Source: Bookstein, "Principal warps", 1989. The spline is linear in the values at its control
    points, so for fixed positions it is one matrix.

    Args:
        controls: positions (K, 2), float64, not all on a line.
        anywhere: positions (M, 2), float64.

    Returns:
        (M, K), float64.
    """
    count = len(controls)
    system = torch.zeros(count + 3, count + 3, dtype=torch.float64)
    system[:count, :count] = _bending(controls, controls)
    system[:count, count:] = _homogeneous(controls)
    system[count:, :count] = _homogeneous(controls).T
    inverse = torch.linalg.inv(system)[:, :count]
    return torch.cat([_bending(anywhere, controls), _homogeneous(anywhere)], 1) @ inverse


def warp(batch: int, frames: int, size: int, generator: Generator, amount: float) -> Tensor:
    """Smooth non-rigid displacement that grows from frame to frame, the first frame at rest.

    Args:
        batch: B.
        frames: T.
        size: of the output crop, pixels.
        generator: source of randomness.
        amount: standard deviation of a control point's displacement a step.

    Returns:
        (B, T, size, size, 2) displacements in output units.
    """
    basis = thin_plate_basis()
    steps = torch.randn((batch, frames, basis.shape[1], 2), generator=generator) * amount
    steps[:, 0] = 0
    side = math.isqrt(basis.shape[0])
    field = (basis @ steps.cumsum(1)).view(batch * frames, side, side, 2)
    dense = F.interpolate(field.permute(0, 3, 1, 2), (size, size), mode="bilinear")
    return dense.permute(0, 2, 3, 1).view(batch, frames, size, size, 2)


def corrupt(masks: Tensor, generator: Generator) -> Tensor:
    """Masks as a tracker might hand them on: moved, bent, and grown or shrunk a little.

    Source: Lucid Data Dreaming (Khoreva et al., IJCV 2019), section 3.2: the mask of the frame
    before is deformed by a thin-plate spline of up to 5 % and its edge is moved.

    Args:
        masks: (B, S, S) in [0, 1].
        generator: source of randomness.

    Returns:
        Same shape, soft at the edges.
    """
    b, size = masks.shape[0], masks.shape[-1]
    moves = motion(b, 2, generator, 0.05, 0.06, 0.03)[:, 1]
    grid = F.affine_grid(moves, [b, 1, size, size], align_corners=False)
    grid = grid + warp(b, 2, size, generator, 0.03)[:, 1]
    bent = F.grid_sample(masks[:, None], grid.to(masks.device), align_corners=False)
    reach = 1 + 2 * int(torch.randint(0, max(2, size // 48), (), generator=generator))
    grown = F.max_pool2d(bent, reach, 1, reach // 2)
    shrunk = -F.max_pool2d(-bent, reach, 1, reach // 2)
    grows = torch.rand((b, 1, 1, 1), generator=generator).to(masks.device) < 0.5
    return torch.where(grows, grown, shrunk)[:, 0]


def jitter_colour(images: Tensor, generator: Generator, amount: float = 0.25) -> Tensor:
    """Brightness, contrast and saturation, much the same over a clip; some clips in grey.

    Args:
        images: (B, T, 3, H, W) in [0, 1].
        generator: source of randomness.
        amount: at most this share over a clip, a fifth of it from frame to frame.

    Returns:
        Same shape, in [0, 1].
    """
    b, t = images.shape[:2]
    factors = 1 + uniform((b, 1, 3), -amount, amount, generator)
    factors = factors + uniform((b, t, 3), -amount / 5, amount / 5, generator)
    grey_clip = torch.rand((b, 1), generator=generator) < 0.05
    factors[..., 2].masked_fill_(grey_clip, 0)
    factors = factors.to(images.device)
    brightness, contrast, saturation = factors[..., None, None, None].unbind(2)
    grey = images.mean(2, keepdim=True)
    images = grey + (images - grey) * saturation
    mean = grey.mean((3, 4), keepdim=True)
    return ((mean + (images - mean) * contrast) * brightness).clamp(0, 1)


def _lattice(side: int) -> Tensor:
    """Positions (side*side, 2) of a square lattice from -1 to 1, row by row, float64."""
    axis = torch.linspace(-1, 1, side, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x, y], -1).view(-1, 2)


def _homogeneous(points: Tensor) -> Tensor:
    """(M, 2) positions as (M, 3) rows 1, x, y."""
    return torch.cat([torch.ones_like(points[:, :1]), points], 1)


def _bending(a: Tensor, b: Tensor) -> Tensor:
    """r^2 log r^2 between positions (M, 2) and (K, 2), the spline's kernel, (M, K)."""
    squared = torch.cdist(a, b).square()
    return torch.where(squared > 0, squared * squared.clamp_min(1e-12).log(), 0.0)
