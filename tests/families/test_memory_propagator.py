"""Propagation by memory, with a network nobody trained."""

import pickle

import numpy as np
import pytest
import torch

from fake import WatchedEngine, memory_tracker, random_network
from masktrail.families.memory.propagator import MemoryPropagator
from masktrail.prompts.kinds import Mask
from painted_videos import paint_clip

SIZE = (64, 48)
GRID = (24, 32)
IMAGE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)


@pytest.fixture
def propagator():
    return MemoryPropagator(WatchedEngine(random_network()), capacity=2, every=3)


def look(propagator: MemoryPropagator, ids: list[int], scores: dict[int, float], prompted=()):
    """One frame: propagates, then settles on masks of the same shape for all objects."""
    logits = propagator.propagate(propagator.look(IMAGE), ids)
    masks = {i: np.full(GRID, 0.1 * i, np.float32) for i in scores}
    propagator.update(masks, scores, set(prompted))
    return logits


def test_memory_is_bounded_however_long_the_video():
    clip = paint_clip(60, SIZE)
    tracker = memory_tracker(capacity=3, every=1, min_score=0.0)
    entries, sizes = tracker.propagator.bank.entries, []
    for t, image in enumerate(clip.images):
        prompts = {t: Mask(clip.labels[t] == 1)} if t in (1, 30) else None
        tracker.step(image, prompts)
        sizes.append(len(pickle.dumps(tracker.state_dict())))
        entries = tracker.propagator.bank.entries
        assert sum(not entry.permanent for entry in entries) <= 3
    assert [entry.permanent for entry in entries] == [True, True, False, False, False]
    assert 1 in entries[0].values and 30 in entries[1].values
    assert max(sizes[40:]) < 1.01 * sizes[40], "nor does anything else that is kept"


@pytest.mark.parametrize("objects", [0, 1, 5])
def test_one_pass_over_the_image_however_many_objects(objects):
    clip = paint_clip(6, SIZE, objects=max(objects, 1))
    tracker = memory_tracker(every=2)
    for t, image in enumerate(clip.images):
        masks = {i: Mask(clip.labels[0] == i) for i in range(1, objects + 1)} if t == 0 else None
        tracker.step(image, masks)
    engine = tracker.propagator.engine
    assert len(engine.inputs_of("encode")) == 6
    assert len(engine.inputs_of("segment")) == (5 if objects else 0)


def test_logits_are_per_object_at_the_mask_stride(propagator):
    assert look(propagator, [], {1: 1.0, 2: 1.0}, prompted={1, 2}).shape == (0, *GRID)
    logits = look(propagator, [1, 2], {1: 0.9, 2: 0.9})
    assert logits.shape == (2, *GRID) and logits.dtype == np.float32
    assert np.isfinite(logits).all()


def test_frames_are_remembered_at_the_prompt_and_then_now_and_again(propagator):
    look(propagator, [], {1: 1.0}, prompted={1})
    counts = []
    for _ in range(7):
        look(propagator, [1], {1: 0.9})
        counts.append(len(propagator.bank.entries))
    assert counts == [1, 1, 2, 2, 2, 3, 3]
    assert [entry.permanent for entry in propagator.bank.entries] == [True, False, False]


def test_lost_objects_are_not_remembered(propagator):
    look(propagator, [], {1: 1.0, 2: 1.0, 3: 1.0}, prompted={1, 2, 3})
    for _ in range(3):
        look(propagator, [1, 2, 3], {1: 0.9, 2: 0.0, 3: 0.002})
    assert [set(entry.values) for entry in propagator.bank.entries] == [{1, 2, 3}, {1}]


def test_a_frame_where_all_are_lost_is_not_remembered_but_the_next_good_one_is(propagator):
    look(propagator, [], {1: 1.0}, prompted={1})
    for _ in range(5):
        look(propagator, [1], {1: 0.0})
    assert len(propagator.bank.entries) == 1
    look(propagator, [1], {1: 0.9})
    assert len(propagator.bank.entries) == 2


def test_a_prompted_object_is_remembered_whatever_its_score(propagator):
    look(propagator, [], {1: 0.0}, prompted={1})
    assert [set(entry.values) for entry in propagator.bank.entries] == [{1}]


def test_objects_added_later_are_in_later_frames_only(propagator):
    look(propagator, [], {1: 1.0}, prompted={1})
    look(propagator, [1], {1: 0.9, 2: 1.0}, prompted={2})
    assert [set(entry.values) for entry in propagator.bank.entries] == [{1}, {1, 2}]
    logits = propagator.propagate(propagator.look(IMAGE), [1, 2])
    propagator.bank.entries[0].values.clear()
    propagator.forget(1)
    np.testing.assert_allclose(
        propagator.propagate(propagator.look(IMAGE), [2]), logits[1:], atol=2e-2
    )


def test_masks_are_taken_along_from_the_frame_they_belong_to(propagator):
    """The network is handed the keys of the frame before, also after a state was put back."""
    pictures = [np.roll(IMAGE, shift, 1) for shift in (0, 3, 7)]
    engine = propagator.engine
    keys = [engine.run("encode", picture[None]).near for picture in pictures]
    other = MemoryPropagator(engine, capacity=2, every=3)
    propagator.propagate(propagator.look(pictures[0]), [])
    propagator.update({1: np.full(GRID, 0.4, np.float32)}, {1: 1.0}, {1})
    propagator.propagate(propagator.look(pictures[1]), [1])
    propagator.update({1: np.full(GRID, 0.6, np.float32)}, {1: 0.9}, set())
    other.load_state_dict(propagator.state_dict())
    again = other.propagate(other.look(pictures[2]), [1])
    np.testing.assert_array_equal(again, propagator.propagate(propagator.look(pictures[2]), [1]))
    handed = [before for before, *_ in engine.inputs_of("carry")]
    for found, expected in zip(handed, [keys[0], keys[1], keys[1]], strict=True):
        torch.testing.assert_close(found.float(), expected.float())


def test_a_forgotten_object_leaves_nothing(propagator):
    look(propagator, [], {1: 1.0, 2: 1.0}, prompted={1, 2})
    look(propagator, [1, 2], {1: 0.9, 2: 0.9, 3: 1.0}, prompted={3})
    propagator.forget(1)
    state = propagator.state_dict()
    assert [set(row["values"]) for row in state["bank"]] == [{2}, {2, 3}]
    assert set(state["previous"]) == {2, 3}
    assert look(propagator, [2, 3], {2: 0.9, 3: 0.9}).shape == (2, *GRID)


def test_a_correction_drops_what_was_remembered_in_passing_of_its_object(propagator):
    look(propagator, [], {1: 1.0, 2: 1.0}, prompted={1, 2})
    for _ in range(6):
        look(propagator, [1, 2], {1: 0.9, 2: 0.9})
    assert [set(entry.values) for entry in propagator.bank.entries] == [{1, 2}] * 3
    look(propagator, [1, 2], {1: 1.0, 2: 0.9}, prompted={1})
    entries = propagator.bank.entries
    assert [entry.permanent for entry in entries] == [True, False, False], "the same picture"
    assert [set(entry.values) for entry in entries] == [{1, 2}, {2}, {2}]


def test_the_order_of_objects_is_that_of_the_ids_given(propagator):
    look(propagator, [], {1: 1.0}, prompted={1})
    look(propagator, [1], {1: 0.9, 2: 1.0}, prompted={2})
    forwards = propagator.propagate(propagator.look(IMAGE), [1, 2])
    backwards = propagator.propagate(propagator.look(IMAGE), [2, 1])
    np.testing.assert_allclose(forwards[::-1], backwards, rtol=1e-3, atol=1e-3)


def test_looking_changes_nothing_that_is_remembered(propagator):
    look(propagator, [], {1: 1.0}, prompted={1})
    one = propagator.propagate(propagator.look(IMAGE), [1])
    np.testing.assert_array_equal(one, propagator.propagate(propagator.look(IMAGE), [1]))
