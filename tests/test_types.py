"""Prompts and results as values."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from masktrail.prompts.kinds import Box, Mask, Points
from masktrail.results import Result
from masktrail.types import Frame
from painted_results import GivenMasks

SQUARE = np.zeros((4, 6), bool)
SQUARE[1:3, 1:3] = True
IMAGE = np.zeros((4, 6, 3), np.uint8)
FRAME = Frame(IMAGE, 3, 3, Fraction(1, 25))


@pytest.mark.parametrize(
    ("one", "same", "others"),
    [
        (Mask(SQUARE), Mask(SQUARE.copy()), [Mask(~SQUARE), Mask(SQUARE[:2]), Box(1, 1, 3, 3)]),
        (
            Points([(1, 2), (3, 4)], [True, False]),
            Points(np.array([[1, 2], [3, 4]]), np.array([1, 0])),
            [
                Points([(1, 2), (3, 5)], [True, False]),
                Points([(1, 2)], [True]),
                Points([(1, 2), (3, 4)], [True, False], box=Box(0, 0, 4, 4)),
                Points([(1, 2), (3, 4)], [True, False], mask=Mask(SQUARE)),
            ],
        ),
        (FRAME, replace(FRAME, image=IMAGE.copy()), [replace(FRAME, image=IMAGE + 1)]),
        (
            Result(SQUARE.astype(np.uint8)),
            Result(SQUARE.astype(np.uint8), soft=GivenMasks({})),
            [Result(np.zeros((4, 6), np.uint8))],
        ),
    ],
)
def test_what_holds_arrays_is_equal_by_what_is_in_them(one: Any, same: Any, others: Any) -> None:
    assert one == same and (one != same) is False
    for other in (*others, None, 1):
        assert one != other and (one == other) is False
    with pytest.raises(TypeError, match=f"unhashable type: '{type(one).__name__}'"):
        hash(one)
    assert hash(Box(1, 2, 3, 4)) == hash(Box(1, 2, 3, 4))
