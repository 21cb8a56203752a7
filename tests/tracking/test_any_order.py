"""Whatever is asked of a tracker, and in whatever order: what has to hold all the same."""

from collections.abc import Callable
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import stateful
from hypothesis import strategies as st

from fake import TRACKING, fake_tracker, tracker_of
from masktrail.errors import InputError
from masktrail.masks import tight_box
from masktrail.prompts.kinds import Box, Mask, Points, Prompt
from masktrail.results import Result
from masktrail.run.states import packed_state, unpacked_state
from masktrail.tracking.tracker import Tracker
from painted_videos import paint_clip

WIDTH, HEIGHT = 64, 48
IMAGES = [*paint_clip(6, (WIDTH, HEIGHT)).images, np.zeros((HEIGHT, WIDTH, 3), np.uint8)]
"""The last shows nothing that could be found again."""

ROUNDED = 0.3
"""Soft masks are kept in steps, labels are not: they differ most where two objects are certain."""

IDS = (41, 42, 300)
"""Which no state holds as a number of something else."""

frames = st.integers(0, len(IMAGES) - 1)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x0, y0 = draw(st.integers(0, WIDTH - 8)), draw(st.integers(0, HEIGHT - 8))
    return Box(x0, y0, draw(st.integers(x0 + 6, WIDTH)), draw(st.integers(y0 + 6, HEIGHT)))


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    box, mask = draw(boxes()), np.zeros((HEIGHT, WIDTH), bool)
    mask[box.y0 : box.y1, box.x0 : box.x1] = True
    return Mask(mask)


places = st.tuples(st.integers(2, WIDTH - 3), st.integers(2, HEIGHT - 3))
clicks = places.map(lambda place: Points((place,), (True,)))
prompts = st.dictionaries(st.sampled_from(IDS), boxes() | masks() | clicks, min_size=1)


def mentions(state: Any, object_id: int) -> bool:
    """Whether an id is anywhere in a state."""
    if isinstance(state, dict):
        return object_id in state or any(mentions(value, object_id) for value in state.values())
    if isinstance(state, list | tuple | set):
        return any(mentions(value, object_id) for value in state)
    return isinstance(state, int) and state == object_id


class AnyOrder(stateful.RuleBasedStateMachine):
    """A tracker, another one that was restored from what it had saved, and the ids there must be.

    Whatever is done to one is done to both, and both must say the same, bit for bit.
    """

    def __init__(self, make: Callable[[], Tracker]) -> None:
        super().__init__()
        self.make, self.tracker, self.twin = make, make(), make()
        self.ids: set[int] = set()
        self.saved: list[tuple[bytes, set[int]]] = []

    def step(self, frame: int, given: dict[int, Prompt] | None = None) -> Result:
        result = self.tracker.step(IMAGES[frame], given)
        again = self.twin.step(IMAGES[frame], given)
        np.testing.assert_array_equal(result.labels, again.labels)
        assert result.objects == again.objects
        self.ids |= set(given or {})
        self.check(result)
        return result

    def check(self, result: Result) -> None:
        """Ids, sizes, competition: what holds of every result."""
        assert set(result.objects) == self.ids
        assert result.labels.shape == (HEIGHT, WIDTH)
        assert result.labels.dtype == (np.uint16 if 300 in self.ids else np.uint8)
        assert set(np.unique(result.labels)) <= {0, *self.ids}
        for object_id, found in result.objects.items():
            mask = result.labels == object_id
            assert found.area == mask.sum() and found.box == tight_box(mask)
            assert found.state == ("present" if found.area else "lost")
            assert 0 <= found.score <= 1 and (found.score == 0) <= (found.area == 0)
        soft = dict(result.soft)
        assert set(soft) == self.ids
        if soft:
            stacked = np.stack([soft[i] for i in sorted(soft)])
            assert stacked.min() >= 0 and stacked.max() <= 1
            for object_id in self.ids:
                won = result.labels == object_id
                short = (stacked.max(0) - soft[object_id])[won]
                assert not (short > ROUNDED).any(), "nowhere by much"
                assert (short > 0.05).sum() <= 2 + 0.02 * won.sum(), "and hardly anywhere"

    @stateful.rule(frame=frames)
    def goes_on(self, frame: int) -> None:
        self.step(frame)

    @stateful.rule(frame=frames, given=prompts)
    def is_prompted(self, frame: int, given: dict[int, Prompt]) -> None:
        """New objects, known ones anew, corrections; or a refusal that leaves no trace."""
        try:
            result = self.step(frame, given)
        except InputError:  # which the other tracker never hears of
            assert len(given) > 1, "alone, none of them is refused"
            return
        for object_id, prompt in given.items():
            if isinstance(prompt, Mask) and len(given) == 1:
                np.testing.assert_array_equal(result.labels == object_id, prompt.mask)
            assert result.objects[object_id].score == 1.0

    @stateful.rule()
    def is_saved(self) -> None:
        self.saved.append((packed_state(self.tracker.state_dict()), set(self.ids)))

    @stateful.rule()
    def is_cloned(self) -> None:
        """A clone stands for the tracker, which goes another way and is left."""
        left, self.tracker = self.tracker, self.tracker.clone()
        left.step(IMAGES[0], {1: Box(8, 8, 24, 24)})
        left.remove(1)

    @stateful.rule()
    def is_reset(self) -> None:
        """One tracker is as new, the other is new."""
        self.tracker.reset()
        self.twin, self.ids = self.make(), set()

    @stateful.precondition(lambda self: self.saved)
    @stateful.rule(data=st.data())
    def is_restored(self, data: st.DataObject) -> None:
        """The tracker is as it was, and another one never was anything else."""
        state, ids = data.draw(st.sampled_from(self.saved))
        self.tracker.load_state_dict(unpacked_state(state))
        self.twin, self.ids = self.make(), set(ids)
        self.twin.load_state_dict(unpacked_state(state))

    @stateful.precondition(lambda self: self.ids)
    @stateful.rule(data=st.data())
    def loses_an_object(self, data: st.DataObject) -> None:
        object_id = data.draw(st.sampled_from(sorted(self.ids)))
        for tracker in (self.tracker, self.twin):
            tracker.remove(object_id)
        self.ids.remove(object_id)
        assert not mentions(self.tracker.state_dict(), object_id)

    @stateful.rule()
    def is_rewound(self) -> None:
        for tracker in (self.tracker, self.twin):
            tracker.rewind()
        self.ids = set()

    @stateful.rule(object_id=st.sampled_from((7, 0)))
    def is_asked_for_what_is_not_there(self, object_id: int) -> None:
        with pytest.raises(InputError, match="no object"):
            self.tracker.remove(object_id)

    @stateful.precondition(lambda self: self.ids)
    @stateful.rule()
    def is_shown_another_video(self) -> None:
        with pytest.raises(InputError, match="start a new tracker"):
            self.tracker.step(np.zeros((8, 8, 3), np.uint8))

    @stateful.invariant()
    def knows_its_objects(self) -> None:
        assert self.tracker.ids == self.twin.ids == tuple(sorted(self.ids))
        state = self.tracker.state_dict()
        assert set(state["before"]) == set(state["usual"]) == self.ids


@pytest.mark.parametrize("family", ["fake", *TRACKING])
def test_in_any_order(family: str) -> None:
    make = fake_tracker if family == "fake" else lambda: tracker_of(family)
    effort = hypothesis.settings(max_examples=20, stateful_step_count=25)
    stateful.run_state_machine_as_test(lambda: AnyOrder(make), settings=effort)
