"""Means over what is most similar, by numpy as by torch, against the definition."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from masktrail.engines import attention
from masktrail.models import nearest

Floats = NDArray[np.float32]


def by_torch(similarity: Floats, values: Floats, k: int) -> Floats:
    return nearest.attended(torch.from_numpy(similarity), torch.from_numpy(values), k).numpy()


WAYS = {"numpy": attention.attended, "torch": by_torch}
every_way = pytest.mark.parametrize("attended", WAYS.values(), ids=WAYS)


def defined(similarity: Floats, values: Floats, k: int) -> Floats:
    """Row by row, everything sorted."""
    rows = []
    for row in similarity.astype(np.float64):
        where = np.argsort(-row)[:k]
        weights = np.exp(row[where] - row.max())
        rows.append(weights @ values[where] / weights.sum())
    return np.array(rows, np.float32)


def drawn(seed: int, *shape: int) -> Floats:
    return np.random.default_rng(seed).normal(0, 3, shape).astype(np.float32)


@every_way
@pytest.mark.parametrize("pixels", [1, 7, 40, 100, 163, 1600])
@pytest.mark.parametrize("k", [1, 5, 30, 500])
def test_the_mean_is_that_of_the_most_similar(attended: Callable, pixels: int, k: int) -> None:
    similarity, values = drawn(0, 203, pixels), drawn(1, pixels, 5)
    found = attended(similarity, values, k)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, defined(similarity, values, k), rtol=1e-4, atol=1e-5)


@every_way
def test_what_is_compared_is_not_written_to(attended: Callable) -> None:
    similarity, values = drawn(0, 20, 800), drawn(1, 800, 5)
    before = similarity.copy(), values.copy()
    attended(similarity, values, 30)
    np.testing.assert_array_equal(similarity, before[0])
    np.testing.assert_array_equal(values, before[1])


@every_way
def test_a_part_of_larger_arrays_will_do(attended: Callable) -> None:
    similarity, values = drawn(0, 40, 900), drawn(1, 800, 10)
    parts = similarity[::2, 50:850], values[:, 5:]
    whole = attended(*map(np.ascontiguousarray, parts), 30)
    np.testing.assert_array_equal(attended(*parts, 30), whole)


@every_way
@pytest.mark.parametrize("levels", [1, 2, 50])
def test_of_those_that_are_as_similar_any_count(attended: Callable, levels: int) -> None:
    """Values that are the similarity itself tell whether those that counted were the greatest."""
    similarity = np.random.default_rng(0).integers(0, levels, (9, 640)).astype(np.float32)
    for row in range(len(similarity)):
        found = attended(similarity, similarity[row][:, None].copy(), 30)
        expected = defined(similarity[row : row + 1], similarity[row][:, None], 30)
        np.testing.assert_allclose(found[row], expected[0], rtol=1e-5)


@every_way
def test_what_is_far_behind_does_not_count(attended: Callable) -> None:
    """Nor does it disturb: similarities are as negative as distances are large."""
    similarity = drawn(0, 3, 640) - 1e6
    similarity[:, 17] = 0
    np.testing.assert_array_equal(
        attended(similarity, drawn(1, 640, 4), 30), drawn(1, 640, 4)[[17] * 3]
    )


@every_way
def test_what_is_no_number_gives_none_in_its_row_alone(attended: Callable) -> None:
    similarity, values = drawn(0, 9, 640), drawn(1, 640, 4)
    expected = attended(similarity, values, 30)
    similarity[2] = np.nan
    found = attended(similarity, values, 30)
    assert np.isnan(found[2]).all()
    np.testing.assert_allclose(np.delete(found, 2, 0), np.delete(expected, 2, 0), rtol=1e-5)
    similarity[:] = np.nan
    assert np.isnan(attended(similarity, values, 30)).all()


@given(st.integers(1, 12), st.integers(1, 40), st.integers(1, 400), st.integers(0, 10_000))
def test_the_largest_are_found_with_little_sorting(
    rows: int, k: int, columns: int, seed: int
) -> None:
    x = np.random.default_rng(seed).integers(0, 1 + seed, (rows, columns)).astype(np.float32)
    largest, where = attention.largest(x, k)
    expected = np.sort(x, 1)[:, -k:]
    np.testing.assert_array_equal(np.sort(largest, 1), expected)
    np.testing.assert_array_equal(np.take_along_axis(x, where, 1), largest)
    assert all(len(set(row)) == len(row) for row in where.tolist())
    found, at = nearest._largest(torch.from_numpy(x), min(k, columns))
    np.testing.assert_array_equal(np.sort(found.numpy(), 1), expected)
    np.testing.assert_array_equal(x[np.arange(rows)[:, None], at.numpy()], found.numpy())


@pytest.mark.parametrize("k", [3, 30])
def test_the_largest_in_whole_groups_are_the_largest_of_all(k: int) -> None:
    x = torch.from_numpy(drawn(2, 7, 40 * nearest.GROUP))
    largest, at = nearest._largest(x, k)
    assert torch.equal(largest, x.gather(1, at))
    assert torch.equal(largest.sort(1).values, x.topk(k, dim=1).values.sort(1).values)
