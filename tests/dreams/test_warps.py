"""Warps: what they do to positions, that they are undone, how objects are bent."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from masktrail.dreams.dreamer import DreamSettings
from masktrail.dreams.warps import (
    Warp,
    bent,
    boxes_of,
    everywhere,
    fetched,
    in_units,
    lattice,
    turns,
)

HEIGHT, WIDTH = 45, 80
UNIT = 2 / WIDTH


def disc(x: float, y: float, radius: float) -> Tensor:
    """Mask (HEIGHT, WIDTH)."""
    rows, columns = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def pixels() -> Tensor:
    """Every pixel's place (1, H * W, 2), in units."""
    y, x = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    return in_units(torch.stack([x, y], -1).float().view(1, -1, 2), HEIGHT, WIDTH, UNIT)


def test_positions_are_counted_from_the_middle() -> None:
    corners = torch.tensor([[-0.5, -0.5], [WIDTH - 0.5, HEIGHT - 0.5]])
    expected = torch.tensor([[-1, -HEIGHT / WIDTH], [1, HEIGHT / WIDTH]])
    assert torch.allclose(in_units(corners, HEIGHT, WIDTH, UNIT), expected)


def test_a_turn_is_one_whatever_the_picture_s_shape() -> None:
    quarter = Warp(turns(torch.tensor([math.pi / 2])), torch.zeros(1, 2))
    assert torch.allclose(
        quarter(torch.tensor([[[0.5, 0.0]]])), torch.tensor([[[0.0, 0.5]]]), atol=1e-6
    )


def furthest_off(seed: int, bend: float) -> float:
    """By how many pixels a random warp is not undone, at most."""
    generator = Generator().manual_seed(seed)
    mask = disc(40, 20, 15)[None]
    matrix = turns(torch.rand(1, generator=generator) - 0.5) * 1.1
    warp = Warp(
        matrix, torch.rand((1, 2), generator=generator) - 0.5, bent(mask, UNIT, bend, generator)
    )
    points = pixels()
    off = (warp.undone(warp(points)) - points).norm(dim=2) / UNIT
    near = warp(points).abs().amax(2) < 1  # a spline far from its points leads anywhere
    return float(off[near].max())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_what_is_warped_is_undone(seed: int) -> None:
    assert furthest_off(seed, DreamSettings().bend) < 0.01


@pytest.mark.parametrize("seed", [0, 158])
def test_what_is_bent_by_twice_the_usual_share_is_undone(seed: int) -> None:
    """158 takes the most steps of the first thousand; some of all fold, and have no undoing."""
    assert furthest_off(seed, 2 * DreamSettings().bend) < 0.01


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_contours_move_by_no_more_than_was_said(seed: int) -> None:
    mask = disc(40, 20, 15)[None]
    spline = bent(mask, UNIT, 0.05, Generator().manual_seed(seed))
    moved = spline.at(spline.controls).abs().max() / UNIT
    assert 0 < moved <= 0.05 * 31 + 1e-3
    points = (spline.controls / UNIT).flatten(0, 1)
    points += torch.tensor([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])
    assert ((points - torch.tensor([40.0, 20.0])).norm(dim=1) > 13).all(), "of the contour"
    apart = torch.cdist(points, points) + 99 * torch.eye(5)
    assert apart.min() > 5, "and far from each other"


@pytest.mark.parametrize(
    "mask",
    [
        torch.zeros(HEIGHT, WIDTH, dtype=torch.bool),
        disc(40, 20, 0),
        disc(40, 20, 3),
        torch.arange(WIDTH).expand(HEIGHT, WIDTH) == 7,
        torch.arange(WIDTH).expand(HEIGHT, WIDTH) == torch.arange(HEIGHT)[:, None],
    ],
    ids=["nothing", "a pixel", "a few", "a line", "a slanting line"],
)
def test_what_is_small_or_thin_stays_as_it_is(mask: Tensor) -> None:
    spline = bent(mask[None], UNIT, 0.05, Generator().manual_seed(0))
    assert not spline.at(pixels()).any() and spline.coefficients.isfinite().all()


def test_every_mask_is_bent_in_a_way_of_its_own() -> None:
    masks = torch.stack([disc(40, 20, 15), torch.zeros(HEIGHT, WIDTH).bool(), disc(40, 20, 15)])
    one, none, other = bent(masks, UNIT, 0.05, Generator().manual_seed(0)).at(
        pixels().expand(3, -1, -1)
    )
    assert one.any() and other.any() and not none.any() and not torch.equal(one, other)


def test_boxes_are_tight() -> None:
    masks = torch.zeros(3, HEIGHT, WIDTH, dtype=torch.bool)
    masks[0, 5:9, 10:30] = True
    masks[1] = True
    corners = torch.tensor([[[9.5, 4.5], [29.5, 8.5]], [[-0.5, -0.5], [WIDTH - 0.5, HEIGHT - 0.5]]])
    assert torch.allclose(
        boxes_of(masks, UNIT)[:2], in_units(corners, HEIGHT, WIDTH, UNIT).flatten(1)
    )
    x0, y0, x1, y1 = boxes_of(masks, UNIT)[2]
    assert x0 == x1 and y0 == y1


@pytest.mark.parametrize(("height", "width"), [(45, 80), (80, 45), (1, 7), (4, 4), (5, 1)])
def test_the_lattice_leads_to_every_pixel(height: int, width: int) -> None:
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    places = in_units(torch.stack([x, y], -1), height, width, UNIT)
    nodes = lattice(height, width, UNIT, torch.device("cpu"))
    assert torch.allclose(everywhere(nodes, height, width)[0], places, atol=1e-5)
    picture = torch.rand(1, 3, height, width, generator=Generator().manual_seed(0))
    assert torch.allclose(fetched(picture, places[None], UNIT), picture, atol=1e-4)
