"""Blurring and means of squares, against scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from masktrail.masks.filters import BLOCK, Beyond, blurred, box_mean

MODES: dict[Beyond, str] = {"symmetric": "reflect", "constant": "constant", "wrap": "wrap"}
"""What scipy calls them."""

planes = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=12)


@given(planes, st.floats(0.3, 6), st.sampled_from(list(MODES)), st.booleans(), st.integers(0, 99))
def test_blurred_as_by_scipy(
    shape: tuple[int, ...], sigma: float, beyond: Beyond, single: bool, seed: int
) -> None:
    values = np.random.default_rng(seed).normal(0, 10, shape)
    values = values.astype(np.float32) if single else values
    before = values.copy()
    found = blurred(values, sigma, beyond)
    assert found.dtype == values.dtype and found.shape == shape
    expected = ndimage.gaussian_filter(values, sigma, mode=MODES[beyond])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 if single else 1e-13)
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("shape", [(300, 400), (2, BLOCK), (BLOCK + 1, 2)])
def test_what_is_large_is_blurred_piece_by_piece(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).random(shape)
    expected = ndimage.gaussian_filter(values, 1.5)
    np.testing.assert_allclose(blurred(values, 1.5), expected, rtol=0, atol=1e-14)


def test_an_edge_stays_where_it_is() -> None:
    mask = np.zeros((40, 40), np.float32)
    mask[:, 20:] = 1
    np.testing.assert_array_equal(blurred(mask, 2) > 0.5, mask > 0.5)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 12), st.integers(0, 99))
def test_means_of_squares_as_by_scipy(height: int, width: int, radius: int, seed: int) -> None:
    plane = np.random.default_rng(seed).normal(0, 10, (height, width))
    before = plane.copy()
    found = box_mean(plane, radius)
    expected = ndimage.uniform_filter(plane, 2 * radius + 1, mode="nearest")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(plane, before)


@pytest.mark.parametrize("shape", [(400, 300), (3, BLOCK), (BLOCK + 1, 3)])
def test_means_of_what_is_large(shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(0).random(shape)
    for radius in (1, 4, 9):
        expected = ndimage.uniform_filter(plane, 2 * radius + 1, mode="nearest")
        np.testing.assert_allclose(box_mean(plane, radius), expected, rtol=0, atol=1e-12)


def test_the_mean_of_one_value_is_that_value() -> None:
    np.testing.assert_allclose(box_mean(np.full((50, 60), 0.3), 4), 0.3, rtol=1e-15)
