"""Directions have hues, lengths saturation, as on Middlebury's wheel."""

import colorsys
from itertools import pairwise

import numpy as np
import pytest

from masktrail.flow.colours import _wheel, flow_colours


def colour(x: float, y: float, most: float | None = None) -> tuple[int, ...]:
    """Of a flow of one pixel."""
    picture = flow_colours(np.array([[[x, y]]], np.float32), most)
    assert picture.shape == (1, 1, 3) and picture.dtype == np.uint8
    return tuple(picture[0, 0].tolist())


def hue(rgb: tuple[int, ...]) -> float:
    return colorsys.rgb_to_hsv(*rgb)[0] * 360


def saturation(rgb: tuple[int, ...]) -> float:
    return colorsys.rgb_to_hsv(*rgb)[1]


def test_the_wheel_has_the_55_colours() -> None:
    wheel = _wheel()
    assert wheel.shape == (55, 3)
    corners = {0: "ff0000", 15: "ffff00", 21: "00ff00", 25: "00ffff", 36: "0000ff", 49: "ff00ff"}
    for place, text in corners.items():
        assert bytes(wheel[place].astype(np.uint8)).hex() == text
    assert wheel[1].tolist() == [255, 17, 0]
    assert wheel[16].tolist() == [255 - 42, 255, 0]
    assert wheel[54].tolist() == [255, 0, 255 - 212]
    hues = [hue(tuple(row)) for row in wheel]
    assert hues == sorted(hues)


def test_no_flow_is_white() -> None:
    flow = np.zeros((3, 4, 2), np.float32)
    for most in (None, 0.0, 5.0):
        assert (flow_colours(flow, most) == 255).all()


def test_right_is_red_and_the_others_go_round_from_there() -> None:
    assert colour(3, 0) == colour(3, -0.0) == (255, 0, 0)
    down, left, up = colour(0, 3), colour(-3, 0), colour(0, -3)
    assert down == (255, int(13.5 * 17), 0)  # place 13.5 of the 15 from red to yellow
    assert left == (0, 255 - 46, 255)  # place 27, the third from cyan to blue
    assert up == (
        (78 + 98) // 2,
        0,
        255,
    )  # place 40.5, between the fifth and sixth from blue to magenta


@pytest.mark.parametrize("degrees", range(0, 180, 15))
def test_opposite_directions_differ(degrees: int) -> None:
    x, y = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    one, other = colour(x, y), colour(-x, -y)
    assert np.abs(np.subtract(one, other)).max() > 150


def test_longer_is_more_saturated_and_of_the_same_hue() -> None:
    colours = [colour(-0.3 * length, 0.4 * length, 5) for length in range(1, 11)]
    for shorter, longer in pairwise(colours):
        assert saturation(shorter) < saturation(longer)
        assert max(shorter) == 255
        assert abs(hue(shorter) - hue(longer)) < 5
    assert min(colours[-1]) == 0


def test_the_longest_known_one_has_full_colour() -> None:
    flow = np.array([[[2, 0], [4, 0], [400, 300]]], np.float32)
    known = np.array([[True, True, False]])
    picture = flow_colours(flow, valid=known)
    assert picture.tolist() == [[[255, 127, 127], [255, 0, 0], [0, 0, 0]]]
    assert np.array_equal(picture, flow_colours(flow, 4.0, known))


def test_beyond_the_longest_it_is_darker() -> None:
    assert colour(5, 0, most=4.9) == (191, 0, 0)
    assert colour(5, 0, most=0) == (191, 0, 0)
    assert colour(5000, 0, most=4.9) == (191, 0, 0)


@pytest.mark.parametrize("junk", [np.nan, np.inf, 1e10])
@pytest.mark.filterwarnings("error")
def test_what_stands_in_unknown_pixels_does_not_matter(junk: float) -> None:
    flow = np.random.default_rng(0).normal(0, 5, (6, 8, 2))
    known = np.random.default_rng(1).random((6, 8)) < 0.5
    clean = flow_colours(flow, valid=known)
    flow[~known, 1] = junk
    before = flow.copy()
    assert np.array_equal(flow_colours(flow, valid=known), clean)
    assert np.array_equal(flow, before, equal_nan=True)
    assert (clean[~known] == 0).all() and (clean[known].max(axis=1) > 0).all()


@pytest.mark.filterwarnings("error")
def test_flow_that_is_not_finite_is_unknown() -> None:
    flow = np.array([[[np.nan, 0], [0, -np.inf], [3, 0]]], np.float32)
    assert flow_colours(flow).tolist() == [[[0, 0, 0], [0, 0, 0], [255, 0, 0]]]


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_every_precision_is_taken(kind: type) -> None:
    flow = np.array([[[3, 4], [-1, 0]]], kind)
    assert np.array_equal(flow_colours(flow), flow_colours(flow.astype(np.float64)))


def test_nothing_to_show_is_an_empty_picture() -> None:
    assert flow_colours(np.zeros((0, 4, 2), np.float32)).shape == (0, 4, 3)


def test_wrong_arguments_are_refused() -> None:
    flow = np.zeros((3, 4, 2), np.float32)
    with pytest.raises(ValueError, match=r"must be \(H, W, 2\)"):
        flow_colours(flow[..., 0])
    with pytest.raises(ValueError, match="sizes must agree"):
        flow_colours(flow, valid=np.ones((4, 3), bool))
    for most in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="must be a length"):
            flow_colours(flow, most)
