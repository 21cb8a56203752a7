"""What takes long is prepared before it is needed, on a thread of its own."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from masktrail.engines import openvino_form
from masktrail.engines.graph import About
from masktrail.errors import InputError
from masktrail.run.pipeline import meanwhile
from masktrail.tracking.tracker import Tracker
from masktrail.types import Box, Mask, Prompt
from masktrail.zoo import load

SIZES = {"h": 3, "w": 4, "n": 2}


def about(inputs, free: str = "") -> About:
    return About("f", ["f"], "", 16, inputs, ["out"], free, exact=False)


def test_letters_tell_what_a_function_is_prepared_for() -> None:
    inputs = {"images": (1, "16h", "16w", 3), "masks": ("n", "h*w")}
    assert about(inputs).shapes(SIZES) == {"images": (1, 48, 64, 3), "masks": (2, 12)}
    assert about({"at": ("p", 2), "x": ("h",)}, "p").shapes(SIZES) == {"at": (-1, 2), "x": (3,)}
    assert about({"at": ("p", 2)}, "p").shapes({}) == {"at": (-1, 2)}
    assert about({"x": ("h", "q")}).shapes(SIZES) is None
    assert about({"x": ("h",), "count": None}).shapes(SIZES) is None


@pytest.fixture
def compiled(monkeypatch) -> list[str]:
    """Names of the threads that compiled something, once for each form."""
    threads: list[str] = []
    prepare = openvino_form.Form._compile

    def noted(form: openvino_form.Form) -> None:
        threads.append(threading.current_thread().name)
        prepare(form)

    monkeypatch.setattr(openvino_form.Form, "_compile", noted)
    return threads


def masks_of(tracker: Tracker, discs, prompts: dict[int, Prompt]) -> list[np.ndarray]:
    first, *others = discs.images
    return [
        tracker.step(first, prompts).labels,
        *(tracker.step(image).labels for image in others),
    ]


@pytest.mark.parametrize("kind", ["mask", "box"])
def test_a_tracker_that_is_prepared_has_nothing_to_compile(
    discs, exported_memory, compiled, kind
) -> None:
    masks = {i: Mask(discs.labels[0] == i) for i in (1, 2)}
    boxes = {1: Box(10, 10, 30, 40), 2: Box(40, 10, 60, 40)}
    prompts = masks if kind == "mask" else boxes
    prepared, other = (load(exported_memory, size=64, engine="openvino") for _ in range(2))
    for _ in prepared.prepare(*discs.images[0].shape[:2], prompts):
        pass
    assert compiled
    compiled.clear()
    found = masks_of(prepared, discs, prompts)
    assert not compiled
    expected = masks_of(other, discs, prompts)
    assert compiled
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, two)


def test_two_threads_that_need_the_same_compile_it_once(discs, exported_memory, compiled) -> None:
    tracker = load(exported_memory, size=64, engine="openvino")
    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(tracker.look, discs.images[0])
    assert len(compiled) == 2  # encode and lift


def test_what_is_compiled_keeps_nobody_from_other_sizes(
    discs, exported_memory, monkeypatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    compile_ = openvino_form.Form._compile

    def slow(form: openvino_form.Form) -> None:
        if threading.current_thread().name == "slow":
            begun.set()
            assert go_on.wait(60)
        compile_(form)

    monkeypatch.setattr(openvino_form.Form, "_compile", slow)
    tracker = load(exported_memory, size=64, engine="openvino")
    tracker.look(discs.images[0])
    preparing = tracker.propagator.prepare(96, 96, 1)
    thread = threading.Thread(target=list, args=(preparing,), name="slow")
    thread.start()
    assert begun.wait(60)
    masks_of(tracker, discs, {1: Mask(discs.labels[0] == 1)})
    go_on.set()
    thread.join()


def test_the_rest_is_left_once_nobody_waits_for_it() -> None:
    done, seen = [], threading.Event()

    def parts() -> Iterator[None]:
        for i in range(1_000_000):
            done.append(i)
            seen.set()
            yield

    with meanwhile(parts()):
        assert seen.wait(60)
    count = len(done)
    assert 0 < count < 1_000_000
    assert not any(thread.name == "preparing" for thread in threading.enumerate())
    assert len(done) == count


def test_what_cannot_be_prepared_is_said_by_who_needs_it(capsys) -> None:
    def parts() -> Iterator[None]:
        yield
        raise InputError("a damaged graph")

    with meanwhile(parts()):
        pass
    assert capsys.readouterr().err == ""
