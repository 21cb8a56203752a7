"""What is the tracker's own: ids, prompts, sizes, competition and what is said of each object."""

from fractions import Fraction
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from PIL import Image as Picture

from fake import FakePropagator, fake_tracker, memory_tracker
from masktrail.errors import InputError
from masktrail.masks import tight_box
from masktrail.prompts.kinds import Box, Mask, Points
from masktrail.run.states import packed_state, unpacked_state
from masktrail.tracking.tracker import Tracker
from masktrail.types import Frame
from painted_videos import paint_clip

HEIGHT, WIDTH = 48, 64
IMAGE = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def rectangle(x0: int, y0: int, x1: int, y1: int) -> Mask:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y0:y1, x0:x1] = True
    return Mask(mask)


SQUARE = rectangle(8, 8, 24, 24)
OTHER = rectangle(8, 28, 24, 44)


def test_without_a_prompt_all_is_background():
    tracker = fake_tracker()
    for _ in range(3):
        result = tracker.step(IMAGE)
        assert result.objects == {} and tracker.ids == ()
        assert result.labels.dtype == np.uint8 and result.labels.shape == (HEIGHT, WIDTH)
        assert not result.labels.any()


def test_objects_keep_their_ids_and_move_with_the_propagator():
    tracker = fake_tracker()
    tracker.step(IMAGE, {7: SQUARE})
    for t in range(1, 5):
        result = tracker.step(IMAGE)
        assert result.objects[7].box == (8 + 4 * t, 8, 24 + 4 * t, 24)
        np.testing.assert_array_equal(np.unique(result.labels), [0, 7])


def test_ids_above_255_make_wide_labels():
    tracker = fake_tracker()
    assert tracker.step(IMAGE, {7: SQUARE}).labels.dtype == np.uint8
    result = tracker.step(IMAGE, {300: OTHER})
    assert result.labels.dtype == np.uint16 and tracker.ids == (7, 300)
    np.testing.assert_array_equal(np.unique(result.labels), [0, 7, 300])
    tracker.remove(300)
    assert tracker.step(IMAGE).labels.dtype == np.uint8


def test_objects_are_added_removed_and_added_again():
    tracker = fake_tracker()
    tracker.step(IMAGE, {1: SQUARE})
    assert set(tracker.step(IMAGE, {2: OTHER}).objects) == {1, 2}
    tracker.remove(1)
    assert tracker.ids == (2,) and set(tracker.step(IMAGE).objects) == {2}
    result = tracker.step(IMAGE, {1: SQUARE})
    assert result.objects[1].box == (8, 8, 24, 24)
    assert result.objects[2].box == (16, 28, 32, 44)


def test_ids_are_integers_of_any_library():
    tracker = fake_tracker()
    result = tracker.step(IMAGE, {np.int64(7): SQUARE, np.uint8(3): OTHER})
    assert [type(i) for i in (*result.objects, *tracker.ids)] == [int] * 4
    again = fake_tracker()
    again.load_state_dict(unpacked_state(packed_state(tracker.state_dict())))
    assert again.ids == (3, 7)


@pytest.mark.parametrize("wrong", [1.5, 2.0, True, np.True_, "1", None, (1,)])
def test_what_is_no_integer_is_no_id(wrong):
    tracker = fake_tracker()
    with pytest.raises(InputError, match=r"The object id .* is no integer; give one, as 1\."):
        tracker.step(IMAGE, {wrong: SQUARE, 5: OTHER})
    assert not tracker.ids


def test_a_tracker_says_what_it_is():
    tracker = fake_tracker()
    assert repr(tracker) == "<Tracker, FakePropagator at 64 px, none float, no objects>"
    tracker.step(IMAGE, {1: SQUARE, 3: OTHER})
    assert repr(tracker).endswith(", objects 1, 3>")


def test_removing_the_last_object_leaves_background():
    tracker = fake_tracker()
    tracker.step(IMAGE, {1: SQUARE})
    tracker.remove(1)
    assert not tracker.step(IMAGE).labels.any()


def test_removing_what_is_not_there_is_told():
    tracker = fake_tracker()
    with pytest.raises(InputError, match="no object 3 to remove; tracked are none"):
        tracker.remove(3)
    tracker.step(IMAGE, {1: SQUARE})
    with pytest.raises(InputError, match=r"no object 3 to remove; tracked are \[1\]"):
        tracker.remove(3)


def ragged(seed: int) -> Mask:
    """A mask that no coarse grid can hold."""
    return Mask(np.random.default_rng(seed).random((HEIGHT, WIDTH)) < 0.3)


@pytest.mark.parametrize("late", [False, True])
def test_a_prompted_mask_comes_out_as_it_went_in(late):
    tracker = fake_tracker()
    if late:
        tracker.step(IMAGE, {1: SQUARE, 2: OTHER})
    result = tracker.step(IMAGE, {2: ragged(0)})
    np.testing.assert_array_equal(result.labels == 2, ragged(0).mask)
    assert result.objects[2].area == ragged(0).mask.sum()


def test_a_single_pixel_is_kept():
    dot = rectangle(33, 21, 34, 22)
    found = fake_tracker().step(IMAGE, {1: dot}).objects[1]
    assert (found.area, found.box, found.state) == (1, (33, 21, 34, 22), "present")


def test_of_overlapping_prompts_the_smaller_lies_on_top():
    masks = {
        9: rectangle(10, 10, 40, 40),
        300: rectangle(20, 20, 30, 50),
        4: rectangle(0, 0, 50, 48),
    }
    tracker = fake_tracker()
    labels = tracker.step(IMAGE, masks).labels
    np.testing.assert_array_equal(labels == 300, masks[300].mask)
    np.testing.assert_array_equal(labels == 9, masks[9].mask & ~masks[300].mask)
    np.testing.assert_array_equal(labels == 4, masks[4].mask & ~masks[9].mask & ~masks[300].mask)
    assert not (tracker.given[9] & tracker.given[300]).any()
    with pytest.raises(InputError, match="objects 1 and 2 mark the same pixels"):
        fake_tracker().step(IMAGE, {1: Box(4, 4, 20, 20), 2: Box(4, 4, 20, 20)})


def test_a_known_object_can_be_corrected():
    tracker = fake_tracker()
    tracker.step(IMAGE, {1: SQUARE})
    tracker.step(IMAGE, {1: OTHER})
    assert tracker.step(IMAGE).objects[1].box == (12, 28, 28, 44)


def test_a_box_becomes_a_mask_cut_to_the_frame():
    result = fake_tracker().step(IMAGE, {1: Box(50, -10, 80, 12)})
    assert result.objects[1].box == (50, 0, 64, 12)


def test_results_describe_their_labels():
    tracker = fake_tracker()
    tracker.step(IMAGE, {1: SQUARE, 2: OTHER})
    for _ in range(4):
        result = tracker.step(IMAGE)
        for object_id, found in result.objects.items():
            mask = result.labels == object_id
            assert (found.area, found.box) == (mask.sum(), tight_box(mask))
            assert found.state == "present" and 0.9 < found.score <= 1


def test_what_leaves_the_frame_is_lost():
    tracker = fake_tracker()
    tracker.step(IMAGE, {1: SQUARE})
    for _ in range(15):
        result = tracker.step(IMAGE)
    lost = result.objects[1]
    assert (lost.score, lost.area, lost.box, lost.state) == (0.0, 0, None, "lost")
    assert tracker.ids == (1,)


def test_an_object_hidden_by_a_prompt_is_lost_for_the_propagator_too():
    tracker = fake_tracker()
    tracker.step(IMAGE, {1: SQUARE})
    result = tracker.step(IMAGE, {2: rectangle(0, 0, WIDTH, HEIGHT)})
    assert result.objects[1].state == "lost"
    scores, prompted = tracker.propagator.told[-1]
    assert scores[1] == 0.0 and prompted == {2}


def test_the_stronger_object_wins_a_pixel():
    tracker = fake_tracker()
    tracker.step(IMAGE, {1: SQUARE, 2: rectangle(24, 8, 40, 24)})
    masks = tracker.propagator.masks
    masks[1] = masks[1] * 0.8
    masks[2] = masks[2].copy()
    masks[2][:, :6] = masks[2].max()
    labels = tracker.step(IMAGE).labels
    assert (labels[12:20, 14:20] == 2).all()


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (IMAGE.astype(np.float32), r"uint8 RGB of shape \(H, W, 3\), not float32"),
        (IMAGE[..., 0], r"not uint8 \(48, 64\)"),
        (np.zeros((48, 64, 4), np.uint8), r"not uint8 \(48, 64, 4\)"),
        (np.zeros((64, 48, 3), np.uint8), "This frame is 48x64, the video so far 64x48"),
        (np.zeros((0, 0, 3), np.uint8), r"has no pixels, its shape is \(0, 0, 3\)"),
        (Picture.fromarray(IMAGE), r"not PIL\.Image; numpy\.asarray makes one of most pictures"),
        (torch.from_numpy(IMAGE), r"not torch\.Tensor; numpy\.asarray"),
        (IMAGE.tolist(), "not list; numpy"),
        (None, "not NoneType; numpy"),
        (Frame(IMAGE, 0, 0, Fraction(1, 25)), r"give its image, as tracker\.step\(frame\.image\)"),
        ({1: SQUARE}, "not dict; the frame comes before its prompts"),
    ],
)
def test_frames_that_do_not_belong_are_refused(image, told):
    tracker = fake_tracker()
    tracker.step(IMAGE, {1: SQUARE})
    with pytest.raises(InputError, match=told):
        tracker.step(image)
    assert tracker.step(IMAGE).objects[1].box == (12, 8, 28, 24)  # nothing has happened


@pytest.mark.parametrize("prompts", [SQUARE, [SQUARE], SQUARE.mask])
def test_prompts_without_ids_are_refused(prompts):
    with pytest.raises(InputError, match=r"by object id, as \{1: Box\(0, 0, 64, 48\)\}, not as "):
        fake_tracker().step(IMAGE, prompts)


def test_a_refused_prompt_changes_nothing():
    tracker = fake_tracker()
    tracker.step(IMAGE, {1: SQUARE})
    with pytest.raises(InputError, match="object 5 is empty"):
        tracker.step(IMAGE, {2: OTHER, 5: rectangle(0, 0, 0, 0)})
    assert tracker.ids == (1,)
    assert tracker.step(IMAGE).objects[1].box == (12, 8, 28, 24)


@pytest.mark.parametrize("part", ["propagate", "update"])
def test_an_interrupt_leaves_no_object_without_memory(monkeypatch, part):
    tracker = fake_tracker()
    for prompts in ({1: SQUARE}, {2: OTHER}):
        before = tracker.ids
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(tracker.propagator, part, Mock(side_effect=KeyboardInterrupt))
            tracker.step(IMAGE, prompts)
        assert tracker.ids == before and set(tracker.step(IMAGE).objects) == set(before)
        tracker.step(IMAGE, prompts)
        assert set(tracker.step(IMAGE).objects) == {*before, *prompts}


STATE = ("ids", "size", "frame", "before", "usual", "propagator")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda state: {},
            r"no state of a tracker: it has no before, frame, ids, propagator",
        ),
        *(
            (lambda state, key=key: {k: v for k, v in state.items() if k != key}, f"has no {key};")
            for key in STATE
        ),
        *(
            (lambda state, at=at: {**state, "model": {**state["model"], **at}}, told)
            for at, told in (
                ({"family": "Memory"}, "with family Memory, not Fake; load the model as it was"),
                ({"weights": "a1b2"}, "with weights a1b2, not None"),
                ({"precision": "int8"}, "with precision int8, not float"),
                ({"settings": {"top_k": 3}}, r"with settings \{'top_k': 3\}, not \{\}"),
            )
        ),
    ],
)
def test_a_state_of_something_else_changes_nothing(change, told):
    tracker, other = fake_tracker(), fake_tracker(size=48)
    tracker.step(IMAGE, {1: SQUARE})
    other.step(np.zeros((100, 100, 3), np.uint8), {5: Mask(np.eye(100, dtype=bool))})
    with pytest.raises(InputError, match=told):
        tracker.load_state_dict(change(other.state_dict()))
    assert tracker.ids == (1,) and tracker.size == 64
    assert tracker.step(IMAGE).objects[1].box == (12, 8, 28, 24)


def test_a_state_that_cannot_be_read_changes_nothing():
    tracker, other = fake_tracker(), fake_tracker()
    tracker.step(IMAGE, {1: SQUARE})
    with pytest.raises(TypeError):
        tracker.load_state_dict({**other.state_dict(), "propagator": 5})
    assert tracker.ids == (1,)
    assert tracker.step(IMAGE).objects[1].box == (12, 8, 28, 24)


def test_a_state_of_an_early_version_said_nothing_of_its_model():
    tracker, other = fake_tracker(), fake_tracker()
    tracker.step(IMAGE, {1: SQUARE})
    other.load_state_dict({k: v for k, v in tracker.state_dict().items() if k != "model"})
    assert other.step(IMAGE).objects[1].box == (12, 8, 28, 24)


def test_the_working_size_is_part_of_the_state():
    tracker = fake_tracker(size=48)
    tracker.step(np.zeros((100, 100, 3), np.uint8), {1: Mask(np.eye(100, dtype=bool))})
    again = fake_tracker(size=64)
    again.load_state_dict(tracker.state_dict())
    assert again.size == 48
    same = again.step(np.zeros((100, 100, 3), np.uint8))
    np.testing.assert_array_equal(
        same.labels, tracker.step(np.zeros((100, 100, 3), np.uint8)).labels
    )


def said(tracker: Tracker, image: np.ndarray) -> np.ndarray:
    """Labels and logits of the next frame in one row: an untrained network may mark nothing."""
    labels = tracker.step(image).labels
    logits = [tracker.logits[i] for i in tracker.ids]
    return np.concatenate([labels.ravel(), np.ravel(logits)])


def test_a_state_is_a_snapshot():
    clip = paint_clip(8, (WIDTH, HEIGHT))
    tracker = memory_tracker(every=1)
    tracker.step(clip.images[0], {1: Mask(clip.labels[0] == 1)})
    state = tracker.state_dict()
    first = [said(tracker, image) for image in clip.images[1:]]
    tracker.load_state_dict(state)
    second = [said(tracker, image) for image in clip.images[1:]]
    np.testing.assert_array_equal(first, second)


def test_the_order_of_prompts_does_not_matter():
    clip = paint_clip(6, (WIDTH, HEIGHT), objects=3)
    masks = {i: Mask(clip.labels[0] == i) for i in (1, 2, 3)}
    runs = []
    for order in ((1, 2, 3), (3, 1, 2)):
        tracker = memory_tracker()
        first = tracker.step(clip.images[0], {i: masks[i] for i in order})
        np.testing.assert_array_equal(first.labels, np.where(clip.labels[0] < 4, clip.labels[0], 0))
        runs.append([said(tracker, image) for image in clip.images[1:]])
    np.testing.assert_array_equal(runs[0], runs[1])


def test_ids_are_names_only():
    clip = paint_clip(6, (WIDTH, HEIGHT))
    plain, renamed = memory_tracker(), memory_tracker()
    names = {1: 40000, 2: 5}
    for t, image in enumerate(clip.images):
        masks = {i: Mask(clip.labels[0] == i) for i in names} if t == 0 else {}
        one = plain.step(image, masks)
        two = renamed.step(image, {names[i]: mask for i, mask in masks.items()})
        for i, name in names.items():  # slots differ, so do the last bits of sums
            assert np.mean((one.labels == i) != (two.labels == name)) < 0.005
            assert one.objects[i].score == pytest.approx(two.objects[name].score, abs=1e-3)


def test_clicks_mark_a_new_object():
    result = fake_tracker().step(IMAGE, {3: Points([(20, 10)], [True])})
    assert result.objects[3].box == (19, 9, 22, 12)


def test_clicks_alone_correct_what_is_tracked():
    tracker = fake_tracker()
    tracker.step(IMAGE, {1: SQUARE, 2: OTHER})
    clicks = Points([(50, 10), (14, 10)], [True, False])
    result = tracker.step(IMAGE, {1: clicks})
    expected = rectangle(12, 8, 28, 24).mask  # moved on by the propagator
    expected[9:12, 49:52], expected[9:12, 13:16] = True, False
    wrong = (result.labels == 1) ^ expected
    assert wrong.sum() < 16 and not wrong[9:12, 13:26].any() and not wrong[:, 40:].any(), "corners"
    assert result.objects[2].box == (12, 28, 28, 44)
    assert tracker.propagator.told[-1][1] == {1}, "kept for good"


@pytest.mark.parametrize("beside", [{"box": Box(8, 28, 24, 44)}, {"mask": OTHER}])
def test_clicks_beside_a_box_or_a_mask_start_afresh(beside):
    seen = []

    def prompter(image, prompt, previous):
        seen.append(previous)
        return SQUARE.mask

    tracker = Tracker(FakePropagator(), 64, prompter)
    tracker.step(IMAGE, {1: SQUARE})
    tracker.step(IMAGE, {1: Points([(10, 30)], [True], **beside)})
    tracker.step(IMAGE, {1: Box(8, 28, 24, 44)})
    assert seen == [None, None]


def test_a_prompt_refused_leaves_the_tracker_as_it_was():
    tracker = fake_tracker()
    tracker.step(IMAGE, {1: SQUARE})
    with pytest.raises(InputError, match="no object 2 yet"):
        tracker.step(IMAGE, {1: Points([(20, 10)], [True]), 2: Points([(5, 5)], [False])})
    assert tracker.ids == (1,) and len(tracker.propagator.told) == 1


def test_frames_of_opencv_are_taken_as_they_are():
    image = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    rgb, bgr = memory_tracker(48), memory_tracker(48)
    for prompts in ({1: SQUARE}, None):
        one = rgb.step(image, prompts)
        other = bgr.step(np.ascontiguousarray(image[..., ::-1]), prompts, colour="bgr")
        assert one == other
    with pytest.raises(InputError, match="Frames are rgb or bgr, not 'BGR'"):
        bgr.step(image, colour="BGR")
