"""Thin-plate splines: what they interpolate, reproduce and are known for."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from masktrail.data.thin_plate import Splines, basis, thin_plate


def positions(seed: int, count: int) -> Tensor:
    return (
        torch.rand((count, 2), generator=Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1
    )


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(5, 30))
def test_thin_plate_interpolates_its_control_points(seed: int, count: int) -> None:
    controls = positions(seed, count)
    values = positions(seed + 1, count)
    assert torch.allclose(thin_plate(controls, controls) @ values, values, atol=1e-5)


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_thin_plate_reproduces_affine_maps(seed: int) -> None:
    controls, anywhere = positions(seed, 12), positions(seed + 1, 50)
    matrix, offset = positions(seed + 2, 2), positions(seed + 3, 1)
    spline = thin_plate(controls, anywhere)
    assert torch.allclose(spline @ (controls @ matrix + offset), anywhere @ matrix + offset)


def test_thin_plate_of_one_bump_is_bookstein_s() -> None:
    """Four corners, one lifted: by symmetry the affine part is the mean, and the middle is it."""
    corners = torch.tensor([[-1, -1], [1, -1], [-1, 1], [1, 1]], dtype=torch.float64)
    middle = torch.zeros((1, 2), dtype=torch.float64)
    assert torch.allclose(thin_plate(corners, middle), torch.full((1, 4), 0.25).double())


def test_the_basis_is_given_at_the_centres_of_its_cells() -> None:
    matrix = basis(torch.device("cpu"), 4, 8).double()
    axis = torch.linspace(-1, 1, 4, dtype=torch.float64) * 0.9
    controls_x = axis.repeat(4)
    across = (matrix @ controls_x).view(8, 8)
    centres = (torch.arange(8) + 0.5) / 8 * 2 - 1
    assert torch.allclose(across, centres.double().expand(8, 8), atol=1e-6)


def test_a_batch_of_splines_is_each_of_them() -> None:
    controls = torch.stack([positions(seed, 6) for seed in (1, 2)])
    values = torch.stack([positions(seed, 6) for seed in (3, 4)])
    anywhere = torch.stack([positions(seed, 50) for seed in (5, 6)])
    at = Splines.through(controls, values).at(anywhere)
    for k in range(2):
        assert torch.allclose(at[k], thin_plate(controls[k], anywhere[k]) @ values[k])
