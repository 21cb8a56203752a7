"""J, F and statistics against the golden values and against the plain definition."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import binary_dilation, distance_transform_edt

from masktrail.evaluate.measures import (
    boundary,
    contour_accuracy,
    region_similarity,
    statistics,
    tolerance,
)

SHAPE = (480, 854)
EMPTY, FULL = np.zeros(SHAPE, bool), np.ones(SHAPE, bool)


def rect(y0: int, y1: int, x0: int, x1: int) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[y0:y1, x0:x1] = True
    return mask


def circ(cy: int, cx: int, r: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    y, x = np.ogrid[: shape[0], : shape[1]]
    return (y - cy) ** 2 + (x - cx) ** 2 <= r**2


SMALL = (256, 256)
GOLDEN = {
    "A": (rect(100, 300, 200, 500), rect(100, 300, 205, 505), 0.967213, 1.0, 1000, 1000),
    "B": (rect(100, 300, 200, 500), rect(100, 300, 209, 509), 0.941748, 0.616, 1000, 1000),
    "C": (circ(240, 427, 80), circ(240, 427, 90), 0.789192, 0.0, 644, 724),
    "D": (circ(240, 427, 80), circ(252, 434, 80), 0.800987, 0.422360, 644, 644),
    "E": (rect(0, 200, 0, 300), rect(0, 190, 0, 280), 0.886667, 0.0, 499, 469),
    "F": (rect(300, 480, 600, 854), rect(310, 480, 620, 854), 0.870079, 0.0, 435, 405),
    "G": (EMPTY, circ(240, 427, 20), 0.0, 0.0, 0, 164),
    "H": (circ(240, 427, 20), EMPTY, 0.0, 0.0, 164, 0),
    "I": (EMPTY, EMPTY, 1.0, 1.0, 0, 0),
    "K": (FULL, EMPTY, 0.0, 1.0, 0, 0),
    "L": (circ(128, 128, 40, SMALL), circ(128, 128, 44, SMALL), 0.826888, 0.117647, 324, 356),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_golden_values(case):
    truth, prediction, j, f, truth_pixels, pixels = GOLDEN[case]
    assert region_similarity(truth, prediction) == pytest.approx(j, abs=5e-7)
    assert contour_accuracy(truth, prediction) == pytest.approx(f, abs=5e-7)
    assert (boundary(truth).sum(), boundary(prediction).sum()) == (truth_pixels, pixels)


def test_golden_value_with_void():
    truth, prediction, void = circ(240, 427, 80), circ(252, 434, 80), rect(200, 260, 400, 520)
    assert region_similarity(truth, prediction, void) == pytest.approx(0.735055, abs=5e-7)
    assert contour_accuracy(truth, prediction, void) == pytest.approx(0.560734, abs=5e-7)


@pytest.mark.parametrize(
    ("shape", "pixels"),
    [((480, 854), 8), ((1080, 1920), 18), ((256, 256), 3), ((128, 128), 2)],
)
def test_tolerance_grows_with_the_picture(shape, pixels):
    assert tolerance(shape) == pixels
    assert tolerance(shape, 5) == 5


def test_masks_of_any_kind_count_where_not_zero():
    truth, prediction = GOLDEN["D"][:2]
    assert region_similarity(truth * np.uint8(255), prediction * 7.0) == pytest.approx(0.800987)


@pytest.mark.parametrize("measure", [region_similarity, contour_accuracy])
def test_shapes_must_agree(measure):
    with pytest.raises(ValueError, match="one shape"):
        measure(np.zeros((4, 5)), np.zeros((5, 4)))


def plain_boundary(mask: np.ndarray) -> np.ndarray:
    """Boundary map word for word: three shifted copies, then the two border lines and a corner."""
    east, south, diagonal = np.zeros_like(mask), np.zeros_like(mask), np.zeros_like(mask)
    east[:, :-1] = mask[:, 1:]
    south[:-1] = mask[1:]
    diagonal[:-1, :-1] = mask[1:, 1:]
    edge = (mask ^ east) | (mask ^ south) | (mask ^ diagonal)
    edge[-1] = mask[-1] ^ east[-1]
    edge[:, -1] = mask[:, -1] ^ south[:, -1]
    edge[-1, -1] = False
    return edge


def plain_f(truth: np.ndarray, prediction: np.ndarray, void: np.ndarray, radius: int) -> float:
    """F by dilating both whole boundary maps with the disk."""
    g, m = plain_boundary(truth & ~void), plain_boundary(prediction & ~void)
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disk = x**2 + y**2 <= radius**2
    precision = (m & binary_dilation(g, disk)).sum() / m.sum() if m.any() else 1.0
    recall = (g & binary_dilation(m, disk)).sum() / g.sum() if g.any() else 1.0
    if not m.any() and g.any():
        recall = 0.0
    if m.any() and not g.any():
        precision = 0.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@st.composite
def three_masks(draw: Callable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, prediction and void of one shape: noise, or a rectangle that may touch the border."""
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    found = []
    for _ in range(3):
        if draw(st.booleans()):
            found.append(draw(hnp.arrays(bool, (height, width))))
            continue
        mask = np.zeros((height, width), bool)
        y, x = draw(st.integers(0, height)), draw(st.integers(0, width))
        mask[y : y + draw(st.integers(0, height)), x : x + draw(st.integers(0, width))] = True
        found.append(mask)
    return found[0], found[1], found[2]


@given(three_masks(), st.integers(1, 9), st.booleans())
@settings(max_examples=300)
def test_fast_path_equals_the_plain_definition(masks, radius, with_void):
    truth, prediction, void = masks
    void = void & with_void
    given_void = void if with_void else None
    fast = contour_accuracy(truth, prediction, given_void, bound=radius)
    assert fast == pytest.approx(plain_f(truth, prediction, void, radius), abs=1e-12)
    np.testing.assert_array_equal(boundary(truth), plain_boundary(truth))
    union = ((truth | prediction) & ~void).sum()
    expected = (truth & prediction & ~void).sum() / union if union else 1.0
    assert region_similarity(truth, prediction, given_void) == expected


@given(three_masks(), st.floats(1, 60) | st.sampled_from([1e4, 1e200, math.inf]))
def test_any_tolerance_is_that_of_distances(masks, bound):
    truth, prediction, _ = masks
    g, m = plain_boundary(truth), plain_boundary(prediction)
    if not g.any() or not m.any():
        return
    precision = (distance_transform_edt(~g)[m] <= bound).mean()
    recall = (distance_transform_edt(~m)[g] <= bound).mean()
    expected = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    assert contour_accuracy(truth, prediction, bound=bound) == pytest.approx(expected, abs=1e-12)


@given(three_masks())
def test_symmetric_and_within_bounds(masks):
    truth, prediction, _ = masks
    for measure in (region_similarity, contour_accuracy):
        value = measure(truth, prediction)
        assert 0 <= value <= 1
        assert measure(prediction, truth) == pytest.approx(value, abs=1e-12)
        assert measure(truth, truth) == 1


def test_golden_statistics():
    s = statistics([0.9, 0.8, 0.55, 0.5, 0.45, 0.3, 0.7, 0.2, 0.1, 0.6, 0.4])
    assert (s.mean, s.recall, s.decay) == pytest.approx((0.5, 5 / 11, 0.320833), abs=5e-7)
    s = statistics(np.linspace(1, 0, 48))
    assert (s.mean, s.recall, s.decay) == pytest.approx((0.5, 0.5, 0.744681), abs=5e-7)


@pytest.mark.parametrize(
    ("length", "ends"),
    [(48, (0, 12, 24, 35, 47)), (5, (0, 1, 2, 3, 4)), (6, (0, 1, 3, 4, 5)), (7, (0, 2, 3, 5, 6))],
)
def test_quarters_share_their_ends(length, ends):
    values = np.random.default_rng(length).random(length)
    first, last = values[: ends[1] + 1], values[ends[3] : ends[4] + 1]
    assert statistics(values).decay == pytest.approx(first.mean() - last.mean())


def test_long_videos_do_not_wrap_unless_asked():
    values = np.linspace(1, 0, 300)
    assert statistics(values).decay == pytest.approx(0.75, abs=0.01)
    assert math.isnan(statistics(values, uint8_bins=True).decay)


def test_recall_is_strict_and_nan_is_a_miss():
    s = statistics([0.5, 0.75, math.nan, 0.25])
    assert s.recall == 0.25 and s.mean == 0.5
    assert math.isnan(statistics([]).mean)
    assert statistics([0.7]).decay == 0
