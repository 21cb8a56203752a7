"""Several trackers on one set of weights, each going its own way."""

import copy
import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import numpy as np
import pytest

from fake import TRACKING, FakePropagator, fake_tracker, memory_tracker, tracker_of
from masktrail.engines.openvino import KEPT
from masktrail.engines.openvino_form import Form
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


@pytest.mark.slow
def test_many_clones_of_many_shapes_are_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[Form] = []
    once = Form._compiled

    def noted(form: Form, model: Any) -> Any:
        compiled.append(form)
        return once(form, model)

    monkeypatch.setattr(Form, "_compiled", noted)
    first = load("memory-s", size=64, engine="openvino")
    clones = [first.clone() for _ in range(KEPT + 2)]
    stripes = np.arange(96) // 8 * np.ones((64, 1), int)
    rounds = []
    for t in range(3):
        for count, clone in enumerate(clones, start=1):
            clone.step(CLIP.images[t], {} if t else Mask.from_labels(stripes * (stripes <= count)))
        rounds.append(len(compiled))
    assert rounds[1] > rounds[0] > 0, "what is propagated is compiled in the second frame"
    assert rounds[2] == rounds[1], "and not again in the third"


def test_what_cannot_be_copied_says_so() -> None:
    class Locked(FakePropagator):
        def __init__(self) -> None:
            super().__init__()
            self.lock = Lock()

    tracker = Tracker(Locked(), 64)
    tracker.step(CLIP.images[0], FIRST)
    with pytest.raises(
        InputError, match=r"Locked cannot be copied .*give it a method __deepcopy__"
    ):
        tracker.clone()


def test_a_reset_does_not_rely_on_what_a_propagator_does_with_its_state() -> None:
    class Live(FakePropagator):
        def state_dict(self) -> dict[str, Any]:
            return {"masks": self.masks}

        def load_state_dict(self, state: dict[str, Any]) -> None:
            self.masks = state["masks"]

        def update(self, masks: Any, scores: Any, prompted: Any) -> None:
            self.masks.update(masks)

    tracker = Tracker(Live(), 64)
    for _ in range(2):
        tracker.step(CLIP.images[0], FIRST)
        tracker.reset()
        assert tracker.propagator.masks == {}


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (None, "no state of a tracker, but NoneType"),
        ([1], "no state of a tracker, but list"),
        ({"model": {"x": 1}}, "with family None, not Fake"),
        ({"model": 5}, "with family None, not Fake"),
        ({"propagator": {}}, r"is damaged \(KeyError: 'masks'\)"),
        ({"ids": 3}, "is damaged"),
        ({"size": "96"}, "The size '96' is no integer"),
    ],
)
def test_what_is_no_state_is_told_and_changes_nothing(state: Any, told: str) -> None:
    tracker = fake_tracker()
    tracker.step(CLIP.images[0], FIRST)
    before = packed_state(tracker.state_dict())
    wrong = {**tracker.state_dict(), **state} if isinstance(state, dict) else state
    with pytest.raises(InputError, match=told):
        tracker.load_state_dict(wrong)
    assert packed_state(tracker.state_dict()) == before


@pytest.mark.parametrize(
    "mask", [None, np.ones((64, 96), np.uint8), np.ones((2, 2), bool), np.ones((64, 96))]
)
def test_what_a_prompter_gives_is_checked(mask: Any) -> None:
    tracker = Tracker(FakePropagator(), 64, lambda *asked: mask)
    with pytest.raises(InputError, match=r"The prompter gave .*; expected a mask of true"):
        tracker.step(CLIP.images[0], {1: Box(1, 1, 9, 9)})
    with pytest.raises(InputError, match="A prompter is a function"):
        Tracker(FakePropagator(), 64, "prompt")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="working size 'x' is no integer"):
        Tracker(FakePropagator(), "x")  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime", "torch"])
def test_one_tracker_per_thread(engine: str) -> None:
    """Clones in mid-video, at once on threads of their own, say what they say one by one."""
    first = load("memory-s", size=64, engine=engine)
    tracked(first, [1])
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
