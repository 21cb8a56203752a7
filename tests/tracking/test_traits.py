"""What a family does itself: prompts taken as they are, scores of its own, learning."""

from copy import deepcopy
from unittest.mock import Mock

import numpy as np
import pytest

from fake import FakePropagator, fill_box
from masktrail.families import families
from masktrail.prompts.kinds import Box, Mask, Points
from masktrail.settings import arguments_of
from masktrail.tracking.competition import to_logits
from masktrail.tracking.family import Calibration, Traits
from masktrail.tracking.tracker import Tracker

HEIGHT, WIDTH = 96, 128
IMAGE = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
SQUARE = np.zeros((HEIGHT, WIDTH), bool)
SQUARE[16:48, 16:48] = True


class Able(FakePropagator):
    """Does everything itself, and notes what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.scores: dict[int, float] = {}
        self.marked: list[dict[int, Box | Points]] = []
        self.learned: list[tuple[np.ndarray, dict[int, np.ndarray]]] = []
        self.taken: list[dict[str, int] | None] = []

    def mark(self, prompts):
        """A mask of the box, or a square of four mask pixels at the first click."""
        self.marked.append(dict(prompts))
        found = np.zeros((len(prompts), 12, 16), np.float32)
        for mask, prompt in zip(found, prompts.values(), strict=True):
            x, y = (prompt.x0, prompt.y0) if isinstance(prompt, Box) else prompt.points[0]
            mask[int(y) // 4 : int(y) // 4 + 2, int(x) // 4 : int(x) // 4 + 2] = 0.9
        return to_logits(found)

    def learn(self, image, masks, progress):
        progress(0.5)
        self.learned.append((image, masks))
        progress(1.0)

    def lesson(self):
        return {"frames": len(self.learned)}

    def take(self, lesson):
        self.taken.append(lesson)


def tracker(**traits) -> Tracker:
    def refuse(*given):
        raise AssertionError("the family takes it as it is")

    own = "box" in traits.get("prompts", ())
    return Tracker(Able(), 48, refuse if own else fill_box, traits=Traits(**traits))


NATIVE = ("mask", "box", "points")


def test_prompts_reach_a_family_that_takes_them_in_its_own_pixels() -> None:
    one = tracker(prompts=NATIVE)
    clicks = Points([(64.0, 32.0)], [True], Box(60, 30, 80, 50), Mask(SQUARE))
    result = one.step(IMAGE, {1: Box(16, 16, 40, 48), 2: clicks})
    (told,) = one.propagator.marked
    assert told[1] == Box(8, 8, 20, 24), "half as large inside"
    assert told[2].points == [(32.0, 16.0)] and told[2].box == Box(30, 15, 40, 25)
    assert told[2].mask.mask.shape == (48, 64)
    assert told[2].mask.mask.mean() == pytest.approx(SQUARE.mean())
    assert result.objects[1].score == result.objects[2].score == 1.0
    assert result.labels[24, 24] == 1 and result.labels[40, 72] == 2
    np.testing.assert_array_equal(one.given[1], result.labels == 1)
    assert np.abs(one.logits[1]).max() == pytest.approx(9.21, abs=0.01)
    assert one.logits[1].max() == pytest.approx(np.log(9), abs=0.01), "its own soft mask"


def test_what_it_does_not_take_becomes_a_mask_first() -> None:
    one = tracker(prompts=("mask", "points"))
    result = one.step(IMAGE, {1: Box(16, 16, 48, 48), 2: Mask(np.roll(SQUARE, 60, 1))})
    assert not one.propagator.marked
    np.testing.assert_array_equal(result.labels == 1, SQUARE)


def test_clicks_that_correct_reach_it_after_it_looked_at_the_frame() -> None:
    one = tracker(prompts=NATIVE)
    one.step(IMAGE, {1: Mask(SQUARE)})
    one.step(IMAGE, {1: Points([(100.0, 80.0)], [True])})
    assert [list(told) for told in one.propagator.marked] == [[1]]
    assert one.propagator.told[-1][1] == {1}


def test_strays_stay_where_the_family_wants_them() -> None:
    for strays, kept in ((True, False), (False, True)):
        one = tracker(strays=strays)
        one.step(IMAGE, {1: Mask(SQUARE)})
        one.propagator.masks[1] = one.propagator.masks[1].copy()
        one.propagator.masks[1][9:12, 12:15] = 1.0
        found = one.step(IMAGE).labels == 1
        assert found[84, 110] == kept and found[30, 30]


def test_its_own_score_is_calibrated_and_decides_what_is_lost() -> None:
    one = tracker(scores=True, calibration=Calibration(0.5, 10.0))
    one.step(IMAGE, {1: Mask(SQUARE)})
    one.propagator.scores = {1: 0.6}
    assert one.step(IMAGE).objects[1].score == pytest.approx(1 / (1 + np.exp(-1)))
    one.propagator.scores = {1: -0.2}
    assert one.step(IMAGE).objects[1].state == "lost"


def test_it_learns_from_prompted_frames_alone_and_once_from_each() -> None:
    one, shares = tracker(learns=("budget",)), []
    one.learner.progress = shares.append
    one.step(IMAGE, {1: Mask(SQUARE)})
    one.step(IMAGE)
    one.step(IMAGE, {2: Mask(np.roll(SQUARE, 40, 0))})
    one.rewind()
    one.step(IMAGE, {1: Mask(SQUARE)})
    assert len(one.propagator.learned) == 2 and shares == [0.5, 1.0] * 2
    image, masks = one.propagator.learned[0]
    assert image.shape == (48, 64, 3) and masks[1].shape == (48, 64)
    assert masks[1].mean() == pytest.approx(SQUARE.mean())
    again = tracker(learns=("budget",))
    again.load_state_dict(one.state_dict())
    again.step(IMAGE, {1: Mask(SQUARE)})
    assert not again.propagator.learned, "what was learned is in the state"
    assert again.propagator.taken == [{"frames": 2}]
    state = again.state_dict()
    again.load_state_dict(state)
    assert len(again.propagator.taken) == 1, "which it has already"
    again.load_state_dict(deepcopy(one.state_dict()))
    assert len(again.propagator.taken) == 2, "which another learned of the same frame"
    again.load_state_dict(tracker(learns=("budget",)).state_dict())
    assert again.propagator.taken[2:] == [None]
    again.step(IMAGE, {1: Mask(SQUARE)})
    assert len(again.propagator.learned) == 1


def test_what_was_learned_before_is_taken_and_not_learned_again() -> None:
    one, other = tracker(learns=("budget",)), tracker(learns=("budget",))
    one.learner.lessons = other.learner.lessons = {}
    for each in (one, other):
        each.step(IMAGE, {1: Mask(SQUARE)})
        each.step(IMAGE, {2: Mask(np.roll(SQUARE, 40, 0))})
    assert len(one.propagator.learned) == 2 and not one.propagator.taken
    assert not other.propagator.learned
    assert other.propagator.taken == [{"frames": 1}, {"frames": 2}]
    assert other.state_dict()["lesson"] == {"frames": 2}


@pytest.mark.parametrize(("seconds", "steps"), [(0.0, 10), (5.0, 0), (5.0, 10)])
def test_it_learns_nothing_where_one_of_its_settings_says_so(seconds: float, steps: int) -> None:
    settings, traits = {"budget": seconds, "steps": steps}, Traits(learns=("budget", "steps"))
    one = Tracker(Able(), 48, fill_box, settings=settings, traits=traits)
    one.step(IMAGE, {1: Mask(SQUARE)})
    learns = bool(seconds and steps)
    assert len(one.propagator.learned) == learns and one.learns == learns


def test_learning_can_be_ended() -> None:
    one = tracker(learns=("budget",))

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    one.learner.progress = stop
    with pytest.raises(KeyboardInterrupt):
        one.step(IMAGE, {1: Mask(SQUARE)})
    assert one.state_dict()["lesson"] is None, "nothing was learned"
    assert one.propagator.taken == [None], "and what may have been is undone"


@pytest.mark.parametrize("what", ["learn", "take", "keep"])
def test_what_fails_while_it_learns_leaves_it_as_it_was(what: str) -> None:
    class Full(dict):
        def __setitem__(self, key, lesson):
            raise OSError

    one, donor = tracker(learns=("budget",)), tracker(learns=("budget",))
    one.step(IMAGE, {1: Mask(SQUARE)})
    before = one.state_dict()
    prompt = {2: Mask(np.roll(SQUARE, 40, 0))}
    if what == "learn":
        one.propagator.learn = lambda *given: 1 / 0
    elif what == "take":
        donor.learner.lessons = one.learner.lessons = {}
        donor.step(IMAGE, {1: Mask(SQUARE)})
        donor.step(IMAGE, prompt)
        one.propagator.take = Mock(side_effect=[OSError, None])
    else:
        one.learner.lessons = Full()
    with pytest.raises((ZeroDivisionError, OSError)):
        one.step(IMAGE, prompt)
    assert one.state_dict()["lesson"] == before["lesson"]
    assert one.state_dict()["learned"] == before["learned"]


def test_what_is_told_not_to_be_learned_is_not() -> None:
    one = tracker(learns=("budget",))
    one.step(IMAGE, {1: Mask(SQUARE)}, learn=False)
    assert not one.propagator.learned


def test_traits_that_make_no_sense_are_refused() -> None:
    for prompts in ((), ("box",), ("mask", "scribble")):
        with pytest.raises(ValueError, match="prompts are mask"):
            Traits(prompts=prompts)


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_rows_say_what_their_families_have(family) -> None:
    traits = family.traits
    assert bool(traits.engines) == bool(family.network)
    if family.propagator is None:
        return
    made = family.propagator()
    learns = [(name, bool(traits.learns)) for name in ("learn", "lesson", "take")]
    for name, has in (("mark", len(traits.prompts) > 1), *learns):
        assert hasattr(made, name) == has
    if traits.learns:
        assert set(traits.learns) <= {setting.name for setting in arguments_of(made)}
