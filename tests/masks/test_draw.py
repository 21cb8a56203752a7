"""Overlays change objects only, outlines lie inside objects."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from masktrail.masks import palette
from masktrail.masks.draw import contour, overlay, side_by_side
from painted_videos import Clip

label_maps = arrays.arrays(np.uint8, (9, 11), elements=st.integers(0, 3))


def test_background_is_untouched_and_the_input_too(clip: Clip) -> None:
    image, labels = clip.images[0], clip.labels[0]
    before = image.copy()
    out = overlay(image, labels)
    assert np.array_equal(image, before)
    assert np.array_equal(out[labels == 0], image[labels == 0])
    assert (out[labels > 0] != image[labels > 0]).any(-1).mean() > 0.9


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_the_tint_is_a_blend(clip: Clip, alpha: float) -> None:
    image, labels = clip.images[0], clip.labels[0]
    blend = image * (1 - alpha) + palette()[labels] * alpha
    out = overlay(image, labels, alpha, outline=False)
    assert np.abs(out[labels > 0] - blend[labels > 0]).max() <= 2


def test_outlines_are_brighter_than_the_tint(clip: Clip) -> None:
    labels = clip.labels[0]
    edge = contour(labels) & (labels == 1)
    assert (overlay(clip.images[0], labels)[edge] == [255, 0, 0]).all()


def test_ids_above_255_share_colours(clip: Clip) -> None:
    labels = clip.labels[0].astype(np.uint16)
    wide = np.where(labels > 0, labels + 255, 0).astype(np.uint16)
    assert np.array_equal(overlay(clip.images[0], wide), overlay(clip.images[0], labels))


def test_nothing_marked_is_a_copy(clip: Clip) -> None:
    out = overlay(clip.images[0], np.zeros_like(clip.labels[0]))
    assert np.array_equal(out, clip.images[0]) and out is not clip.images[0]


def test_sizes_must_agree(clip: Clip) -> None:
    with pytest.raises(ValueError, match="sizes must agree"):
        overlay(clip.images[0], clip.labels[0][:-1])


@given(label_maps)
@settings(max_examples=50)
def test_contour_is_where_a_neighbour_differs(labels: np.ndarray) -> None:
    around = np.pad(labels, 1, mode="edge")
    shifted = [around[1:-1, :-2], around[1:-1, 2:], around[:-2, 1:-1], around[2:, 1:-1]]
    expected = np.any([side != labels for side in shifted], axis=0) & (labels > 0)
    assert np.array_equal(contour(labels), expected)
    assert (contour(labels) <= contour(labels, 2)).all()


def test_side_by_side(clip: Clip) -> None:
    both = side_by_side(clip.images[0], clip.images[1])
    assert both.shape == (64, 192, 3)
    assert np.array_equal(both[:, 96:], clip.images[1])
