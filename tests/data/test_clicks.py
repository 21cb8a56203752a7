"""Simulated clicks: in the middle of what is meant, or of what is wrong."""

import numpy as np
import pytest
import torch
from torch import Tensor

from masktrail.data import clicks
from masktrail.data.clicks import corrective_clicks, depth, first_clicks, inner_places, places


def square(y: int, x: int, side: int, size: int = 64) -> Tensor:
    mask = torch.zeros((1, size, size), dtype=torch.bool)
    mask[:, y : y + side, x : x + side] = True
    return mask


def chances(count: int, seed: int = 0) -> Tensor:
    return torch.rand(count, generator=torch.Generator().manual_seed(seed))


def first(mask: Tensor) -> tuple[float, float, bool]:
    """x, y and label of the click on one mask."""
    at, label, there = first_clicks(mask)
    assert there.all()
    return (*at[0].tolist(), bool(label))


def corrective(found: Tensor, truth: Tensor) -> tuple[float, float, bool] | None:
    """The same of the correction of one mask, None where there is none."""
    at, label, there = corrective_clicks(found, truth)
    return (*at[0].tolist(), bool(label)) if there else None


def test_the_first_click_is_in_the_middle() -> None:
    assert first(square(10, 20, 9)) == (24.5, 14.5, True)


def test_of_two_pieces_the_deeper_is_clicked() -> None:
    assert first(square(2, 2, 5) | square(30, 40, 15))[:2] == (47.5, 37.5)


def test_the_middle_lies_in_the_object_even_where_its_centre_does_not() -> None:
    ring = square(10, 10, 41) & ~square(20, 20, 21)
    x, y, _ = first(ring)
    assert ring[0, int(y), int(x)]


def test_the_edge_of_the_picture_is_an_edge() -> None:
    assert first(torch.ones((1, 21, 31), dtype=torch.bool))[:2] == (15.5, 10.5)


def test_what_is_empty_is_not_clicked() -> None:
    masks = torch.cat([square(10, 20, 9), square(0, 0, 0)])
    assert first_clicks(masks).there.tolist() == [True, False]


def test_random_places_stay_off_the_border_and_reach_all_of_the_inside() -> None:
    at = inner_places(depth(square(10, 20, 20)), chances(500)[None])[0]
    assert at.shape == (500, 2)
    for i, start in enumerate((20, 10)):
        assert at[:, i].min() == start + 5.5 and at[:, i].max() == start + 14.5
        assert abs(float(at[:, i].mean()) - start - 10) < 0.5


def test_places_are_drawn_from_those_allowed_all_of_them_alike() -> None:
    allowed = torch.zeros((2, 3, 4), dtype=torch.bool)
    allowed[0, [0, 1, 2], [3, 0, 3]] = True
    at = places(allowed, torch.tensor([[0.0, 0.3, 0.34, 0.66, 0.67, 0.999]] * 2))
    expected = [[3.5, 0.5]] * 2 + [[0.5, 1.5]] * 2 + [[3.5, 2.5]] * 2
    assert at[0].tolist() == expected
    assert (at[1] < 4).all(), "of a picture where none is allowed, some pixel"


def test_a_missing_part_is_clicked_positively_a_surplus_negatively() -> None:
    truth = square(10, 10, 31)
    missing, surplus = square(15, 15, 11), square(45, 45, 11)
    assert corrective(truth & ~missing, truth) == (20.5, 20.5, True)
    assert corrective(truth | surplus, truth) == (50.5, 50.5, False)
    larger = square(45, 42, 15)
    less, much_less = truth & ~missing, truth & ~square(12, 12, 25)
    found, both = torch.cat([less | larger, much_less | larger]), torch.cat([truth, truth])
    assert corrective_clicks(found, both).label.tolist() == [False, True]


def test_random_corrections_lie_in_the_inner_half_of_what_is_wrong() -> None:
    truth = square(10, 10, 31).expand(50, -1, -1)
    at, label, there = corrective_clicks(truth & ~square(15, 15, 12), truth, chances(50))
    assert label.all() and there.all()
    assert at.min() >= 18.5 and at.max() <= 23.5 and len(at.unique(dim=0)) > 10


def test_a_right_mask_needs_no_click() -> None:
    truth = square(10, 10, 31)
    assert corrective(truth, truth) is None
    assert corrective(square(0, 0, 0), square(0, 0, 0)) is None


def test_one_wrong_pixel_is_found() -> None:
    truth = square(10, 10, 31)
    found = truth.clone()
    found[:, 60, 3] = True
    assert corrective(found, truth) == (3.5, 60.5, False)
    assert corrective_clicks(found, truth, chances(1)).at.tolist() == [[3.5, 60.5]]


@pytest.mark.parametrize("size", [(40, 64), (33, 21)])
def test_depths_are_the_same_on_every_device(size: tuple[int, int]) -> None:
    """Those of a GPU, by erosion, and those of the CPU, by a distance transform."""
    regions = torch.from_numpy(np.random.default_rng(0).random((5, *size)) > 0.02)
    regions[3], regions[4] = True, False
    assert torch.equal(depth(regions), clicks._eroded_away(regions))
    assert depth(regions)[3].max() == (min(size) + 1) // 2 and not depth(regions)[4].any()
