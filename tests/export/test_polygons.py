"""Masks to polygons and back, whatever their shape."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

from masktrail.export.polygons import joined, outlines


def filled(polygons, shape) -> np.ndarray:
    picture = np.zeros(shape, np.uint8)
    for polygon in polygons:
        cv2.fillPoly(picture, [polygon.astype(np.int32)], 1)
    return picture.astype(bool)


@given(arrays.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
@settings(max_examples=60)
def test_nothing_of_a_mask_is_lost(mask):
    """Lines that lead to holes may pass through other holes, so some pixels may come on top."""
    polygons = outlines(mask, cv2)
    assert all(polygon.shape[0] >= 3 and polygon.shape[1] == 2 for polygon in polygons)
    assert len(polygons) == cv2.connectedComponents(mask.astype(np.uint8))[0] - 1
    assert filled(polygons, mask.shape)[mask].all()


def test_every_hole_stays_open():
    mask = np.zeros((40, 90), bool)
    mask[2:38, 3:87] = True
    mask[10:30, 10:20] = mask[8:12, 40:60] = mask[25:35, 40:60] = mask[20, 80] = False
    (polygon,) = outlines(mask, cv2)
    np.testing.assert_array_equal(filled([polygon], mask.shape), mask)


def test_an_island_in_a_hole_is_a_piece():
    mask = np.ones((30, 30), bool)
    mask[5:25, 5:25] = False
    mask[12:18, 12:18] = True
    polygons = outlines(mask, cv2)
    assert len(polygons) == 2
    np.testing.assert_array_equal(filled(polygons, mask.shape), mask)


def test_near_pieces_are_linked_before_far_ones():
    square = np.array([[0, 0], [0, 4], [4, 4], [4, 0]], float)
    far, near = square + np.array([100, 0]), square + np.array([10, 0])
    whole = joined([square, far, near])
    steps = np.abs(np.diff(whole, axis=0)).sum(axis=1)
    assert steps.max() == 86  # from 14 to 100, not from 4
    assert len(whole) == 3 * 4 + 2 * 2


@given(st.integers(2, 25), st.integers(0, 99))
@settings(max_examples=40)
def test_links_are_the_shortest_that_join_all(count, seed):
    """As a minimum spanning tree, each of its edges there and back; nothing else is added."""
    rng = np.random.default_rng(seed)
    polygons = [rng.uniform(0, 40, (rng.integers(1, 9), 2)) for _ in range(count)]
    whole = joined(polygons)
    between = [[cdist(one, other).min() for other in polygons] for one in polygons]
    added = around(whole) - sum(map(around, polygons))
    assert np.isclose(added, 2 * minimum_spanning_tree(np.array(between)).sum())
    assert len(whole) == sum(map(len, polygons)) + 2 * (count - 1)


def around(polygon) -> float:
    return float(np.hypot(*(polygon - np.roll(polygon, 1, axis=0)).T).sum())


def test_many_corners_are_joined_piece_by_piece(monkeypatch):
    rng = np.random.default_rng(0)
    polygons = [rng.uniform(0, 40, (size, 2)) for size in (9, 1, 30, 4)]
    whole = joined(polygons)
    monkeypatch.setattr("masktrail.export.polygons.CHUNK", 40)
    np.testing.assert_array_equal(joined(polygons), whole)
