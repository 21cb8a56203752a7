"""From a video's size to a network's and back."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Picture

from masktrail.geometry import Stretch, Window
from masktrail.prompts.kinds import Box
from masktrail.tracking.competition import to_logits

STRIDE = 16

sides = st.integers(1, 3000)
stretches = st.builds(Stretch.to_short_side, sides, sides, st.integers(64, 1000), st.just(STRIDE))
positions = st.floats(-5000, 5000)


def disc(height: int, width: int, x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width] + 0.5
    return (columns - x) ** 2 + (rows - y) ** 2 < radius**2


@given(stretches, positions, positions)
def test_points_come_back(stretch, x, y):
    assert stretch.point_out(*stretch.point_in(x, y)) == pytest.approx((x, y), abs=1e-6)
    assert stretch.point_in(*stretch.point_out(x, y)) == pytest.approx((x, y), abs=1e-6)


@given(stretches, positions, positions, positions, positions)
def test_boxes_come_back(stretch, x0, y0, x1, y1):
    inner = stretch.box_in(Box(x0, y0, x1, y1))
    corners = *stretch.point_out(inner.x0, inner.y0), *stretch.point_out(inner.x1, inner.y1)
    assert corners == pytest.approx((x0, y0, x1, y1), abs=1e-6)


@given(sides, sides)
def test_frame_corners_go_to_inner_corners(height, width):
    stretch = Stretch.to_short_side(height, width, 320, STRIDE)
    inner = (stretch.inner_width, stretch.inner_height)
    assert stretch.point_in(0, 0) == (0, 0)
    assert stretch.point_in(width, height) == pytest.approx(inner)


@given(sides, sides, st.integers(64, 1000))
def test_inner_sides_are_multiples_close_to_what_was_asked(height, width, short):
    stretch = Stretch.to_short_side(height, width, short, STRIDE)
    scale = min(1.0, short / min(height, width))
    for side, inner in ((height, stretch.inner_height), (width, stretch.inner_width)):
        assert inner % STRIDE == 0 and inner >= STRIDE
        assert inner == STRIDE or abs(inner - side * scale) <= STRIDE / 2
        assert inner <= max(STRIDE, side + STRIDE / 2)  # enlarged by rounding only


def test_sizes_people_have():
    assert Stretch.to_short_side(480, 854, 320, 16) == Stretch(480, 854, 320, 576)
    assert Stretch.to_short_side(1920, 1080, 320, 16) == Stretch(1920, 1080, 576, 320)
    assert Stretch.to_short_side(48, 64, 320, 16) == Stretch(48, 64, 48, 64)
    assert Stretch.to_short_side(5, 5, 320, 16) == Stretch(5, 5, 16, 16)


@pytest.mark.parametrize("size", [(48, 64), (50, 70), (480, 854), (7, 500)])
def test_images_go_in_with_their_range_and_place(size):
    stretch = Stretch.to_short_side(*size, 96, STRIDE)
    image = np.zeros((*size, 3), np.uint8)
    image[:, size[1] // 2 :] = (255, 128, 0)
    inside = stretch.image_in(image)
    assert inside.shape == (stretch.inner_height, stretch.inner_width, 3)
    assert inside.dtype == np.uint8
    np.testing.assert_array_equal(inside[2, 1], (0, 0, 0))
    np.testing.assert_allclose(inside[2, -2].astype(int), (255, 128, 0), atol=2)


def test_views_and_read_only_images_go_in_alike():
    image = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    stretch = Stretch.to_short_side(50, 70, 320, STRIDE)
    expected = stretch.image_in(image)
    backwards = np.ascontiguousarray(image[:, :, ::-1])[:, :, ::-1]
    frozen = image.copy()
    frozen.setflags(write=False)
    for same in (backwards, frozen, np.asfortranarray(image)):
        np.testing.assert_array_equal(stretch.image_in(same), expected)


def test_an_image_that_fits_is_not_changed_nor_handed_on_itself():
    """Who decodes the next frame into the same array changes nothing that is kept of this one."""
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    inside = Stretch.to_short_side(48, 64, 320, STRIDE).image_in(image)
    np.testing.assert_array_equal(inside, image)
    assert not np.shares_memory(inside, image)


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (480, 854), (333, 517)])
def test_images_go_in_the_same_every_time_on_any_thread(size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    stretch = Stretch.to_short_side(*size, 96, STRIDE)
    with ThreadPoolExecutor(3) as pool:
        inside = list(pool.map(stretch.image_in, [image.copy() for _ in range(30)]))
    assert all(np.array_equal(inside[0], other) for other in inside)


@pytest.mark.parametrize("size", [(120, 160), (480, 854), (1080, 1920), (2160, 3840)])
def test_images_are_averaged_as_pillow_does(size):
    rows, columns = np.mgrid[: size[0], : size[1]]
    waves = (np.sin(rows / 40) + np.cos(columns / 70) + 2) * 63
    image = np.stack([waves, 255 - waves, waves / 2], 2).astype(np.uint8)
    image[(rows // 7 + columns // 5) % 3 == 0] = (255, 0, 0)  # sharp edges of one colour
    stretch = Stretch.to_short_side(*size, 384, STRIDE)
    found = stretch.image_in(image)
    expected = Picture.fromarray(image).resize(found.shape[1::-1], Picture.Resampling.BILINEAR)
    away = np.abs(found.astype(int) - np.asarray(expected))
    assert away.mean() < 0.3 and away.max() < 12


blobs = given(
    st.integers(150, 400), st.integers(150, 400), st.floats(0.4, 0.6), st.floats(0.4, 0.6),
    st.integers(30, 50),
)  # fmt: skip


@blobs
@settings(max_examples=30)
def test_coverage_keeps_the_area_of_a_mask(height, width, x, y, radius):
    mask = disc(height, width, x * width, y * height, radius)
    inside = Stretch.to_short_side(height, width, 320, STRIDE).mask_in(mask, 4)
    assert inside.min() >= 0 and inside.max() <= 1
    assert float(inside.mean()) == pytest.approx(mask.mean(), rel=0.02)


@blobs
@settings(max_examples=30)
def test_masks_survive_the_way_in_and_out(height, width, x, y, radius):
    mask = disc(height, width, x * width, y * height, radius)
    stretch = Stretch.to_short_side(height, width, 320, STRIDE)
    back = stretch.logits_out(to_logits(stretch.mask_in(mask, 4))) > 0
    assert (mask & back).sum() / (mask | back).sum() > 0.9


@pytest.mark.parametrize("inner", [(12, 16), (3, 4), (48, 64)])
def test_logits_of_any_resolution_come_out_at_the_size_of_the_frame(inner):
    stretch = Stretch.to_short_side(50, 70, 320, STRIDE)
    out = stretch.logits_out(np.full(inner, 2.5, np.float32))
    assert out.shape == (50, 70)
    np.testing.assert_allclose(out, 2.5, rtol=1e-6)


@given(st.data())
def test_a_part_of_enlarged_logits_is_what_all_of_them_hold_there(data):
    logits = np.random.default_rng(0).normal(size=(24, 36)).astype(np.float32)
    stretch = Stretch(50, 70, 48, 72)
    x0, y0 = data.draw(st.integers(0, 69)), data.draw(st.integers(0, 49))
    box = (x0, y0, data.draw(st.integers(x0 + 1, 70)), data.draw(st.integers(y0 + 1, 50)))
    whole = stretch.logits_out(logits)[box[1] : box[3], box[0] : box[2]]
    np.testing.assert_allclose(stretch.logits_out(logits, box), whole, atol=1e-3)


@given(st.data())
def test_a_box_goes_out_to_all_pixels_it_touches(data):
    stretch = Stretch(50, 70, 48, 72)
    x0, y0 = data.draw(st.integers(0, 35)), data.draw(st.integers(0, 23))
    box = (x0, y0, data.draw(st.integers(x0 + 1, 36)), data.draw(st.integers(y0 + 1, 24)))
    out = stretch.box_out(box, (24, 36))
    assert out[0] <= x0 * 70 / 36 < out[0] + 1 and out[2] - 1 < box[2] * 70 / 36 <= out[2]
    assert out[1] <= y0 * 50 / 24 < out[1] + 1 and out[3] - 1 < box[3] * 50 / 24 <= out[3]


pictures = st.tuples(st.integers(1, 400), st.integers(1, 400))


@st.composite
def windows(draw):
    """A window around a box of whole pixels, with the box and the picture's height and width."""
    height, width = picture = draw(pictures)
    x0, y0 = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    box = Box(x0, y0, draw(st.integers(x0 + 1, width)), draw(st.integers(y0 + 1, height)))
    side = max(box.x1 - box.x0, box.y1 - box.y0) * draw(st.floats(1, 4))
    inner = draw(st.tuples(st.integers(1, 300), st.integers(1, 300)))
    return Window.around(box, side, picture, inner), box, picture, side


@given(windows())
def test_a_window_lies_in_the_picture_around_its_box(drawn):
    window, box, (height, width), side = drawn
    assert 0 <= window.x0 <= box.x0 and box.x1 <= window.x1 <= width
    assert 0 <= window.y0 <= box.y0 and box.y1 <= window.y1 <= height
    assert window.size == (min(math.ceil(side), height), min(math.ceil(side), width))


def test_a_window_is_in_the_middle_where_there_is_room():
    assert Window.around(Box(40, 60, 50, 70), 30, (200, 100), (8, 8)) == Window(
        30, 50, 60, 80, 8, 8
    )
    assert Window.around(Box(0, 60, 10, 70), 30, (200, 100), (8, 8)).x0 == 0
    assert Window.around(Box(90, 60, 100, 70), 30, (200, 100), (8, 8)).x1 == 100


@given(windows(), positions, positions)
def test_points_come_back_from_a_window(drawn, x, y):
    window = drawn[0]
    assert window.point_out(*window.point_in(x, y)) == pytest.approx((x, y), abs=1e-6)
    assert window.point_in(window.x0, window.y0) == (0, 0)
    corner = (window.inner_width, window.inner_height)
    assert window.point_in(window.x1, window.y1) == pytest.approx(corner)


@given(windows())
def test_a_window_of_its_own_size_is_cut_and_pasted_to_the_pixel(drawn):
    window, _, (height, width), _ = drawn
    window = replace(window, inner_height=window.size[0], inner_width=window.size[1])
    values = np.random.default_rng(0).random((height, width), np.float32)
    back = window.paste(window.cut(values), (height, width), -1.0)
    seen = np.zeros((height, width), bool)
    seen[window.y0 : window.y1, window.x0 : window.x1] = True
    np.testing.assert_array_equal(back[seen], values[seen])
    assert (back[~seen] == -1).all()


@pytest.mark.parametrize("inner", [(64, 64), (24, 40), (200, 150)])
def test_a_window_shows_things_where_its_coordinates_say(inner):
    window = Window(30, 10, 110, 90, *inner)
    picture = disc(100, 120, 60, 40, 12).astype(np.float32)
    mass = inside = window.cut(picture)
    assert inside.shape == inner
    rows, columns = np.mgrid[: inner[0], : inner[1]] + 0.5
    centre = (float((mass * columns).sum() / mass.sum()), float((mass * rows).sum() / mass.sum()))
    assert centre == pytest.approx(window.point_in(60, 40), abs=0.1)
    back = window.paste(inside, (100, 120), 0.0) > 0.5
    assert (back & (picture > 0.5)).sum() / (back | (picture > 0.5)).sum() > 0.85


def test_a_window_averages_what_it_shrinks():
    stripes = np.tile(np.arange(64, dtype=np.float32) % 2, (64, 1))
    inside = Window(0, 0, 64, 64, 8, 8).cut(stripes)[1:-1, 1:-1]
    np.testing.assert_allclose(inside, 0.5, atol=0.01)


def test_a_window_shows_pictures_as_it_shows_maps():
    values = np.random.default_rng(0).integers(0, 256, (100, 120), np.uint8)
    window = Window(30, 10, 110, 90, 64, 40)
    picture = window.cut(np.stack([values] * 3, 2))
    np.testing.assert_allclose(picture[..., 1], window.cut(values.astype(np.float32)), atol=1)
