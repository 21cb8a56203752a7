"""Masks taken along: they follow what moved, as far as the neighbourhood reaches."""

import pytest
import torch
from torch import Tensor

from masktrail.families.memory.near import REACH, Transport


def keys(height: int = 12, width: int = 16, channels: int = 8) -> Tensor:
    """Keys (1, C, H, W) none of which is like another."""
    return torch.randn((1, channels, height, width), generator=torch.Generator().manual_seed(0))


def values(height: int = 12, width: int = 16) -> Tensor:
    return torch.rand((1, 3, height, width), generator=torch.Generator().manual_seed(1))


@pytest.fixture
def transport() -> Transport:
    return Transport(scale=10.0, locality=1e-4)


@pytest.mark.parametrize(("dy", "dx"), [(0, 0), (REACH, 0), (0, -REACH), (-2, 3)])
def test_values_go_where_their_pixels_went(transport: Transport, dy: int, dx: int) -> None:
    moved = keys().roll((dy, dx), (2, 3))
    found, _ = transport(keys(), moved, values())
    inner = (..., slice(REACH, -REACH), slice(REACH, -REACH))
    assert torch.allclose(found[inner], values().roll((dy, dx), (2, 3))[inner], atol=1e-3)


def test_what_went_farther_is_not_found_and_said_to_be_unknown(transport: Transport) -> None:
    moved = keys().roll(REACH + 1, 3)
    found, known = transport(keys(), moved, values())
    _, still = transport(keys(), keys(), values())
    inner = (..., slice(None), slice(REACH + 1, None))
    assert not torch.allclose(found[inner], values().roll(REACH + 1, 3)[inner], atol=0.1)
    assert known[inner].mean() < still[inner].mean() - 10


def test_how_well_a_pixel_was_found_is_the_sum_of_its_similarities(transport: Transport) -> None:
    """Compared with the sum taken over one pixel's neighbours, one after the other."""
    before, now = keys(), keys().roll(1, 3) + 0.3
    _, known = transport(before, now, values())
    y, x = 1, 6  # near the upper edge, so that some neighbours are missing
    terms = [
        -10.0 * (now[0, :, y, x] - before[0, :, r, c]).square().sum()
        - 1e-4 * ((r - y) ** 2 + (c - x) ** 2)
        for r in range(0, y + REACH + 1)
        for c in range(x - REACH, x + REACH + 1)
    ]
    assert torch.allclose(known[0, 0, y, x], torch.stack(terms).logsumexp(0), atol=1e-3)


@pytest.mark.parametrize("width", [1, 15, 16, 17, 37])
def test_it_is_the_definition_whatever_the_width(transport: Transport, width: int) -> None:
    """Of two pictures: pixel by pixel, over the neighbours that there are."""
    generator = torch.Generator().manual_seed(2)
    before, now = torch.randn((2, 2, 8, 6, width), generator=generator)
    masks = torch.rand((2, 3, 6, width), generator=generator)
    found, known = transport(before, now, masks)
    assert found.shape == masks.shape and known.shape == (2, 1, 6, width)
    places = torch.cartesian_prod(torch.arange(6), torch.arange(width))
    steps = places[:, None] - places  # (P, P, 2)
    keys, queries = before.flatten(2), now.flatten(2)
    squares = (queries[..., None] - keys[:, :, None]).square().sum(1)  # (B, P, P)
    similarity = -10.0 * squares - 1e-4 * steps.square().sum(-1)
    similarity = similarity.masked_fill(steps.abs().amax(-1) > REACH, -torch.inf)
    expected = (similarity.softmax(2) @ masks.flatten(2).transpose(1, 2)).transpose(1, 2)
    torch.testing.assert_close(found.flatten(2), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(known.flatten(1), similarity.logsumexp(2), atol=1e-3, rtol=1e-4)


def test_alike_pixels_share_their_values_with_the_nearest_first() -> None:
    """All keys equal: locality alone decides, and values are averages of their surroundings."""
    flat = torch.ones(1, 4, 12, 16)
    step = torch.zeros(1, 1, 12, 16)
    step[..., 8:] = 1
    found, _ = Transport(scale=1.0, locality=0.1)(flat, flat, step)
    row = found[0, 0, 6]
    assert (row.diff() > -1e-6).all()
    assert row[0] < 1e-6 and row[-1] > 1 - 1e-6 and 0.2 < row[7] < 0.5 < row[8] < 0.8


def test_pictures_smaller_than_the_neighbourhood_are_fine(transport: Transport) -> None:
    small = keys(2, 3)
    found, known = transport(small, small, values(2, 3))
    assert torch.allclose(found, values(2, 3), atol=1e-3)
    assert known.isfinite().all()
