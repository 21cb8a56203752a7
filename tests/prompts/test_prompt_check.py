"""Prompts against the frame they are for."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from masktrail.errors import InputError
from masktrail.prompts.check import check_prompt
from masktrail.prompts.kinds import Box, Mask, Points

HEIGHT, WIDTH = 48, 64


def full(height: int = HEIGHT, width: int = WIDTH, dtype: type = bool) -> Mask:
    return Mask(np.ones((height, width), dtype))


@pytest.mark.parametrize(
    ("object_id", "prompt", "told"),
    [
        (0, full(), "ids go from 1 to 65535, not 0"),
        (-3, full(), "not -3"),
        (65536, full(), "not 65536"),
        (1, full(WIDTH, HEIGHT), "object 1 is 48 x 64 pixels, the frame 64 x 48"),
        (1, Mask(np.ones((HEIGHT, WIDTH, 3), bool)), "3 x 64 x 48 pixels"),
        (5, Mask(np.zeros((HEIGHT, WIDTH), bool)), "object 5 is empty"),
        (2, Box(10, 10, 10, 20), r"box \(10, 10, 10, 20\) of object 2 has no area"),
        (2, Box(30, 10, 20, 20), "give x0, y0, x1, y1 with x1 > x0 and y1 > y0, as 16, 12, 48, 36"),
        (2, Box(math.nan, 1, 2, 3), "has no area"),
        (2, Box(64, 10, 80, 20), "outside the frame of 64 x 48 pixels"),
        (2, Box(-20, -20, 0, 0), "outside the frame"),
        (
            2,
            (1, 2, 3, 4),
            r"must be a Mask, a Box or Points, not tuple; give .* Box\(0, 0, 64, 48\)",
        ),
        (2, np.ones((HEIGHT, WIDTH), bool), "not ndarray"),
        (
            3,
            Points([], []),
            r"3 has 0 clicks and 0 labels; .* as Points\(\[\(32, 24\)\], \[True\]\)",
        ),
        (3, Points([(1, 2)], [True, False]), "1 clicks and 2 labels"),
        (3, Points([(64, 2)], [True]), r"point \(64, 2\) of object 3 .* 64 x 48.* as \(32, 24\)"),
        (
            3,
            Points([(1, 2), (1, -0.5)], [True, True]),
            r"point \(1, -0.5\) of object 3 lies outside",
        ),
        (3, Points([(math.nan, 2)], [True]), r"point \(nan, 2\) of object 3 lies outside"),
        (3, Points([(1, 2, 3)], [True]), r"no pairs of numbers; give .* as \(32, 24\)"),
        (3, Points([5], [True]), "no pairs of numbers"),
        (3, Points([("5", "6")], [True]), "no pairs of numbers"),
        (3, Points(None, [True]), "no pairs of numbers"),
        (3, Points([(1, 2)], ["off"]), r"labels \['off'\] of object 3 are no list of true and"),
        (3, Points([(1, 2)], [-1]), r"give True for a click on the object, False for one off it"),
        (3, Points([(1, 2)], True), "labels True of object 3 are no list"),
        (
            2,
            Box("1", 1, 2, 3),
            r"is Box\(x0='1', .*; expected four numbers, as Box\(16, 12,",
        ),
        (2, Box(1, None, 2, 3), "expected four numbers"),
        (2, Box(10**400, 1, 2, 3), "expected four numbers"),
        (3, Points([(1, 2)], [True], (1, 2, 3, 4)), "box of object 3 is .*; expected four numbers"),
        (3, Points([(1, 2)], [True], mask=full().mask), "must be a Mask, not ndarray; write Mask"),
        (1, Mask([[1, 0], [1]]), "holds object values"),
        (1, Mask(None), "holds object values; expected true and false, or numbers"),
        (1, Mask(np.full((HEIGHT, WIDTH), "a")), "holds <U1 values"),
        (1, Mask(np.full((HEIGHT, WIDTH), 0.3)), "no probability above 0.3, and only those above"),
        (
            3,
            Points([(5.2, 7), (5.9, 7.5)], [True, False]),
            r"point \(5.9, 7.5\) is both on object 3 and off it",
        ),
        (
            3,
            Points([(1, 2)], [True], Box(5, 5, 5, 9)),
            r"box \(5, 5, 5, 9\) of object 3 has no area",
        ),
        (3, Points([(1, 2)], [True], mask=full(WIDTH, HEIGHT)), "mask of object 3 is 48 x 64"),
    ],
)
def test_what_cannot_be_used_is_told(object_id, prompt, told):
    with pytest.raises(InputError, match=told):
        check_prompt(object_id, prompt, HEIGHT, WIDTH)


def test_a_negative_click_needs_something_to_correct():
    off = Points([(5, 6)], [False])
    with pytest.raises(InputError, match=r"no object 3 yet .* click \(5, 6\) .* at \(32, 24\)"):
        check_prompt(3, off, HEIGHT, WIDTH, known=False)
    check_prompt(3, off, HEIGHT, WIDTH, known=True)
    check_prompt(3, Points(off.points, off.labels, Box(1, 2, 9, 9)), HEIGHT, WIDTH, known=False)
    check_prompt(3, Points([(5, 6), (9, 9)], [False, True]), HEIGHT, WIDTH, known=False)


def test_clicks_are_given_back_in_numbers_their_box_cut():
    clicks = Points(np.array([[5, 6]]), np.array([1]), Box(1, 2, 100, 9), full(dtype=np.uint8))
    checked = check_prompt(1, clicks, HEIGHT, WIDTH)
    assert isinstance(checked, Points) and checked.mask is not None
    assert (checked.points, checked.labels) == (((5.0, 6.0),), (True,))
    assert checked.box == Box(1, 2, 64, 9) and checked.mask.mask.dtype == bool


def test_numbers_are_of_any_library():
    whole = Fraction(21, 2), np.float32(3), torch.tensor(30), np.array(20)
    assert check_prompt(1, Box(*whole), HEIGHT, WIDTH) == Box(10.5, 3, 30, 20)
    checked = check_prompt(1, Points([whole[:2]], torch.tensor([True])), HEIGHT, WIDTH)
    assert checked == Points([(10.5, 3.0)], [True])


def test_a_box_is_cut_to_the_frame():
    assert check_prompt(1, Box(-5, -math.inf, 30.5, 400), HEIGHT, WIDTH) == Box(0, 0, 30.5, 48)
    assert check_prompt(65535, Box(1, 2, 3, 4), HEIGHT, WIDTH) == Box(1, 2, 3, 4)


def test_a_mask_of_numbers_becomes_bool():
    checked = check_prompt(1, full(dtype=np.uint8), HEIGHT, WIDTH)
    assert isinstance(checked, Mask) and checked.mask.dtype == bool and checked.mask.all()


def test_a_mask_of_probabilities_counts_above_one_half():
    soft = np.linspace(0, 1, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    checked = check_prompt(1, Mask(soft), HEIGHT, WIDTH)
    assert isinstance(checked, Mask)
    np.testing.assert_array_equal(checked.mask, soft > 0.5)
    for wrong in (soft * 255, soft - 0.5, np.full_like(soft, np.nan)):
        with pytest.raises(InputError, match="expected true and false, or probabilities from 0"):
            check_prompt(1, Mask(wrong), HEIGHT, WIDTH)
    with pytest.raises(InputError, match="is empty"):
        check_prompt(1, Mask(soft * 0), HEIGHT, WIDTH)


@pytest.mark.parametrize("box", [Box(0.2, 0.3, 0.7, 0.9), Box(10, 10, 10.5, 30)])
def test_a_box_under_a_pixel_is_none(box):
    with pytest.raises(InputError, match="smaller than a pixel; coordinates are pixels"):
        check_prompt(1, box, HEIGHT, WIDTH)
