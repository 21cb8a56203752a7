"""The smallest rectangle around a mask, against OpenCV's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masktrail.masks.rotated import ENOUGH, rotated_box

HEIGHT, WIDTH = 200, 260


def distance(one, other) -> float:
    """How far the corners of two rectangles are apart, whichever comes first."""
    one, other = np.array(one), np.array(other)
    turned = [np.roll(each, i, 0) for each in (other, other[::-1]) for i in range(4)]
    return min(np.abs(one - each).max() for each in turned)


def sides(corners) -> np.ndarray:
    return np.linalg.norm(np.diff(np.array(corners)[:3], axis=0), axis=1)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["rectangle", "ellipse", "triangle"]),
    st.floats(40, 220),
    st.floats(40, 160),
    st.floats(16, 180),
    st.floats(12, 80),
    st.floats(0, 180),
)
def test_it_is_that_of_opencv(shape, x, y, wide, high, angle) -> None:
    """To a pixel, or as small where several are: OpenCV's goes through the middles of pixels."""
    cv2 = pytest.importorskip("cv2")
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    corners = cv2.boxPoints(((x, y), (wide, high), angle)).astype(np.int32)
    if shape == "ellipse":
        cv2.ellipse(mask, (int(x), int(y)), (int(wide / 2), int(high / 2)), angle, 0, 360, 1, -1)
    else:
        cv2.fillPoly(mask, [corners if shape == "rectangle" else corners[:3]], 1)
    contours = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[-2]
    largest = max(contours, key=cv2.contourArea)
    if np.count_nonzero(mask) <= ENOUGH or len(contours) > 1:
        return
    expected = cv2.boxPoints(cv2.minAreaRect(largest)) + 0.5
    found = rotated_box(mask > 0)
    as_small = np.prod(sides(found) - 1) <= np.prod(sides(expected)) + 0.01
    assert distance(found, expected) <= 1 or as_small
    along = np.diff(np.array(found)[:3], axis=0) / sides(found)[:, None]
    places = (np.argwhere(mask)[:, ::-1] + 0.5 - found[0]) @ along.T
    assert (places[:, 0] >= 0.49).all() and (places[:, 0] <= sides(found)[0] - 0.49).all()
    assert (places[:, 1] >= 0.49).all() and (places[:, 1] <= sides(found)[1] - 0.49).all()


def test_a_slanted_bar_is_found_as_it_lies() -> None:
    down, across = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    u = ((across - 130) * 3 + (down - 100) * 4) / 5
    v = ((across - 130) * -4 + (down - 100) * 3) / 5
    corners = rotated_box((abs(u) < 80) & (abs(v) < 15))
    expected = [
        (130 + (3 * a - 4 * b) / 5, 100 + (4 * a + 3 * b) / 5)
        for a, b in ((-80, -15), (80, -15), (80, 15), (-80, 15))
    ]
    assert distance(corners, expected) <= 1


def test_an_upright_one_is_the_tight_box() -> None:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[20:50, 60:170] = True
    assert set(rotated_box(mask)) == {(60, 20), (170, 20), (170, 50), (60, 50)}


def test_the_largest_piece_counts() -> None:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[20:50, 60:170] = mask[150:170, 10:30] = True
    assert np.array(rotated_box(mask))[:, 1].max() == 50


def test_small_pieces_have_no_direction() -> None:
    mask = np.eye(HEIGHT, WIDTH, dtype=bool)
    mask[12:] = False
    upright = {(0, 0), (12, 0), (12, 12), (0, 12)}
    assert set(rotated_box(mask[:, :40])) == upright, "twelve pixels that touch at corners"
    mask[:, :] = False
    mask[7, 9] = True
    assert set(rotated_box(mask)) == {(9, 7), (10, 7), (10, 8), (9, 8)}


def test_there_is_none_of_nothing() -> None:
    assert rotated_box(np.zeros((5, 5), bool)) == ()
