"""Where things were in the frame before: affine motion and thin-plate bending that can be undone.

Positions are (x, y) from the middle of a frame, x to the right and y down, in units of which a
pixel has as many across as down, so that turns are turns whatever the frame's shape.
"""

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from masktrail.data.augment import uniform
from masktrail.data.thin_plate import Splines
from masktrail.devices import sent

CONTROLS = 5
"""Contour points that an object is bent by (Lucid Data Dreaming)."""

CANDIDATES = 24
"""Contour points of which those are chosen, far from each other, so that no two pull one pixel."""

THIN = 0.1
"""Contour points that lie closer to one line than this share of their extent bend nothing."""

SMALL = 8
"""Objects with a side of fewer pixels are not bent either."""

STEPS = 24
"""Of the fixed point that undoes a bend; each leaves a fifth of the error or less, and three
quarters of it where objects are bent by twice the usual share."""

CELL = 4
"""Warps are computed for every so many pixels, and interpolated between them."""


class Warp(NamedTuple):
    """From positions in a frame to where the same was in the frame before, B of them.

    What lies at x was at y + bend(y), where y = matrix x + shift.

    Attributes:
        matrix: (B, 2, 2).
        shift: (B, 2).
        bend: displacements; None for none.
    """

    matrix: Tensor
    shift: Tensor
    bend: Splines | None = None

    def repeated(self, count: int) -> "Warp":
        """Every one of them, none of which bends, so many times."""
        matrix, shift = (x.repeat_interleave(count, 0) for x in (self.matrix, self.shift))
        return Warp(matrix, shift)

    def on(self, device: torch.device) -> "Warp":
        """The same on a device."""
        bend = self.bend and Splines(*(sent(x, device) for x in self.bend))
        return Warp(sent(self.matrix, device), sent(self.shift, device), bend)

    def __call__(self, points: Tensor) -> Tensor:
        """Where positions (B, M, 2) were."""
        moved = points @ self.matrix.mT + self.shift[:, None]
        return moved if self.bend is None else moved + self.bend.at(moved)

    def undone(self, points: Tensor) -> Tensor:
        """Where what was at positions (B, M, 2) is now."""
        moved = points
        if self.bend is not None:
            for _ in range(STEPS):
                moved = points - self.bend.at(moved)
        return (moved - self.shift[:, None]) @ torch.linalg.inv(self.matrix).mT


def turns(angles: Tensor) -> Tensor:
    """Rotation matrices (B, 2, 2) of angles (B,)."""
    cos, sin = angles.cos(), angles.sin()
    return torch.stack([cos, -sin, sin, cos], -1).view(-1, 2, 2)


def bent(masks: Tensor, unit: float, amount: float, generator: Generator) -> Splines:
    """Displacements that bend objects by moving points of their contours.

    Source: Lucid Data Dreaming (Khoreva et al., IJCV 2019), section 4: five random points of the
    contour, moved by up to a share of the object's height and width. Here they are far from each
    other, and objects of a few pixels, or as thin as a line, stay as they are.

    Args:
        masks: bool (B, H, W).
        unit: width of a pixel.
        amount: that share.
        generator: source of randomness.

    Returns:
        Of B splines; zero where nothing is bent.
    """
    height, width = masks.shape[-2:]
    weights = _contours(masks).flatten(1).float()
    empty = weights.sum(1) == 0
    weights = sent(weights, generator.device) + 1e-12  # of what is empty any pixel
    chosen = torch.multinomial(weights, CANDIDATES, True, generator=generator)
    rows, columns = chosen // width, chosen % width
    points = _far_apart(in_units(torch.stack([columns, rows], -1), height, width, unit))
    boxes = boxes_of(masks, unit).cpu()
    extent = boxes[:, 2:] - boxes[:, :2]
    small = extent.amin(1) < SMALL * unit
    stiff = empty.cpu() | small | (_spread(points) < THIN * extent.amax(1))
    moves = uniform((len(masks), CONTROLS, 2), -amount, amount, generator) * extent[:, None]
    points = torch.where(stiff[:, None, None], _anywhere(), points)
    moves = moves * ~stiff[:, None, None]
    spline = Splines.through(points, moves)
    return Splines(*(sent(part, masks.device) for part in spline))


def in_units(pixels: Tensor, height: int, width: int, unit: float) -> Tensor:
    """Positions from pixels (..., 2) of a frame, counted from the middle of the first one."""
    middle = torch.tensor([(width - 1) / 2, (height - 1) / 2], device=pixels.device)
    return (pixels - middle) * unit


def lattice(height: int, width: int, unit: float, device: torch.device) -> Tensor:
    """Positions (1, M, 2) of the nodes that warps of a frame are computed for."""
    rows, columns = (
        torch.linspace(0, side - 1, count, device=device)
        for side, count in zip((height, width), _nodes(height, width), strict=True)
    )
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return in_units(torch.stack([x, y], -1).view(1, -1, 2), height, width, unit)


def everywhere(nodes: Tensor, height: int, width: int) -> Tensor:
    """What is so at the nodes (B, M, 2) of a lattice, for every pixel (B, H, W, 2)."""
    coarse = nodes.mT.unflatten(2, _nodes(height, width))
    fine = F.interpolate(coarse, (height, width), mode="bilinear", align_corners=True)
    return fine.permute(0, 2, 3, 1)


def fetched(layers: Tensor, positions: Tensor, unit: float, beyond: str = "zeros") -> Tensor:
    """Pictures (B, C, H, W) as seen at positions (B, H', W', 2) from their middle."""
    height, width = layers.shape[-2:]
    ends = torch.tensor([width, height], device=positions.device) * unit / 2
    return F.grid_sample(layers, positions / ends, "bilinear", beyond, align_corners=False)


def boxes_of(masks: Tensor, unit: float) -> Tensor:
    """Tight boxes x0, y0, x1, y1 of masks (B, H, W), in units (B, 4); of none a point."""
    height, width = masks.shape[-2:]
    ends = []
    for axis, side in ((1, width), (2, height)):
        seen = masks.any(axis)
        first = seen.int().argmax(1)
        last = side - seen.flip(1).int().argmax(1)
        ends.append(torch.where(seen.any(1), torch.stack([first, last]), side // 2))
    corners = torch.stack([ends[0][0], ends[1][0], ends[0][1], ends[1][1]], 1).float() - 0.5
    return in_units(corners.view(-1, 2, 2), height, width, unit).flatten(1)


def _nodes(height: int, width: int) -> tuple[int, int]:
    """How many there are down and across."""
    return math.ceil((height - 1) / CELL) + 1, math.ceil((width - 1) / CELL) + 1


def _contours(masks: Tensor) -> Tensor:
    """Pixels of masks (B, H, W) with one beside them, or the picture's end, that is none."""
    outside = F.pad(1 - masks[:, None].float(), (1, 1, 1, 1), value=1.0)
    return masks & (F.max_pool2d(outside, 3, 1)[:, 0] > 0)


def _far_apart(points: Tensor) -> Tensor:
    """`CONTROLS` of points (B, M, 2): the first, then always that farthest from those chosen."""
    rows = torch.arange(len(points))
    chosen = [points[:, 0]]
    nearest = torch.full(points.shape[:2], math.inf)
    for _ in range(CONTROLS - 1):
        nearest = torch.minimum(nearest, (points - chosen[-1][:, None]).square().sum(2))
        chosen.append(points[rows, nearest.argmax(1)])
    return torch.stack(chosen, 1)


def _spread(points: Tensor) -> Tensor:
    """How far points (B, K, 2) lie from the line that is nearest to all, root mean square (B,)."""
    centred = points - points.mean(1, keepdim=True)
    return torch.linalg.svdvals(centred)[:, -1] / math.sqrt(points.shape[1])


def _anywhere() -> Tensor:
    """Control points (CONTROLS, 2) that any spline can go through."""
    return torch.tensor([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
