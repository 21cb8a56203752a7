"""Boxes and masks as they are written on a command line."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masktrail.errors import InputError
from masktrail.masks import write_labels
from masktrail.prompts.text import parse_box, read_prompts
from masktrail.types import Box, Mask

numbers = st.decimals(-10000, 10000, places=3)


@settings(deadline=None)
@given(st.integers(1, 65535), numbers, numbers, numbers, numbers, st.sampled_from(["", " ", "\t"]))
def test_a_box_is_read_as_it_was_written(object_id, x0, y0, x1, y1, space):
    corners = f"{space},{space}".join(str(n) for n in (x0, y0, x1, y1))
    expected = Box(*(float(n) for n in (x0, y0, x1, y1)))
    assert parse_box(f"{space}{object_id}{space}:{space}{corners}{space}") == (object_id, expected)


@pytest.mark.parametrize(
    "text",
    ["", "1", "1:", "1:1,2,3", "1:1,2,3,4,5", "1,2,3,4", ":1,2,3,4", "a:1,2,3,4", "-1:1,2,3,4",
     "1:1,2,3,x", "1:1,2,3,", "1:1;2;3;4", "1:1e3,2,3,4", "1:nan,2,3,4", "1:inf,2,3,4",
     "1:1,2,3,4\n1:1,2,3,4", "1.5:1,2,3,4", "9" * 5000 + ":1,2,3,4"],
)  # fmt: skip
def test_a_malformed_box_is_refused_with_the_form_it_should_have(text):
    with pytest.raises(InputError, match="cannot be read; write ID:x0,y0,x1,y1"):
        parse_box(text)


@settings(deadline=None)
@given(st.text("0123456789:,.- x", max_size=20))
def test_any_text_is_a_box_or_refused(text):
    try:
        object_id, box = parse_box(text)
    except InputError:
        return
    assert object_id == int(text.split(":")[0])
    assert (box.x0, box.y1) == tuple(
        float(Decimal(text.split(":")[1].split(",")[i].strip())) for i in (0, 3)
    )


@pytest.fixture
def picture(tmp_path):
    """A mask of the objects 2 and 7."""
    labels = np.zeros((48, 64), np.uint8)
    labels[5:20, 5:20], labels[30:40, 30:60] = 2, 7
    write_labels(tmp_path / "first.png", labels)
    return tmp_path / "first.png", labels


def test_a_mask_and_boxes_together(picture):
    path, labels = picture
    prompts = read_prompts(path, ["3:1,2,3,4", "300:5,6,7,8"])
    assert set(prompts) == {2, 7, 3, 300}
    assert prompts[300] == Box(5, 6, 7, 8)
    for object_id in (2, 7):
        assert isinstance(prompts[object_id], Mask)
        np.testing.assert_array_equal(prompts[object_id].mask, labels == object_id)


@pytest.mark.parametrize(
    ("with_mask", "boxes", "twice"),
    [(True, ["7:1,2,3,4"], 7), (False, ["1:1,2,3,4", "1:5,6,7,8"], 1)],
)
def test_an_id_twice_is_refused(picture, with_mask, boxes, twice):
    with pytest.raises(InputError, match=f"Object {twice} is marked twice"):
        read_prompts(picture[0] if with_mask else None, boxes)


def test_nothing_at_all_is_refused():
    with pytest.raises(InputError, match="nothing to track; mark an object with --mask"):
        read_prompts(None, [])
