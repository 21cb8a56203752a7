"""Prompts, and plain values that stand for them."""

import numpy as np
import pytest

from fake import fake_tracker
from masktrail.errors import InputError
from masktrail.masks import write_labels
from masktrail.prompts.kinds import Box, Mask, Points, as_prompt
from masktrail.run.plan import by_frame

HEIGHT, WIDTH = 48, 64
IMAGE = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
LABELS = np.zeros((HEIGHT, WIDTH), np.uint16)
LABELS[8:24, 8:24] = 3
LABELS[28:44, 8:24] = 300


@pytest.mark.parametrize(
    ("plain", "prompt"),
    [
        ((8, 8, 24, 24), Box(8, 8, 24, 24)),
        ([8, 8, 24, 24], Box(8, 8, 24, 24)),
        (np.array([8, 8, 24, 24], np.float32), Box(8, 8, 24, 24)),
        (LABELS == 3, Mask(LABELS == 3)),
        ((LABELS == 3).astype(np.uint8) * 255, Mask(LABELS == 3)),
        ((LABELS == 3).astype(np.float32), Mask(LABELS == 3)),
    ],
)
def test_plain_values_stand_for_prompts(plain, prompt) -> None:
    given, meant = (fake_tracker().step(IMAGE, {7: each}) for each in (plain, prompt))
    assert given == meant and given.objects[7].box == (8, 8, 24, 24)
    assert as_prompt(prompt) is prompt
    assert type(by_frame({7: plain}, 5)[5][7]) is type(by_frame({2: {7: plain}}, 0)[2][7])
    assert type(by_frame({7: plain}, 5)[5][7]) is type(prompt)


@pytest.mark.parametrize("wrong", [(1, 2, 3), "8,8,24,24", np.zeros((2, 2, 2)), 5, None, {}])
def test_what_stands_for_no_prompt_is_told(wrong) -> None:
    with pytest.raises(InputError, match="object 7"):
        fake_tracker().step(IMAGE, {7: wrong})


def test_clicks_lie_on_the_object_unless_said() -> None:
    assert Points([(1, 2), (3, 4)]) == Points([(1, 2), (3, 4)], [True, True])
    at = np.array([[10, 12], [14, 16]])
    assert tuple(Points(at).labels) == (True, True)
    result = fake_tracker().step(IMAGE, {1: Points(at)})
    assert result.objects[1].area == 9 * 2


def test_every_object_of_a_label_map_is_a_prompt(tmp_path) -> None:
    prompts = Mask.from_labels(LABELS)
    assert prompts == {3: Mask(LABELS == 3), 300: Mask(LABELS == 300)}
    np.testing.assert_array_equal(fake_tracker().step(IMAGE, prompts).labels, LABELS)
    write_labels(tmp_path / "first.png", LABELS)
    assert Mask.from_file(tmp_path / "first.png") == prompts
    assert Mask.from_labels(LABELS > 0) == {1: Mask(LABELS > 0)}
    assert list(Mask.from_labels([[0, 2], [2, 5]])) == [2, 5]


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (np.zeros((4, 4), np.uint8), "holds background alone; expected object ids from 1"),
        (np.full((4, 4), -1), "holds values from -1 to -1"),
        (np.full((4, 4), 70000), "values from 70000 to 70000; expected .* 65535"),
        (np.ones((4, 4), np.float32), r"not float32 \(4, 4\); a soft mask of one object is given"),
        (
            np.ones((4, 4, 3), np.uint8),
            r"of whole numbers, not uint8 \(4, 4, 3\)",
        ),
        ("first.png", "not <U9"),
    ],
)
def test_what_is_no_label_map_is_told(labels, told) -> None:
    with pytest.raises(InputError, match=told):
        Mask.from_labels(labels)


def test_files_that_mark_nothing_are_told(tmp_path) -> None:
    with pytest.raises(InputError, match="missing"):
        Mask.from_file(tmp_path / "missing.png")
    write_labels(tmp_path / "empty.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(InputError, match="is empty: no object is marked"):
        Mask.from_file(tmp_path / "empty.png")
