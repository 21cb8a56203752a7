"""One frame's competition in arrays: against the formula, against what networks train with."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from masktrail.geometry import Stretch
from masktrail.models import aggregate
from masktrail.tracking.competition import (
    Settled,
    sigmoid,
    soft_aggregate,
    softmax,
    stacked,
    to_logits,
)

sizes = st.tuples(st.integers(1, 60), st.integers(1, 60))


def noise(count: int, size: tuple[int, int], seed: int = 0) -> np.ndarray:
    drawn = 6 * np.random.default_rng(seed).normal(size=(count, *size))
    return drawn.astype(np.float32)


@given(st.integers(0, 1000), st.integers(1, 6))
def test_objects_compete_as_they_do_in_training(seed: int, count: int) -> None:
    logits = noise(count, (3, 4), seed)
    trained = aggregate.soft_aggregate(torch.from_numpy(logits)[None])[0]
    found = soft_aggregate(logits)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, trained, atol=1e-3)
    np.testing.assert_allclose(softmax(found), trained.softmax(0), atol=1e-5)


def test_probabilities_and_logits_stay_finite_where_they_have_to() -> None:
    assert sigmoid(np.float32([-200, 0, 200])).tolist() == [0, 0.5, 1]
    assert to_logits(np.float32([0, 0.5, 1])).tolist() == pytest.approx(
        [-9.2102, 0, 9.2102], abs=1e-3
    )
    assert stacked([], (3, 4)).shape == (0, 3, 4)


@given(st.integers(1, 5), sizes, sizes, st.integers(0, 99))
def test_labels_are_those_of_the_largest_enlarged_logit(count, inner, outer, seed) -> None:
    """Although each object is enlarged only where it can win."""
    stretch = Stretch(*outer, *inner)
    logits = soft_aggregate(noise(count, inner, seed))
    settled = Settled(stretch, list(range(3, 3 + count)), logits, {})
    full = np.stack([stretch.logits_out(each) for each in logits])
    winner = full.argmax(0)
    expected = np.where(winner > 0, winner + 2, 0)
    first, second = np.sort(full, 0)[[-1, -2]]
    clear = first - second > 1e-3
    np.testing.assert_array_equal(settled.labels()[clear], expected[clear])


def test_what_the_user_drew_stands() -> None:
    given_mask = np.zeros((8, 8), bool)
    given_mask[2:4, 2:4] = True
    logits = soft_aggregate(
        np.stack([np.full((4, 4), 5.0), np.full((4, 4), -5.0)]).astype(np.float32)
    )
    settled = Settled(Stretch(8, 8, 8, 8), [1, 300], logits, {300: given_mask})
    labels = settled.labels()
    assert labels.dtype == np.uint16
    np.testing.assert_array_equal(labels == 300, given_mask)
    assert (labels[~given_mask] == 1).all()
