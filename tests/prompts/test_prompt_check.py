"""Prompts against the frame they are for."""

import math

import numpy as np
import pytest

from masktrail.errors import InputError
from masktrail.prompts.check import check_prompt
from masktrail.types import Box, Mask

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
        (2, Box(10, 10, 10, 20), "box 2:10,10,10,20 has no area"),
        (2, Box(30, 10, 20, 20), "has no area; give ID:x0,y0,x1,y1 with x1 > x0"),
        (2, Box(math.nan, 1, 2, 3), "has no area"),
        (2, Box(64, 10, 80, 20), "outside the frame of 64 x 48 pixels"),
        (2, Box(-20, -20, 0, 0), "outside the frame"),
        (2, (1, 2, 3, 4), "must be a Mask or a Box, not tuple"),
        (2, np.ones((HEIGHT, WIDTH), bool), "not ndarray"),
    ],
)
def test_what_cannot_be_used_is_told(object_id, prompt, told):
    with pytest.raises(InputError, match=told):
        check_prompt(object_id, prompt, HEIGHT, WIDTH)


def test_a_box_is_cut_to_the_frame():
    assert check_prompt(1, Box(-5, -math.inf, 30.5, 400), HEIGHT, WIDTH) == Box(0, 0, 30.5, 48)
    assert check_prompt(65535, Box(1, 2, 3, 4), HEIGHT, WIDTH) == Box(1, 2, 3, 4)


def test_a_mask_of_numbers_becomes_bool():
    checked = check_prompt(1, full(dtype=np.uint8), HEIGHT, WIDTH)
    assert isinstance(checked, Mask) and checked.mask.dtype == bool and checked.mask.all()
