"""What clicks say holds whatever made the mask."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from masktrail.prompts.clicks import changed_at_clicks, enforce_clicks, extent
from masktrail.prompts.kinds import Box, Points


def square(x: int, y: int, side: int) -> np.ndarray:
    mask = np.zeros((48, 64), bool)
    mask[y : y + side, x : x + side] = True
    return mask


def test_a_positive_click_beside_the_mask_adds_a_spot():
    mask = square(4, 4, 10)
    held = enforce_clicks(mask, Points([(40.5, 30.5)], [True]))
    assert held[30, 40] and held[mask].all() and 20 < (held ^ mask).sum() < 40


def test_a_negative_click_removes_the_piece_it_is_in():
    held = enforce_clicks(square(4, 4, 10) | square(30, 20, 12), Points([(33, 25)], [False]))
    np.testing.assert_array_equal(held, square(4, 4, 10))


def test_a_negative_click_in_the_piece_of_a_positive_one_takes_a_spot():
    held = enforce_clicks(square(10, 4, 30), Points([(15, 10), (33, 25)], [True, False]))
    assert held[10, 15] and not held[25, 33] and held.sum() > 30 * 30 - 40


def test_a_mask_is_changed_where_it_was_clicked_on_alone():
    before, added, taken = square(4, 4, 12), square(16, 4, 6), square(4, 12, 4)
    after = (before | added | square(40, 30, 8)) & ~taken & ~square(12, 4, 3)
    one = changed_at_clicks(before, after, Points([(18, 6), (30, 40)], [True, False]))
    np.testing.assert_array_equal(one, before | added)
    other = changed_at_clicks(before, after, Points([(5, 13), (10, 10)], [False, True]))
    np.testing.assert_array_equal(other, before & ~taken)


def test_a_change_that_another_click_contradicts_is_not_taken():
    before, added = square(4, 4, 12), square(16, 4, 12)
    both = Points([(18, 6), (26, 6)], [True, False])
    np.testing.assert_array_equal(changed_at_clicks(before, before | added, both), before)
    both = Points([(18, 6), (26, 6)], [False, True])
    np.testing.assert_array_equal(changed_at_clicks(before | added, before, both), before | added)


def test_clicks_that_agree_change_nothing():
    mask = square(10, 4, 30)
    np.testing.assert_array_equal(
        enforce_clicks(mask, Points([(15, 10), (60, 40)], [True, False])), mask
    )


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 63), st.integers(0, 47)), st.booleans(), min_size=1, max_size=8
    ),
    st.integers(0, 5),
)
def test_every_click_holds(clicks, seed):
    mask = np.random.default_rng(seed).random((48, 64)) < 0.3
    before = mask.copy()
    held = enforce_clicks(mask, Points(list(clicks), list(clicks.values())))
    assert all(held[y, x] == label for (x, y), label in clicks.items())
    np.testing.assert_array_equal(mask, before)


def test_the_extent_of_clicks_a_box_and_a_mask():
    clicks = Points([(40.5, 3.9), (2, 8)], [True, False])
    assert extent(clicks) == Box(2, 3, 41, 9)
    assert extent(clicks, square(10, 20, 5)) == Box(2, 3, 41, 25)
    assert extent(Points((), (), Box(1.5, 2.5, 3.5, 4))) == Box(1, 2, 4, 4)
    assert extent(clicks, square(0, 0, 0)) == Box(2, 3, 41, 9)
