"""Connected pieces of masks and what is made of them, against scipy."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from masktrail.masks.components import components, dilated, distances, filled, largest

SQUARE = np.ones((3, 3), bool)


def spiral(turns: int) -> np.ndarray:
    """One path of a pixel's width, its turns a pixel apart."""
    side = 4 * turns + 1
    mask = np.zeros((side, side), bool)
    y, x, length, (dy, dx) = 0, 0, side - 1, (0, 1)
    mask[0, 0] = True
    for leg in range(4 * turns):
        for _ in range(length):
            y, x = y + dy, x + dx
            mask[y, x] = True
        dy, dx = dx, -dy
        length -= 2 * (leg % 2 if leg > 1 else 0)
    return mask


def combs() -> np.ndarray:
    """Teeth that meet in the last row only, and others that meet in pairs, of pairs, of pairs."""
    mask = np.zeros((40, 129), bool)
    mask[:18, ::2] = mask[18] = True
    for level in range(7):
        mask[22 + level : 40, :: 2 ** (level + 1)] = True
        for left in range(0, 128, 2 ** (level + 2)):
            mask[22 + 2 * level, left : left + 2 ** (level + 1) + 1] = True
    return mask


def shapes() -> Iterator[tuple[str, np.ndarray]]:
    for height, width in ((1, 1), (1, 40), (40, 1), (0, 5), (5, 0), (30, 41)):
        yield f"empty {height}x{width}", np.zeros((height, width), bool)
        yield f"full {height}x{width}", np.ones((height, width), bool)
    yield "row of dots", (np.arange(40) % 3 > 0)[None]
    yield "column of dots", (np.arange(40) % 3 > 0)[:, None]
    yield "chess", np.indices((20, 31)).sum(0) % 2 > 0
    yield "diagonal", np.eye(25, dtype=bool)
    yield "other diagonal", np.eye(25, dtype=bool)[::-1]
    yield "spiral", spiral(8)
    yield "spiral beside another", np.hstack([spiral(5), ~spiral(5)[::-1]])
    yield "combs", combs()
    yield "combs upside down", combs()[::-1]
    yield "all but one", np.arange(63).reshape(7, 9) != 31
    for seed, density in enumerate((0.02, 0.2, 0.4, 0.5, 0.6, 0.8, 0.98)):
        rng = np.random.default_rng(seed)
        yield f"noise {density}", rng.random((61, 83)) < density
        yield (
            f"blobs {density}",
            ndimage.uniform_filter(rng.random((61, 83)), 5) < 0.4 + density / 5,
        )


SHAPES = dict(shapes())

each_shape = pytest.mark.parametrize("mask", SHAPES.values(), ids=SHAPES.keys())
masks = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14))


def check_components(mask: np.ndarray, corners: bool) -> None:
    labels, count = components(mask, corners)
    expected, number = ndimage.label(mask, SQUARE if corners else None)
    assert count == number and labels.dtype == np.int32
    np.testing.assert_array_equal(labels, expected)


@each_shape
@pytest.mark.parametrize("corners", [False, True])
def test_components_are_numbered_as_by_scipy(mask: np.ndarray, corners: bool) -> None:
    check_components(mask, corners)
    check_components(mask.T, corners)


@given(masks, st.booleans())
@settings(max_examples=150)
def test_components_of_anything(mask: np.ndarray, corners: bool) -> None:
    check_components(mask, corners)


def test_pieces_that_touch_at_a_corner_belong_together_where_corners_count() -> None:
    mask = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1]], bool)
    assert components(mask)[1] == 4 and components(mask, corners=True)[1] == 1


def test_the_largest_piece_is_the_first_of_several() -> None:
    mask = np.zeros((6, 9), bool)
    mask[0, :2] = mask[2:4, 3:6] = mask[5, :] = True
    assert (largest(mask) == (np.arange(6) == 5)[:, None]).all()
    mask[5, 6:] = False
    assert largest(mask).sum() == 6 and largest(mask)[2, 3]
    assert not largest(np.zeros((3, 3), bool)).any()


def test_a_row_does_not_go_on_in_the_next() -> None:
    mask = np.array([[0, 0, 1], [1, 0, 0]], bool)
    for corners in (False, True):
        assert components(mask, corners)[0].tolist() == [[0, 0, 1], [2, 0, 0]]


def test_a_mask_may_be_a_part_of_another_or_turned() -> None:
    large = np.random.default_rng(5).random((40, 50)) < 0.5
    check_components(large[3:30:2, 5:41], True)
    check_components(np.asfortranarray(large), False)


@each_shape
def test_holes_are_filled_as_by_scipy(mask: np.ndarray) -> None:
    np.testing.assert_array_equal(filled(mask), ndimage.binary_fill_holes(mask))


@given(masks)
def test_holes_of_anything(mask: np.ndarray) -> None:
    found = filled(mask)
    np.testing.assert_array_equal(found, ndimage.binary_fill_holes(mask))
    assert found.dtype == bool and found[mask].all()


@pytest.mark.parametrize("radius", [0, 1, 2, 5, 16, 100])
def test_dilated_is_so_many_times_by_a_square(radius: int) -> None:
    for name, mask in SHAPES.items():
        expected = mask
        if radius and mask.size:
            expected = ndimage.binary_dilation(mask, SQUARE, iterations=radius)
        np.testing.assert_array_equal(dilated(mask, radius), expected, name)


@given(masks, st.integers(0, 20))
def test_dilated_is_the_maximum_of_a_window(mask: np.ndarray, radius: int) -> None:
    before = mask.copy()
    expected = ndimage.maximum_filter(mask.astype(np.uint8), 2 * radius + 1) > 0
    np.testing.assert_array_equal(dilated(mask, radius), expected)
    np.testing.assert_array_equal(mask, before)


def by_transform(labels: np.ndarray, count: int, mask: np.ndarray) -> np.ndarray:
    away = ndimage.distance_transform_edt(~mask)
    return np.asarray(ndimage.minimum(away, labels, np.arange(1, count + 1)))


def others(shape: tuple[int, int]) -> Iterator[np.ndarray]:
    """Masks of a shape: noise, one pixel in a corner or elsewhere, a square."""
    height, width = shape
    yield np.random.default_rng(7).random(shape) < 0.05
    for y, x in ((0, 0), (height - 1, width // 2)):
        mask = np.zeros(shape, bool)
        mask[y, x] = True
        yield mask
    square = np.zeros(shape, bool)
    square[height // 4 : height // 2 + 1, width // 3 : width // 2 + 1] = True
    yield square


@each_shape
def test_distances_are_those_of_the_distance_transform(mask: np.ndarray) -> None:
    if mask.size:
        labels, count = components(mask, corners=True)
        for other in others(mask.shape):
            if other.any():
                found = distances(labels, count, other)
                np.testing.assert_array_equal(found, by_transform(labels, count, other))


@given(st.data())
def test_distances_between_anything(data: st.DataObject) -> None:
    mask = data.draw(masks)
    other = data.draw(hnp.arrays(bool, mask.shape))
    labels, count = components(mask)
    if not other.any():
        assert np.isinf(distances(labels, count, other)).all()
    else:
        found = distances(labels, count, other)
        np.testing.assert_array_equal(found, by_transform(labels, count, other))


def test_many_distances_take_little_memory() -> None:
    noise = np.random.default_rng(0).random((2, 144, 256)) < 0.5
    labels, count = components(noise[0])
    tracemalloc.start()
    try:
        distances(labels, count, noise[1])
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()
