"""Simulated clicks: in the middle of what is meant, or of what is wrong."""

import numpy as np
import pytest

from masktrail.data.clicks import corrective_click, first_click


def square(y: int, x: int, side: int, size: int = 64) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    mask[y : y + side, x : x + side] = True
    return mask


def test_the_first_click_is_in_the_middle():
    assert first_click(square(10, 20, 9)) == (24.5, 14.5, True)


def test_of_two_pieces_the_deeper_is_clicked():
    assert first_click(square(2, 2, 5) | square(30, 40, 15))[:2] == (47.5, 37.5)


def test_the_middle_lies_in_the_object_even_where_its_centre_does_not():
    ring = square(10, 10, 41) & ~square(20, 20, 21)
    x, y, _ = first_click(ring)
    assert ring[int(y), int(x)]


def test_the_edge_of_the_picture_is_an_edge():
    x, y, _ = first_click(np.ones((21, 31), bool))
    assert (x, y) == (15.5, 10.5)


@pytest.mark.parametrize("seed", range(10))
def test_random_clicks_stay_off_the_border(seed):
    mask = square(10, 20, 20)
    x, y, label = first_click(mask, np.random.default_rng(seed))
    assert label and 15 <= y < 25 and 25 <= x < 35


def test_a_missing_part_is_clicked_positively_a_surplus_negatively():
    truth = square(10, 10, 31)
    missing, surplus = square(15, 15, 11), square(45, 45, 11)
    assert corrective_click(truth & ~missing, truth) == (20.5, 20.5, True)
    assert corrective_click(truth | surplus, truth) == (50.5, 50.5, False)
    larger = square(45, 42, 15)
    assert corrective_click((truth & ~missing) | larger, truth).label is False
    assert corrective_click((truth & ~square(12, 12, 25)) | larger, truth).label is True


def test_a_right_mask_needs_no_click():
    truth = square(10, 10, 31)
    assert corrective_click(truth, truth) is None
    assert corrective_click(truth & False, truth & False) is None


def test_one_wrong_pixel_is_found():
    truth = square(10, 10, 31)
    found = truth.copy()
    found[60, 3] = True
    assert corrective_click(found, truth) == (3.5, 60.5, False)
    assert corrective_click(found, truth, np.random.default_rng(0)) == (3.5, 60.5, False)
