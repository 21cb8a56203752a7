"""A first mask from a box by colour."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masktrail.masks import tight_box
from masktrail.prompts.box import mask_from_box
from masktrail.prompts.kinds import Box
from painted_videos import paint_clip

pytestmark = pytest.mark.filterwarnings("error")


def overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    return (mask & truth).sum() / (mask | truth).sum()


@pytest.mark.parametrize("size", [(64, 48), (320, 240), (854, 480)])
@pytest.mark.parametrize("object_id", [1, 2])
def test_finds_a_painted_disc(size, object_id):
    clip = paint_clip(1, size)
    truth = clip.labels[0] == object_id
    assert overlap(mask_from_box(clip.images[0], Box(*tight_box(truth))), truth) > 0.8


def test_a_loose_box_finds_the_same_disc():
    clip = paint_clip(1, (320, 240))
    truth = clip.labels[0] == 1
    x0, y0, x1, y1 = tight_box(truth)
    loose = Box(x0 - 8, y0 - 8, x1 + 8, y1 + 8)
    assert overlap(mask_from_box(clip.images[0], loose), truth) > 0.8


@given(st.floats(0, 62), st.floats(0, 46), st.floats(0.01, 64), st.floats(0.01, 48))
@settings(max_examples=60)
def test_any_box_gives_a_mask_inside_it(x0, y0, width, height):
    image = paint_clip(1, (64, 48)).images[0]
    box = Box(x0, y0, min(x0 + width, 64), min(y0 + height, 48))
    mask = mask_from_box(image, box)
    assert mask.shape == (48, 64) and mask.dtype == bool and mask.any()
    left, top, right, bottom = tight_box(mask)
    assert left >= int(box.x0) and top >= int(box.y0)
    assert right <= np.ceil(box.x1) and bottom <= np.ceil(box.y1)


def test_a_box_of_one_pixel_is_that_pixel():
    mask = mask_from_box(paint_clip(1, (64, 48)).images[0], Box(20, 30, 21, 31))
    assert tight_box(mask) == (20, 30, 21, 31)


def test_a_box_around_one_colour_alone_gives_its_ellipse():
    mask = mask_from_box(np.full((100, 100, 3), 90, np.uint8), Box(20, 20, 80, 60))
    y, x = np.mgrid[:100, :100] + 0.5
    ellipse = ((x - 50) / 30) ** 2 + ((y - 40) / 20) ** 2 <= 1
    assert overlap(mask, ellipse) > 0.9


def test_a_box_of_the_whole_frame():
    clip = paint_clip(1, (64, 48), objects=1)
    assert mask_from_box(clip.images[0], Box(0, 0, 64, 48)).any()
