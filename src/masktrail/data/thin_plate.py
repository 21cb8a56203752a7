"""Thin-plate splines, which bend a plane as little as the values at their control points allow.

Source: Bookstein, "Principal warps", 1989. A spline is linear in those values, so for fixed
positions it is one matrix.
"""

from functools import lru_cache
from typing import NamedTuple, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from masktrail.devices import sent

CONTROLS = 4
"""Control points a side of the lattice that pictures are bent by."""

CELLS = 24
"""Cells a side of the grid that their displacements are computed for, and interpolated between."""


def bend(displacements: Tensor, size: int) -> Tensor:
    """A picture's pixels displaced as its control points are, where the displacements lie.

    Args:
        displacements: (M, CONTROLS * CONTROLS, 2).
        size: S, of the picture.

    Returns:
        (M, S, S, 2).
    """
    cells = displacements.transpose(1, 2) @ basis(displacements.device).T  # (M, 2, CELLS * CELLS)
    coarse = cells.unflatten(2, (CELLS, CELLS))
    return F.interpolate(coarse, (size, size), mode="bilinear").permute(0, 2, 3, 1)


@lru_cache(maxsize=8)
def basis(device: torch.device, controls: int = CONTROLS, cells: int = CELLS) -> Tensor:
    """Displacements of the cells of a grid from those of a coarser lattice of control points.

    Args:
        device: where it is computed and stays.
        controls: control points a side.
        cells: a side.

    Returns:
        (cells * cells, controls * controls), see `thin_plate`.
    """
    points = 0.9 * _lattice(controls)
    centres = (1 - 1 / cells) * sent(torch.linspace(-1, 1, cells), device)
    return thin_plate(points, _square(centres))


def thin_plate(controls: Tensor, anywhere: Tensor) -> Tensor:
    """Matrix from values at control points to values of their spline anywhere.

    Args:
        controls: positions (K, 2), float64, on the CPU, not all on a line.
        anywhere: positions (M, 2), on any device.

    Returns:
        (M, K), of the type of `anywhere` and where that is.
    """
    solved, controls = (
        sent(x.to(anywhere.dtype), anywhere.device) for x in (_solved(controls), controls)
    )
    return _terms(anywhere, controls) @ solved


class Splines(NamedTuple):
    """A batch of splines, each of control points of its own.

    Attributes:
        controls: positions (B, K, 2).
        coefficients: (B, K+3, C).
    """

    controls: Tensor
    coefficients: Tensor

    @classmethod
    def through(cls, controls: Tensor, values: Tensor) -> Self:
        """Those that have values (B, K, C) at control points (B, K, 2), not all on a line."""
        solved = _solved(controls.double()) @ values.double()
        return cls(controls, solved.to(controls.dtype))

    def at(self, anywhere: Tensor) -> Tensor:
        """Their values (B, M, C) at positions (B, M, 2)."""
        return _terms(anywhere, self.controls) @ self.coefficients


def _terms(anywhere: Tensor, controls: Tensor) -> Tensor:
    """What coefficients weigh at positions (..., M, 2): (..., M, K+3)."""
    return torch.cat([_bending(anywhere, controls), _homogeneous(anywhere)], -1)


def _solved(controls: Tensor) -> Tensor:
    """Matrices (..., K+3, K) from values at control points (..., K, 2) to the coefficients of
    their spline."""
    count = controls.shape[-2]
    system = controls.new_zeros((*controls.shape[:-2], count + 3, count + 3))
    system[..., :count, :count] = _bending(controls, controls)
    system[..., :count, count:] = _homogeneous(controls)
    system[..., count:, :count] = _homogeneous(controls).mT
    return torch.linalg.inv(system)[..., :count]


def _lattice(side: int) -> Tensor:
    """Positions (side * side, 2) of a square lattice from -1 to 1, row by row, float64."""
    return _square(torch.linspace(-1, 1, side, dtype=torch.float64))


def _square(axis: Tensor) -> Tensor:
    """All positions (L * L, 2) with coordinates of `axis` (L,), row by row."""
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x, y], -1).view(-1, 2)


def _homogeneous(points: Tensor) -> Tensor:
    """(..., M, 2) positions as (..., M, 3) rows 1, x, y."""
    return torch.cat([torch.ones_like(points[..., :1]), points], -1)


def _bending(a: Tensor, b: Tensor) -> Tensor:
    """The kernel r^2 log r^2 between positions (..., M, 2) and (..., K, 2), (..., M, K)."""
    squared = (a[..., :, None, :] - b[..., None, :, :]).square().sum(-1)
    return torch.where(squared > 0, squared * squared.clamp_min(1e-12).log(), 0.0)
