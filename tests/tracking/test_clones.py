"""Several trackers on one set of weights, each going its own way."""

import copy
import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from fake import TRACKING, fake_tracker, memory_tracker, tracker_of
from masktrail.errors import InputError
from masktrail.prompts.kinds import Box, Mask, Points
from masktrail.results import Result
from masktrail.run.states import packed_state
from masktrail.tracking.tracker import Tracker
from masktrail.zoo import load
from painted_videos import paint_clip

CLIP = paint_clip(6, (96, 64))
FIRST = {1: Mask(CLIP.labels[0] == 1), 7: Mask(CLIP.labels[0] == 2)}


def tracked(tracker: Tracker, order: list[int]) -> list[Result]:
    tracker.step(CLIP.images[0], FIRST)
    return [tracker.step(CLIP.images[t]) for t in order]


@pytest.mark.parametrize("again", [Tracker.clone, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("family", ["fake", *TRACKING])
def test_a_clone_goes_its_own_way(family: str, again: Any) -> None:
    tracker = fake_tracker() if family == "fake" else tracker_of(family)
    tracked(tracker, [1, 2])
    before = packed_state(tracker.state_dict())
    clone = again(tracker)
    assert packed_state(clone.state_dict()) == before
    clone.remove(7)
    clone.step(CLIP.images[5], {300: Box(10, 10, 40, 40)})
    assert clone.ids == (1, 300) and tracker.ids == (1, 7)
    assert packed_state(tracker.state_dict()) == before
    fresh = tracker_of(family) if family != "fake" else fake_tracker()
    fresh.load_state_dict(tracker.state_dict())
    assert tracker.step(CLIP.images[3]) == fresh.step(CLIP.images[3])


@pytest.mark.parametrize("family", ["fake", *TRACKING])
def test_a_reset_tracker_is_as_new(family: str) -> None:
    tracker = fake_tracker() if family == "fake" else tracker_of(family)
    expected = tracked(tracker, [1, 2])
    tracker.reset()
    assert tracker.ids == () and tracker.logits == {} and tracker.given == {}
    assert tracker.step(np.zeros((48, 80, 3), np.uint8)).objects == {}, "frames of another size"
    tracker.reset()
    assert tracked(tracker, [1, 2]) == expected


def test_clones_share_weights_and_what_computes_them() -> None:
    tracker = memory_tracker(48)
    clone = tracker.clone()
    assert clone.propagator.engine is not tracker.propagator.engine
    assert clone.propagator.engine.network is tracker.propagator.engine.network


def test_a_clone_of_what_has_learned_has_learned_the_same_and_learns_by_itself() -> None:
    tracker = load("memory-s", size=64, settings={"adapt": 0.2}, engine="torch")
    tracker.step(CLIP.images[0], FIRST)
    clone = tracker.clone()
    assert tracker.step(CLIP.images[1]) == clone.step(CLIP.images[1])
    expected = tracker.clone().step(CLIP.images[2])
    clone.step(CLIP.images[3], {7: Mask(CLIP.labels[3] == 2)})
    assert clone.learner.seconds > tracker.learner.seconds > 0
    assert tracker.step(CLIP.images[2]) == expected
    tracker.reset()
    plain = load("memory-s", size=64, engine="torch")
    tracker.step(CLIP.images[0], FIRST, learn=False)
    plain.step(CLIP.images[0], FIRST)
    assert tracker.step(CLIP.images[1]) == plain.step(CLIP.images[1]), "nothing learned is left"


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_one_tracker_per_thread(engine: str) -> None:
    """Clones at once on threads of their own say what they say one after the other."""
    first = load("memory-s", size=64, engine=engine)
    orders = [[1, 2, 3, 4, 5], [5, 3, 1, 4, 2], [2, 2, 4, 4, 1], [5, 4, 3, 2, 1]]
    alone = [tracked(first.clone(), order) for order in orders]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda order: tracked(first.clone(), order), orders * 2))
    assert together == alone * 2


def test_clones_that_are_dropped_leave_nothing() -> None:
    tracker = memory_tracker(48)
    tracked(tracker, [1])
    clone = weakref.ref(tracker.clone())
    gc.collect()
    assert clone() is None


def test_a_tracker_says_that_it_cannot_be_sent() -> None:
    with pytest.raises(TypeError, match="load one there, and give it what"):
        pickle.dumps(fake_tracker())


def test_a_tracker_without_a_prompter_says_so() -> None:
    tracker = Tracker(fake_tracker().propagator, 64)
    tracker.step(CLIP.images[0], FIRST)
    for prompt in (Box(1, 1, 9, 9), Points([(4, 4)])):
        with pytest.raises(InputError, match=r"makes no mask of (Box|Points); give a Mask"):
            tracker.step(CLIP.images[1], {3: prompt})
    assert tracker.ids == (1, 7)
