"""Prompts that overlap: both are kept where they can be, else both are named."""

import numpy as np
import pytest

from masktrail.errors import InputError
from masktrail.prompts.apart import apart


def square(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    mask = np.zeros((40, 40), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def test_the_smaller_lies_on_the_larger_whatever_their_ids() -> None:
    large, small = square(0, 0, 30, 30), square(10, 10, 20, 20)
    for masks in ({1: large, 2: small}, {1: small, 2: large}):
        found = apart(masks)
        assert list(found) == [1, 2]
        for object_id, mask in masks.items():
            right = mask if mask is small else large & ~small
            np.testing.assert_array_equal(found[object_id], right)
    assert large.sum() == 900, "what is given is not changed"


def test_what_does_not_overlap_stays() -> None:
    masks = {7: square(0, 0, 9, 9), 3: square(9, 0, 20, 9), 5: square(0, 0, 0, 0)}
    found = apart(masks)
    assert list(found) == [7, 3, 5]
    assert all((found[i] == masks[i]).all() for i in masks)


@pytest.mark.parametrize("other", [square(5, 5, 25, 25), square(4, 5, 25, 25)])
def test_of_two_on_the_same_pixels_both_are_named(other: np.ndarray) -> None:
    with pytest.raises(InputError, match="objects 2 and 9 mark the same pixels"):
        apart({9: square(5, 5, 25, 25), 2: other, 4: square(30, 30, 39, 39)})
