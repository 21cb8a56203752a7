"""What results say without any glue."""

import copy
import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from fake import fake_tracker
from masktrail.errors import InputError
from masktrail.masks.draw import overlay
from masktrail.prompts.kinds import Box
from masktrail.results import NOT_KEPT, ObjectResult, Result, described

HEIGHT, WIDTH = 48, 64
IMAGE = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)


def tracked(frames: int = 1, **prompts: Box) -> Result:
    tracker = fake_tracker()
    given = {int(name[1:]): box for name, box in prompts.items()}
    result = tracker.step(IMAGE, given)
    for _ in range(frames - 1):
        result = tracker.step(IMAGE)
    return result


def test_masks_are_told_by_id() -> None:
    result = tracked(_1=Box(8, 8, 24, 24), _300=Box(30, 30, 40, 40))
    assert list(result.masks()) == [1, 300]
    for object_id, mask in result.masks().items():
        assert mask.dtype == bool and mask.shape == (HEIGHT, WIDTH)
        np.testing.assert_array_equal(mask, result.labels == object_id)
        np.testing.assert_array_equal(mask, result.mask(object_id))
    gone = tracked(20, _1=Box(40, 8, 60, 24))
    assert gone.objects[1].state == "lost" and not gone.mask(1).any()
    with pytest.raises(InputError, match=r"no object 7 in this result; it has 1, 300\."):
        result.mask(7)
    with pytest.raises(InputError, match=r"no object 'a' in this result; it has none\."):
        fake_tracker().step(IMAGE).mask("a")  # type: ignore[arg-type]


def test_soft_masks_are_a_mapping_and_empty_without_objects() -> None:
    result = tracked(2, _1=Box(8, 8, 24, 24), _2=Box(30, 30, 40, 40))
    assert list(result.soft) == [1, 2] and len(result.soft) == 2 and 3 not in result.soft
    for object_id, soft in result.soft.items():
        assert soft.dtype == np.float32 and soft.shape == (HEIGHT, WIDTH)
        np.testing.assert_array_equal(soft > 0.5, result.mask(object_id))
    nothing = fake_tracker().step(IMAGE)
    assert nothing.soft == {} and nothing.soft is not NOT_KEPT
    assert Result(nothing.labels).soft == {} and Result(nothing.labels).soft is NOT_KEPT


def test_results_are_sent_to_other_processes_and_copied() -> None:
    result = tracked(2, _1=Box(8, 8, 24, 24))
    for again in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result)):
        assert again == result
        np.testing.assert_array_equal(again.soft[1], result.soft[1])
    bare = Result(result.labels)
    for again in (pickle.loads(pickle.dumps(bare)), copy.deepcopy(bare)):
        assert again.soft is NOT_KEPT


def test_the_middle_of_a_mask_is_told() -> None:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[3, 5] = True
    assert described(mask, 0.5, False) == ObjectResult(
        0.5, 1, (5, 3, 6, 4), "present", centroid=(5.5, 3.5)
    )
    mask = np.random.default_rng(1).random((HEIGHT, WIDTH)) < 0.1
    y, x = np.argwhere(mask).mean(0) + 0.5
    assert described(mask, 0.5, False).centroid == pytest.approx((x, y))
    assert described(np.zeros_like(mask), 0.5, False).centroid is None


def test_objects_are_drawn_into_pictures_of_either_order() -> None:
    result, image = tracked(_1=Box(8, 8, 24, 24)), IMAGE.copy()
    drawn = result.draw(image)
    np.testing.assert_array_equal(drawn, overlay(IMAGE, result.labels))
    np.testing.assert_array_equal(image, IMAGE)
    np.testing.assert_array_equal(result.draw(IMAGE[..., ::-1], colour="bgr"), drawn[..., ::-1])
    plain = result.draw(IMAGE, alpha=0, outline=False)
    np.testing.assert_array_equal(plain, IMAGE)


@pytest.mark.parametrize(
    ("image", "colour", "told"),
    [
        (IMAGE[:-1], "rgb", "This image is 64x47, the result of a frame of 64x48"),
        (None, "rgb", "must be a numpy array, uint8 RGB"),
        (IMAGE, "hsv", "Frames are rgb or bgr, not 'hsv'"),
    ],
)
def test_what_cannot_be_drawn_into_is_told(image, colour, told) -> None:
    with pytest.raises(InputError, match=told):
        tracked(_1=Box(8, 8, 24, 24)).draw(image, colour=colour)


def test_what_supervision_is_given(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    result = tracked(2, _1=Box(8, 8, 24, 24), _7=Box(40, 30, 63, 40))
    with pytest.raises(InputError, match="pip install supervision"):
        result.to_supervision()
    monkeypatch.setitem(sys.modules, "supervision", SimpleNamespace(Detections=SimpleNamespace))
    found = result.to_supervision()
    assert found.xyxy.tolist() == [list(o.box) for o in result.objects.values() if o.box]
    assert found.mask.dtype == bool and found.mask.shape == (2, HEIGHT, WIDTH)
    np.testing.assert_array_equal(found.mask[1], result.mask(7))
    assert found.tracker_id.tolist() == [1, 7] and found.class_id.tolist() == [0, 0]
    assert found.confidence.tolist() == pytest.approx([o.score for o in result.objects.values()])


def test_supervision_itself_takes_them() -> None:
    supervision = pytest.importorskip("supervision")
    result = tracked(2, _1=Box(8, 8, 24, 24))
    found = result.to_supervision()
    assert isinstance(found, supervision.Detections) and len(found) == 1
    assert found.area.tolist() == [result.objects[1].area]
    gone = tracked(20, _1=Box(40, 8, 60, 24)).to_supervision()
    assert isinstance(gone, supervision.Detections) and len(gone) == 0
