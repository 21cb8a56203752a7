"""Inpainting: what it keeps, what it continues, and pictures too small or too empty for patches."""

import pytest
import torch
from torch import Generator, Tensor

from masktrail.dreams.inpainting import _smooth, inpainted


def filled(image: Tensor, hole: Tensor, seed: int = 0) -> Tensor:
    return inpainted(image, hole, Generator().manual_seed(seed))


def noise(height: int, width: int) -> Tensor:
    return torch.rand((3, height, width), generator=Generator().manual_seed(7))


def box(height: int, width: int, top: int, left: int, bottom: int, right: int) -> Tensor:
    hole = torch.zeros(height, width, dtype=torch.bool)
    hole[top:bottom, left:right] = True
    return hole


def stripes(size: int) -> Tensor:
    """Slanted stripes, 6 pixels apart across."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    wave = 0.5 + 0.4 * torch.sin((x + 0.5 * y) * (2 * torch.pi / 6))
    return torch.stack([wave, wave / 2, 1 - wave])


def error(one: Tensor, other: Tensor, hole: Tensor) -> float:
    """Mean absolute difference inside a hole."""
    return float((one - other).abs()[:, hole].mean())


HOLES = {
    "middle": box(64, 80, 20, 30, 44, 55),
    "corner": box(64, 80, 0, 0, 25, 25),
    "left to right": box(64, 80, 25, 0, 40, 80),
    "last rows": box(64, 80, 50, 0, 64, 80),
    "one pixel": box(64, 80, 63, 79, 64, 80),
    "a line": box(64, 80, 10, 3, 11, 77),
    "nearly all": ~box(64, 80, 30, 30, 33, 33),
    "all but a patch": ~box(64, 80, 0, 0, 7, 7),
    "dots": torch.arange(64 * 80).view(64, 80) % 4 == 0,
}


@pytest.mark.parametrize("name", HOLES)
def test_the_picture_stays_outside_and_is_filled_in_range(name: str) -> None:
    image, hole = noise(64, 80), HOLES[name]
    before = image.clone()
    result = filled(image, hole)
    assert torch.equal(image, before)
    assert torch.equal(result[:, ~hole], image[:, ~hole])
    assert result.shape == image.shape and result.dtype == image.dtype
    assert result.min() >= 0 and result.max() <= 1


@pytest.mark.parametrize("name", ["middle", "corner", "dots", "nearly all"])
def test_what_is_under_the_hole_has_no_influence(name: str) -> None:
    image, hole = noise(64, 80), HOLES[name]
    other = image.masked_fill(hole, torch.nan)
    assert torch.equal(filled(image, hole), filled(other, hole))


def test_the_seed_decides() -> None:
    image, hole = noise(64, 80), HOLES["middle"]
    assert torch.equal(filled(image, hole), filled(image, hole))
    assert not torch.equal(filled(image, hole), filled(image, hole, seed=1))


@pytest.mark.parametrize("corner", [(36, 36), (0, 0), (64, 30)])
def test_stripes_are_continued(corner: tuple[int, int]) -> None:
    (top, left), image = corner, stripes(96)
    hole = box(96, 96, top, left, top + 32, left + 32)
    result = filled(image, hole)
    smooth = _smooth(image.masked_fill(hole, 0), hole)
    assert error(result, image, hole) < 0.05 * error(smooth, image, hole)


def test_a_straight_edge_is_continued() -> None:
    image = torch.full((3, 96, 96), 0.2)
    image[:, :, 50:] = 0.8
    hole = box(96, 96, 35, 38, 61, 64)
    assert error(filled(image, hole), image, hole) < 1e-3


@pytest.mark.parametrize("name", HOLES)
def test_a_constant_picture_stays_constant(name: str) -> None:
    image = torch.tensor([0.1, 0.5, 1.0])[:, None, None].expand(3, 64, 80)
    assert torch.allclose(filled(image, HOLES[name]), image, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (64, 80)])
def test_no_hole_and_nothing_but_hole(size: tuple[int, int]) -> None:
    image, hole = noise(*size), torch.zeros(size, dtype=torch.bool)
    assert torch.equal(filled(image, hole), image)
    assert torch.equal(filled(image, ~hole), torch.full_like(image, 0.5))


@pytest.mark.parametrize("size", [(1, 2), (5, 3), (1, 40), (6, 90), (7, 7), (7, 60), (47, 49)])
def test_tiny_and_narrow_pictures(size: tuple[int, int]) -> None:
    image, hole = noise(*size), torch.zeros(size, dtype=torch.bool)
    hole[0, -1] = True
    result = filled(image, hole)
    assert torch.equal(result[:, ~hole], image[:, ~hole])
    assert result.isfinite().all()


def test_where_no_patch_is_left_the_filling_is_smooth() -> None:
    image, hole = noise(5, 3), box(5, 3, 1, 1, 3, 3)
    assert torch.equal(filled(image, hole), _smooth(image, hole))
