"""The rule of several prompts: who is tracked where, in which direction, and what counts more."""

import numpy as np
import pytest

from masktrail.errors import InputError
from masktrail.prompts.kinds import Box, Points
from masktrail.run import track
from masktrail.run.plan import Plan, by_frame, weight

BOX = Box(0, 0, 10, 10)


def plan(frames: dict[int, tuple[int, ...]], start: int = 0, direction: str = "both") -> Plan:
    return Plan({t: {i: BOX for i in ids} for t, ids in frames.items()}, start, direction)


def directions(made: Plan, object_id: int, frames: range) -> str:
    """A letter per frame: forward, backward, both, or `-` for neither."""
    letters = {(True, False): "f", (False, True): "b", (True, True): "x", (False, False): "-"}
    shares = (made.shares(object_id, frame) for frame in frames)
    return "".join(letters[forward > 0, backward > 0] for forward, backward in shares)


def test_before_between_and_behind():
    made = plan({2: (1,), 5: (1,), 6: (1,)})
    assert directions(made, 1, range(9)) == "bbfxxffff"


def test_every_object_has_its_own_directions():
    made = plan({5: (1, 2), 9: (2,)}, start=5)
    assert made.ids == (1, 2)
    assert directions(made, 1, range(5, 12)) == "fffffff"
    assert directions(made, 2, range(5, 12)) == "fxxxfff"


def test_one_direction_alone():
    frames = {3: (1,), 6: (1,)}
    assert directions(plan(frames, direction="forward"), 1, range(9)) == "---ffffff"
    assert directions(plan(frames, direction="backward"), 1, range(9)) == "bbbbbbb--"


def test_prompts_in_the_first_frame_need_no_second_look():
    assert not plan({3: (1, 2)}, start=3).backward
    assert plan({4: (1,)}, start=3).backward
    assert not plan({4: (1,)}, start=3, direction="forward").backward


def test_shares_are_nearness():
    made = plan({10: (1,), 20: (1,)})
    assert made.shares(1, 5) == (0, 1) and made.shares(1, 25) == (1, 0)
    assert made.shares(1, 15) == (0.5, 0.5)
    assert made.shares(1, 11) == (0.9, 0.1) and made.shares(1, 18) == pytest.approx((0.2, 0.8))
    assert made.shares(1, 10) == made.shares(1, 20) == (1, 0)


def test_shares_sum_to_one_wherever_an_object_is_tracked():
    made = plan({4: (1,), 9: (1, 2), 17: (1,)}, start=2)
    for object_id in made.ids:
        for frame in range(2, 21):
            assert sum(made.shares(object_id, frame)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("shares", "scores", "expected"),
    [
        ((0.5, 0.5), (0.9, 0.9), 0.5),
        ((0.9, 0.1), (0.5, 0.5), 0.9),
        ((0.5, 0.5), (0.9, 0.3), 0.75),
        ((0.9, 0.1), (0.0, 0.4), 0.0),
        ((0.3, 0.7), (0.0, 0.0), 0.3),
    ],
)
def test_nearness_and_score_decide(shares, scores, expected):
    assert weight(shares, scores) == pytest.approx(expected)


def test_prompts_by_id_are_for_the_first_frame():
    assert by_frame({1: BOX, 2: BOX}, 7) == {7: {1: BOX, 2: BOX}}
    assert by_frame({7: {1: BOX}, 9: {}}, 0) == {7: {1: BOX}}


@pytest.mark.parametrize(
    ("prompts", "told"),
    [
        ({}, "nothing to track"),
        ({5: {}}, "nothing to track"),
        ({1: BOX, 2: {1: BOX}}, "not both"),
    ],
)
def test_prompts_that_say_nothing_or_too_much_are_refused(prompts, told):
    with pytest.raises(InputError, match=told):
        by_frame(prompts, 0)


@pytest.mark.parametrize(
    ("frames", "start", "direction", "told"),
    [
        ({3: (1,)}, 5, "both", "frame 3 lies before frame 5"),
        ({3: (1,)}, 3, "backward", "nothing to track backward: the only prompt is for frame 3"),
        ({3: (1,)}, 0, "sideways", "No direction 'sideways'; there are both, forward, backward"),
    ],
)
def test_plans_that_cannot_be_are_refused(frames, start, direction, told):
    with pytest.raises(InputError, match=told):
        plan(frames, start, direction)


def test_numbers_of_any_library_are_numbers(tmp_path, paint_video):
    box, point = np.array([8, 8, 40, 40]), np.array([[20, 20]])
    for nth, prompts in enumerate(
        (
            {np.int64(1): Box(*box)},
            {np.int64(0): {np.uint16(1): Box(*box.astype(np.float32))}},
            {1: Points(point, np.array([1]))},
        )
    ):
        report = track(paint_video(frames=3), prompts, tmp_path / str(nth), "copy", "csv")
        assert report.frames == 3
        assert (tmp_path / str(nth) / "objects.csv").read_text().splitlines()[1].startswith("0,")
    begun = {"start": np.int64(1), "end": np.uint8(3), "size": np.int16(64)}
    report = track(paint_video(frames=4), prompts, tmp_path / "span", "copy", "csv", **begun)
    assert report.frames == 2
    for wrong in ("1", 1.5, np.float32(1), True, np.True_, None):
        with pytest.raises(InputError, match="is no integer; give one, as 1"):
            by_frame({wrong: Box(*box)}, 0)
