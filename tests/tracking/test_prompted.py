"""Prompts in very many frames: what is kept of them, and that neither memory nor states grow."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake import TRACKING, FakePropagator, tracker_of
from masktrail.prompts.kinds import Mask, Points
from masktrail.run.states import packed_state
from masktrail.tracking import prompted
from masktrail.tracking.family import Traits
from masktrail.tracking.prompted import MOST, left, surplus
from masktrail.tracking.taught import Taught
from masktrail.tracking.tracker import Tracker

WIDTH, HEIGHT, FRAMES = 64, 48, 200
KEEPING = ("memory", "labelprop", "agunet")
"""Families that keep prompted frames."""

sets_of_ids = st.lists(st.sets(st.integers(1, 3)), max_size=60)


def picture(frame: int) -> np.ndarray:
    """No two are the same, nor are their features."""
    return np.random.default_rng(frame).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def square(frame: int, object_id: int) -> Mask:
    """Of its own in every frame; those of objects lie beside each other."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    x, y = 20 * (object_id - 1) + frame % 5, frame % 29
    mask[y : y + 12, x : x + 12] = True
    return Mask(mask)


def frames_kept(tracker: Tracker, family: str) -> list[set[int]]:
    """Ids that are kept of every frame, in the order in which the frames came."""
    state = tracker.propagator.state_dict()
    if family == "memory":
        return [set(row["values"]) for row in state["bank"] if row["permanent"]]
    rows = state["given" if family == "labelprop" else "references"]
    return [set(masks) for _, masks, *_ in rows]


@given(sets_of_ids)
def test_of_each_object_the_first_and_the_newest_stay(frames: list[set[int]]) -> None:
    gone = set(surplus(frames))
    for object_id in (1, 2, 3):
        places = [k for k, ids in enumerate(frames) if object_id in ids]
        kept = [k for k in places if (k, object_id) not in gone]
        assert kept == (places if len(places) <= MOST else [places[0], *places[1 - MOST :]])
    assert all(object_id in frames[place] for place, object_id in gone)


@given(sets_of_ids)
def test_what_is_forgotten_bit_by_bit_is_what_is_forgotten_at_once(frames: list[set[int]]) -> None:
    kept: list[tuple[int, set[int]]] = []
    for number, ids in enumerate(frames):
        kept.append((number, set(ids)))
        for place, object_id in surplus([ids for _, ids in kept]):
            kept[place][1].discard(object_id)
        kept = [(k, ids) for k, ids in kept if ids]
    gone = set(surplus(frames))
    whole = [(k, {i for i in ids if (k, i) not in gone}) for k, ids in enumerate(frames)]
    assert kept == [(k, ids) for k, ids in whole if ids]
    assert left(frames) == [k for k, _ in kept]


def test_a_frame_that_is_given_again_is_among_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompted, "MOST", 3)
    frames = [{1}, {1}, {1}, {1}]
    assert surplus(frames) == [(1, 1)]
    assert surplus(frames, [0, 5, 2, 3]) == [(2, 1)]
    assert surplus(frames, [0, 5, 6, 3]) == [(3, 1)]
    assert surplus(frames, [9, 5, 6, 7]) == [(1, 1)], "the first is kept as that"


@pytest.mark.slow
@pytest.mark.parametrize("family", TRACKING)
def test_prompts_in_every_frame_do_not_add_up(family: str) -> None:
    """Object 2 is marked but once, object 3 is another one every time."""
    tracker, sizes = tracker_of(family), []
    # the others keep nothing of a prompt but the last mask
    count, full = (FRAMES, 2 * MOST) if family in KEEPING else (14, 7)
    for frame in range(count):
        prompts = {1: square(frame, 1), 3: square(frame, 3)}
        if frame == 5:
            prompts[2] = square(frame, 2)
        tracker.step(picture(frame), prompts)
        tracker.remove(3)
        if frame > full and frame % 5 == 0:
            sizes.append(len(packed_state(tracker.state_dict())))
    assert max(sizes) < 1.01 * min(sizes)
    if family in KEEPING:
        kept = frames_kept(tracker, family)
        assert kept[:2] == [{1}, {2}] and len(kept) == MOST + 1
        assert sum(1 in ids for ids in kept) == MOST and 3 not in set().union(*kept)


def test_frames_whose_prompted_objects_were_removed_do_not_add_up() -> None:
    """The memory keeps them for what else was seen in them."""
    tracker = tracker_of("memory")
    tracker.propagator.min_score = 0.0
    tracker.step(picture(0), {1: square(0, 1)})
    for frame in range(1, 3 * MOST):
        tracker.step(picture(frame), {3: square(frame, 3)})
        tracker.remove(3)
        assert frames_kept(tracker, "memory") == [{1}] * min(frame + 1, MOST + 1)


@pytest.mark.parametrize("family", KEEPING)
def test_few_prompts_are_all_kept(family: str) -> None:
    tracker = tracker_of(family)
    for frame in range(MOST):
        tracker.step(picture(frame), {1: square(frame, 1), 2: square(frame, 2)})
    assert frames_kept(tracker, family) == [{1, 2}] * MOST
    tracker.step(picture(MOST), {2: square(MOST, 2)})
    kept = frames_kept(tracker, family)
    assert [2 in ids for ids in kept] == [True, False, *[True] * (MOST - 1)]
    assert all(1 in ids for ids in kept[:MOST]), "the other one's are its own"


@pytest.mark.parametrize("family", ["memory", "agunet"])
def test_what_comes_again_is_the_newest_and_kept_once(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a state too; `labelprop` keeps it twice."""
    monkeypatch.setattr(prompted, "MOST", 3)
    tracker, again = tracker_of(family), tracker_of(family)
    pictures = [picture(frame) for frame in range(4)]

    def show(tracker: Tracker, frame: int) -> None:
        tracker.step(pictures[frame], {1: square(frame, 1)})

    for frame in (0, 1, 2, 1):
        show(tracker, frame)
    assert frames_kept(tracker, family) == [{1}] * 3
    again.load_state_dict(tracker.state_dict())
    for each in (tracker, again):
        show(each, 3)
        before = packed_state(each.propagator.state_dict())
        for frame in (0, 1, 3):  # which are there yet, 2 is not
            show(each, frame)
        assert len(packed_state(each.propagator.state_dict())) == len(before)
        assert frames_kept(each, family) == [{1}] * 3
    for frame in (2, 5):
        tracker.step(picture(frame))
        again.step(picture(frame))
        np.testing.assert_array_equal(tracker.logits[1], again.logits[1])


@pytest.mark.parametrize("family", KEEPING)
def test_early_states_with_more_frames_are_gone_on_with(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker, count = tracker_of(family), MOST + 5
    with monkeypatch.context() as patch:
        patch.setattr(prompted, "MOST", 1000)
        for frame in range(count):
            tracker.step(picture(frame), {1: square(frame, 1)})
    state = tracker.state_dict()
    for row in state["propagator"].get("bank", ()):
        del row["prompted"], row["turn"]
    if family == "agunet":
        state["propagator"]["references"] = [row[:2] for row in state["propagator"]["references"]]
    again = tracker_of(family)
    again.load_state_dict(state)
    again.step(picture(count))
    assert len(frames_kept(again, family)) == count
    again.step(picture(count), {1: square(count, 1)})
    assert len(frames_kept(again, family)) == MOST


CLICK = Points([(5, 5)], [True])


class Pupil(Taught, FakePropagator):
    """Counts what it was taught, of which nothing comes."""

    engine: Any
    seconds = 1.0

    def __init__(self) -> None:
        Taught.__init__(self)
        FakePropagator.__init__(self)
        self.engine = self
        self.taught_of: list[int] = []

    def network_copy(self) -> None: ...

    def replace(self, parameters: Any) -> None: ...

    def taught(self, network: Any, shots: Any, progress: Any) -> dict[str, Any]:
        self.taught_of.append(len(shots))
        return {"lessons": np.array([len(self.taught_of)], np.float32)}


def nothing(image, prompt, previous=None):
    return np.zeros((HEIGHT, WIDTH), bool)


def pupil() -> Tracker:
    """Whose clicks leave nothing of an object."""
    return Tracker(Pupil(), 48, nothing, traits=Traits(learns=("budget",)))


def test_what_is_learned_from_does_not_add_up() -> None:
    one, sizes = pupil(), []
    one.learner.lessons = lessons = {}
    for frame in range(FRAMES):
        one.step(picture(frame), {1: CLICK if frame % 2 else square(frame, 1)})
        if frame == 5:
            one.step(picture(frame), {2: square(frame, 2)})
        if frame % 20 == 19 and frame > 4 * MOST:
            state = one.state_dict()
            sizes.append(len(packed_state({**state, "lesson": dict(state["lesson"])})))
    assert max(sizes) < 1.01 * min(sizes)
    shots = one.propagator.lesson()["shots"]
    assert [set(np.unique(labels)) for _, labels in shots].count({0, 2}) == 1
    assert max(one.propagator.taught_of) == len(shots) == 2 * MOST + 1
    assert len(one.learner.state_dict()["learned"]) == MOST + 1
    assert len(lessons) == FRAMES + 1, "each is of all that came before"


def test_lessons_are_found_again_however_many() -> None:
    one, other, lessons = pupil(), pupil(), {}
    for each in (one, other):
        each.learner.lessons = lessons
        for frame in range(2 * MOST):
            each.step(picture(frame), {1: square(frame, 1)})
            if frame == MOST + 3:  # as a resumption does
                each.load_state_dict(each.state_dict())
    assert not other.propagator.taught_of and len(lessons) == 2 * MOST
    assert other.state_dict()["learned"] == one.state_dict()["learned"]
    one.step(picture(2 * MOST - 1), {1: square(2 * MOST - 1, 1)})
    assert len(one.propagator.taught_of) == 2 * MOST, "the newest are known"


def test_early_states_told_digests_alone() -> None:
    one, again = pupil(), pupil()
    for frame in range(MOST):
        one.step(picture(frame), {1: square(frame, 1)})
    state = one.state_dict()
    state["learned"] = [digest for digest, _ in state["learned"]]
    again.load_state_dict(state)
    again.step(picture(0), {1: square(0, 1)})
    assert not again.propagator.taught_of
    again.step(picture(MOST), {1: square(MOST, 1)})
    assert again.propagator.taught_of == [MOST]
