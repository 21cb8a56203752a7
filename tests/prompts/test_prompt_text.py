"""Prompts as they are written on a command line."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from masktrail.errors import InputError
from masktrail.masks import write_labels
from masktrail.prompts.kinds import Box, Mask, Points
from masktrail.prompts.text import parse_box, parse_frame, parse_point, read_prompts

numbers = st.decimals(-10000, 10000, places=3)


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
    given = [("mask", str(path)), ("box", "3:1,2,3,4"), ("box", "300:5,6,7,8")]
    (prompts,) = read_prompts(given).values()
    assert set(prompts) == {2, 7, 3, 300}
    assert prompts[300] == Box(5, 6, 7, 8)
    for object_id in (2, 7):
        assert isinstance(prompts[object_id], Mask)
        np.testing.assert_array_equal(prompts[object_id].mask, labels == object_id)


@given(st.integers(1, 65535), numbers, numbers)
def test_a_point_is_read_as_it_was_written(object_id, x, y):
    assert parse_point(f"{object_id}:{x},{y}") == (object_id, (float(x), float(y)))


@pytest.mark.parametrize("text", ["", "1:2", "1:2,3,4", "1,2", "a:1,2", "1:1,x", "1:1;2", "-1:2,3"])
def test_a_malformed_point_is_refused_with_the_form_it_should_have(text):
    with pytest.raises(InputError) as refusal:
        parse_point(text)
    assert str(refusal.value) == f"The point {text!r} cannot be read; write ID:x,y, as 1:90,120."


@pytest.mark.parametrize("text", ["", "-1", "1.5", "x", "1e3", "\u00b2", "9" * 5000])
def test_a_malformed_frame_is_refused_with_the_form_it_should_have(text):
    with pytest.raises(InputError, match=r"^The frame .* cannot be read; .* as --at 30\.$"):
        parse_frame(text)


def test_what_is_said_of_one_object_is_put_together(picture):
    given = [
        ("point", "1:5,6"), ("box", "4:1,2,30,40"), ("not_point", "4:8,9"), ("point", "1:7,8"),
        ("not_point", "2:9,9"), ("mask", str(picture[0])), ("not_point", "1:1,1"),
    ]  # fmt: skip
    (prompts,) = read_prompts(given).values()
    assert prompts[1] == Points(((5, 6), (7, 8), (1, 1)), (True, True, False))
    assert prompts[4] == Points(((8, 9),), (False,), Box(1, 2, 30, 40))
    assert isinstance(prompts[2], Points) and prompts[2].labels == (False,)
    np.testing.assert_array_equal(prompts[2].mask.mask, picture[1] == 2)
    assert isinstance(prompts[7], Mask)


def test_at_says_what_frame_all_that_follows_is_for():
    given = [
        ("point", "1:5,6"), ("at", "30"), ("not_point", "1:7,8"), ("box", "2:1,2,3,4"),
        ("at", "12"), ("box", "2:5,6,7,8"), ("at", "30"), ("point", "1:9,9"),
    ]  # fmt: skip
    prompts = read_prompts(given, first=10)
    assert list(prompts) == [10, 12, 30]
    assert prompts[10] == {1: Points(((5, 6),), (True,))}
    assert prompts[12] == {2: Box(5, 6, 7, 8)}
    assert prompts[30] == {1: Points(((7, 8), (9, 9)), (False, True)), 2: Box(1, 2, 3, 4)}
    assert list(read_prompts([("at", "5"), ("box", "1:1,2,3,4")])) == [5]


BOX = ("box", "1:1,2,3,4")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([BOX, ("box", "1:5,6,7,8")], "Object 1 is marked twice, the second time by 1:5,6,7,8;"),
        ([BOX, ("at", "15")], "--at 15 is followed by no prompt; .* as --at 15 --point 1:90,120"),
        ([("at", "15"), ("at", "16"), BOX], "--at 15 is followed by no prompt"),
        ([("at", "3"), BOX], "--at 3 lies before the first frame .* 10; .* as --at 10"),
        ([BOX, ("not_point", "3:5,6")], "no object 3 that --not-point 3:5,6 .*--point 3:90,120"),
        ([], "nothing to track; mark an object with --mask"),
        ([("box", "1:1,2")], "box '1:1,2' cannot be read"),
        ([("not_point", "1:1")], "point '1:1' cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(given, told):
    with pytest.raises(InputError, match=told) as refusal:
        read_prompts(given, first=10)
    assert "\n" not in str(refusal.value) and str(refusal.value).endswith(".")


def test_a_box_and_a_mask_of_one_object_are_refused_in_one_frame_only(picture):
    mask = ("mask", str(picture[0]))
    for both in ([mask, ("box", "7:1,2,3,4")], [("box", "7:1,2,3,4"), mask], [mask, mask]):
        with pytest.raises(InputError, match=r"Object [27] is marked twice"):
            read_prompts(both)
    assert set(read_prompts([mask, ("at", "9"), ("box", "7:1,2,3,4")])) == {0, 9}


def test_an_object_may_be_marked_in_one_frame_and_clicked_off_in_another():
    given = [BOX, ("at", "9"), ("not_point", "1:2,3")]
    assert read_prompts(given)[9] == {1: Points(((2, 3),), (False,))}


def test_a_colour_is_one_object_in_all_masks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, colours in (("0", ("red", "lime")), ("8", ("red",)), ("9", ("lime",))):
        picture = Image.new("RGB", (40, 30))
        for colour in colours:
            left = 2 if colour == "red" else 22
            picture.paste(colour, (left, 5, left + 10, 20))
        picture.save(tmp_path / f"{name}.png")
    paths = {frame: str(tmp_path / f"{frame}.png") for frame in (0, 8, 9)}
    found = read_prompts([
        ("mask", paths[0]), ("at", "8"), ("mask", paths[8]), ("at", "9"), ("mask", paths[9]),
    ])  # fmt: skip
    assert {frame: list(objects) for frame, objects in found.items()} == {0: [1, 2], 8: [2], 9: [1]}
    assert caplog.text.count("1 = rgb(0, 255, 0), 2 = rgb(255, 0, 0)") == 1
