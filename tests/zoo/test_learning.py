"""Models that learn from marked frames, where they can and where they cannot."""

import logging

import numpy as np
import pytest

from masktrail.cli.options import settings
from masktrail.errors import InputError
from masktrail.prompts.kinds import Mask
from masktrail.zoo import engines, load, untaught
from painted_videos import paint_clip

OWN_FLOW = {"flow": "learned"}
"""So that nothing but torch can be missing."""


@pytest.fixture
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    real = engines.find_spec
    monkeypatch.setattr(engines, "find_spec", lambda name: None if name == "torch" else real(name))


def check_that_it_goes_on_untaught(engine: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        tracker = load("lucid", "cpu", 64, settings=OWN_FLOW, engine=engine)
    assert [record.message.count("It learns nothing now.") for record in caplog.records] == [1]
    assert tracker.settings["budget"] == 60, "a run is the same where it can learn"
    clip = paint_clip(2, (96, 64))
    tracker.step(clip.images[0], {1: Mask(clip.labels[0] == 1)})
    assert not tracker.propagator.lesson()["parameters"]  # type: ignore[attr-defined]
    again = load("lucid", "cpu", 64, settings=OWN_FLOW, engine=engine)
    again.load_state_dict(tracker.state_dict())
    assert np.array_equal(again.step(clip.images[1]).labels, tracker.step(clip.images[1]).labels)


def test_without_torch_what_nobody_asked_for_is_left_out(no_torch, caplog) -> None:
    check_that_it_goes_on_untaught("openvino", caplog)


def test_where_an_engine_cannot_what_nobody_asked_for_is_left_out(caplog) -> None:
    pytest.importorskip("onnxruntime")
    check_that_it_goes_on_untaught("onnxruntime", caplog)


def test_without_torch_what_was_asked_for_is_refused(no_torch) -> None:
    with pytest.raises(InputError, match=r"needs torch.*or let it learn for 0 seconds"):
        load("lucid", "cpu", settings={**OWN_FLOW, "budget": 5})
    assert load("lucid", "cpu", settings={**OWN_FLOW, "budget": 0}).settings["budget"] == 0


def test_no_seconds_at_all_can_be_asked_for() -> None:
    assert settings("lucid", None, 0.0) == {"budget": 0}
    assert settings("lucid", ["flow=none"], 30.0) == {"flow": "none", "budget": 30}
    assert settings("lucid", None, None) == settings("copy", None, 0.0) == {}
    with pytest.raises(InputError, match="--adapt and --set budget say the same"):
        settings("lucid", ["budget=5"], 0.0)


def test_nothing_need_be_learned() -> None:
    assert untaught("memory-s") == {"adapt": 0} and untaught("lucid") == {"budget": 0}
    assert untaught("copy") == {}
