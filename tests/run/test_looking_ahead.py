"""The next frame is looked at while one is tracked, and nothing comes of it but speed."""

import threading

import numpy as np
import pytest

from masktrail.errors import InputError
from masktrail.prompts.kinds import Mask
from masktrail.run import loop, track
from masktrail.run.job import Job
from masktrail.settings import ModelOptions
from masktrail.tracking.tracker import Tracker
from masktrail.zoo import load, tracker_of
from watched_runs import Stopped, masks_of, stop_after


@pytest.fixture(params=[(0,), (0, 6), (6,)], ids=["first", "both", "later"])
def prompts(request, discs):
    """Of some frames: the passes backward and forward track every frame, some of them twice."""
    return {t: {i: Mask(discs.labels[t] == i) for i in (1, 2)} for t in request.param}


def test_masks_are_the_same_whether_it_looks_ahead_or_not(
    video, prompts, exported_memory, tmp_path
) -> None:
    def not_ahead(options: ModelOptions) -> Tracker:
        tracker = tracker_of(options)
        assert tracker.ahead, "two threads of OpenVINO are quicker than one"
        tracker.ahead = False
        return tracker

    options = ModelOptions(exported_memory, 64, engine="openvino")
    for name, make in (("one", tracker_of), ("other", not_ahead)):
        loop.track_video(Job(video, prompts, tmp_path / name, options, "davis"), load_tracker=make)
    assert masks_of(tmp_path / "one") == masks_of(tmp_path / "other")


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_every_frame_is_looked_at_once_each_time_that_it_is_tracked(
    discs, video, prompts, exported_memory, tmp_path, monkeypatch, engine
) -> None:
    looked, stepped = [], []
    look, step = Tracker.look, Tracker.step

    def noted(self, image):
        looked.append(threading.current_thread().name)
        return look(self, image)

    monkeypatch.setattr(Tracker, "look", noted)
    monkeypatch.setattr(
        Tracker, "step", lambda *given, **seen: (stepped.append(1), step(*given, **seen))[1]
    )
    track(video, prompts, tmp_path, exported_memory, "davis", 64, engine=engine)
    assert len(looked) == len(stepped) >= len(discs.images)
    elsewhere = sum(name.startswith("reader") for name in looked)
    assert elsewhere == 0 if engine == "torch" else elsewhere >= len(discs.images)


def test_what_was_tracked_before_a_run_was_ended_is_not_looked_at(
    video, discs, exported_memory, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(loop, "KEPT_EVERY", 5)
    given = (video, {1: Mask(discs.labels[0] == 1)}, tmp_path, exported_memory, "davis", 64)
    with pytest.raises(Stopped):
        track(*given, stop_after(7), engine="openvino")
    looked, look = [], Tracker.look
    monkeypatch.setattr(Tracker, "look", lambda *all: (looked.append(1), look(*all))[1])
    track(*given, engine="openvino", resume=True)
    assert len(looked) == len(discs.images) - 5


def test_what_goes_wrong_while_looking_ends_the_run_which_can_go_on(
    video, discs, exported_memory, tmp_path, monkeypatch
) -> None:
    look, left = Tracker.look, [6]

    def fails(self, image):
        if not left[0]:
            raise InputError("cannot be looked at")
        left[0] -= 1
        return look(self, image)

    monkeypatch.setattr(loop, "KEPT_EVERY", 2)
    monkeypatch.setattr(Tracker, "look", fails)
    given = (video, {1: Mask(discs.labels[0] == 1)}, tmp_path, exported_memory, "davis", 64)
    with pytest.raises(InputError, match="cannot be looked at"):
        track(*given, engine="openvino")
    assert len(masks_of(tmp_path)) <= 6, "of frames before, if they were written yet"
    monkeypatch.setattr(Tracker, "look", look)
    track(*given, engine="openvino", resume=True)
    assert len(masks_of(tmp_path)) == len(discs.images)


def test_a_frame_that_was_looked_at_is_not_looked_at_again(discs, exported_memory) -> None:
    """Nor does looking change anything: frames may be looked at in any order."""
    one, other = (load(exported_memory, "cpu", 64, engine="openvino") for _ in range(2))
    prompts = {1: Mask(discs.labels[0] == 1)}
    seen = [one.look(image) for image in discs.images[::-1]][::-1]
    one.look = None
    for t, image in enumerate(discs.images):
        given = prompts if t == 0 else None
        np.testing.assert_array_equal(
            one.step(image, given, seen[t]).labels, other.step(image, given).labels
        )
