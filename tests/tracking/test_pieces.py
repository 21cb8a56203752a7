"""Which pieces of a mask count, and how sure a mask is."""

import numpy as np
import pytest

from fake import fake_tracker
from masktrail.prompts.kinds import Mask
from masktrail.tracking.competition import sigmoid
from masktrail.tracking.confidence import LOST, expected_overlap
from masktrail.tracking.family import Calibration
from masktrail.tracking.pieces import DROPPED, usual_area, without_strays

GRID = (24, 32)


def grid(*squares: tuple[int, int, int], value: float = 4.0) -> np.ndarray:
    """Logits of squares (x, y, side) on background."""
    logits = np.full(GRID, -6.0, np.float32)
    for x, y, side in squares:
        logits[y : y + side, x : x + side] = value
    return logits


def test_one_piece_is_left_alone():
    logits = grid((4, 4, 6))
    assert without_strays(logits, grid((20, 15, 6)) > 0, 36) is logits


def test_a_piece_far_from_the_last_mask_is_dropped():
    found = without_strays(grid((4, 4, 6), (22, 14, 8)), grid((3, 4, 6)) > 0, 36)
    assert np.array_equal(found > 0, grid((4, 4, 6)) > 0)
    assert (found[14:22, 22:30] <= DROPPED).all()


def test_a_piece_near_the_last_mask_is_kept():
    logits = grid((4, 4, 6), (12, 5, 3))
    assert without_strays(logits, grid((3, 4, 6)) > 0, 36) is logits


def test_the_other_side_of_what_hides_an_object_is_kept_a_look_alike_is_not():
    """Farther than any piece may be, but not farther than the whole object is long."""
    halves, before = grid((4, 4, 4), (14, 4, 4)), grid((4, 4, 4)) > 0
    assert without_strays(halves, before, 60) is halves
    found = without_strays(halves, before, 16)
    assert np.array_equal(found > 0, grid((4, 4, 4)) > 0), "as large as it was, and one more"


def test_the_nearest_come_first_where_there_is_room_for_one():
    found = without_strays(grid((4, 4, 4), (14, 4, 4), (14, 14, 4)), grid((4, 4, 4)) > 0, 42)
    assert np.array_equal(found > 0, grid((4, 4, 4), (14, 4, 4)) > 0)


def test_both_pieces_of_an_object_of_two_are_kept():
    logits = grid((4, 4, 4), (22, 14, 4))
    assert without_strays(logits, logits > 0, 32) is logits


def test_where_nothing_is_near_all_counts():
    logits = grid((20, 4, 3), (22, 14, 4))
    assert without_strays(logits, grid((0, 10, 3)) > 0, 9) is logits


def test_what_was_lost_comes_back_in_one_piece():
    found = without_strays(grid((4, 4, 4), (20, 12, 6)), np.zeros(GRID, bool), 36)
    assert np.array_equal(found > 0, grid((20, 12, 6)) > 0)


def test_the_usual_area_outlasts_what_hides_the_object():
    assert usual_area(100.0, 0.0) == 100.0 and usual_area(120.0, 100.0) == 120.0
    assert 90 < usual_area(10.0, 100.0) < 100, "it fades slowly"
    assert usual_area(0.0, 100.0) == 0.0, "and is forgotten when the object is gone"


def test_expected_overlap_is_that_of_chance():
    assert expected_overlap(sigmoid(grid((4, 4, 8), value=20))) == pytest.approx(
        64 / (64 + (24 * 32 - 64) * sigmoid(np.float32(-6.0))), rel=1e-3
    )
    flat = np.zeros(GRID, np.float32)
    flat[:4, :4], flat[:4, 4:8] = 0.8, 0.4
    assert expected_overlap(flat) == pytest.approx(16 * 0.8 / (16 + 16 * 0.4))
    assert expected_overlap(flat * 0.5) == 0.0


def test_scores_grow_with_the_expected_overlap():
    score = Calibration()
    soft = [np.zeros(GRID, np.float32) for _ in range(3)]
    for each, p in zip(soft, (0.51, score.middle, 0.99), strict=True):
        each[:9] = p
    low, middle, high = (score(expected_overlap(each)) for each in soft)
    assert low < 0.1 and middle == pytest.approx(0.5, abs=1e-3) and high > 0.99
    assert score(expected_overlap(soft[0].clip(min=0.4))) < LOST


def test_a_mask_that_nobody_believes_in_is_lost():
    tracker = fake_tracker()
    image = np.zeros((48, 64, 3), np.uint8)
    tracker.step(image, {1: Mask(np.pad(np.ones((16, 16), bool), ((8, 24), (8, 40))))})
    tracker.propagator.masks[1] = tracker.propagator.masks[1] * 0.1 + 0.45
    result = tracker.step(image)
    assert result.objects[1].state == "lost" and not result.labels.any()
    assert tracker.propagator.told[-1][0] == {1: 0.0}
