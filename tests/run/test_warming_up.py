"""What the first frames need is compiled before they come, on a thread of its own."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from signal import SIGINT, raise_signal

import numpy as np
import pytest

from masktrail.engines import openvino as openvino_engine
from masktrail.engines import openvino_form
from masktrail.engines.graph import About
from masktrail.errors import InputError
from masktrail.prompts.kinds import Box, Mask, Prompt
from masktrail.run import loop, track
from masktrail.run.pipeline import meanwhile
from masktrail.tracking.tracker import Tracker
from masktrail.zoo import load
from masktrail.zoo.lazy_prompter import LazyPrompter
from watched_runs import Stopped, stop_after

SIZES = {"h": 3, "w": 4, "n": 2}


def about(inputs, free: str = "") -> About:
    return About("f", ["f"], "", 16, inputs, ["out"], free, exact=False)


def test_letters_tell_what_a_function_is_compiled_for() -> None:
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
    compile_ = openvino_form.Form._compiled

    def noted(form: openvino_form.Form, model: object) -> object:
        threads.append(threading.current_thread().name)
        return compile_(form, model)

    monkeypatch.setattr(openvino_form.Form, "_compiled", noted)
    return threads


def masks_of(tracker: Tracker, discs, prompts: dict[int, Prompt]) -> list[np.ndarray]:
    first, *others = discs.images
    return [
        tracker.step(first, prompts).labels,
        *(tracker.step(image).labels for image in others),
    ]


@pytest.fixture
def prompts(discs) -> dict[int, Prompt]:
    return {i: Mask(discs.labels[0] == i) for i in (1, 2)}


@pytest.mark.parametrize("kind", ["mask", "box"])
def test_a_tracker_that_is_warm_has_nothing_to_compile(
    discs, prompts, exported_memory, compiled, kind
) -> None:
    if kind == "box":
        prompts = {1: Box(10, 10, 30, 40), 2: Box(40, 10, 60, 40)}
    warm, other = (load(exported_memory, size=64, engine="openvino") for _ in range(2))
    for _ in warm.warm_up(*discs.images[0].shape[:2], prompts):
        pass
    assert compiled
    compiled.clear()
    found = masks_of(warm, discs, prompts)
    assert not compiled
    expected = masks_of(other, discs, prompts)
    assert compiled
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_run_warms_up_for_its_size_and_its_objects(
    video, discs, prompts, exported_memory, tmp_path, monkeypatch
) -> None:
    asked = []

    def noted(tracker, *sizes):
        asked.append(sizes)
        return iter(())

    monkeypatch.setattr(Tracker, "warm_up", noted)
    size, moved = discs.images[0].shape[:2], {1: prompts[1]}
    track(video, prompts, tmp_path / "first", exported_memory, "davis", 64)
    several = {0: moved, 5: moved, 9: prompts}
    track(video, several, tmp_path / "several", exported_memory, "davis", 64)
    assert asked == [(*size, prompts), (*size, moved, 3)]
    asked.clear()
    track(video, prompts, tmp_path / "first", exported_memory, "csv", 64, resume=True)
    assert not asked, "a run that is finished is only exported anew"


def test_a_run_that_goes_on_needs_no_prompter_any_more(
    video, prompts, exported_memory, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(loop, "KEPT_EVERY", 4)
    with pytest.raises(Stopped):
        track(video, prompts, tmp_path, exported_memory, "davis", 64, stop_after(10))
    asked = []
    warm_up = Tracker.warm_up

    def noted(tracker, height, width, prompts):
        asked.append((tracker.ids, prompts))
        return warm_up(tracker, height, width, prompts)

    monkeypatch.setattr(Tracker, "warm_up", noted)
    track(video, prompts, tmp_path, exported_memory, "davis", 64, resume=True)
    assert asked == [((1, 2), {})]


def test_two_threads_that_need_the_same_compile_it_once(discs, exported_memory, compiled) -> None:
    tracker = load(exported_memory, size=64, engine="openvino")
    with ThreadPoolExecutor(4) as pool:
        for looked in [pool.submit(tracker.look, discs.images[0]) for _ in range(4)]:
            looked.result()
    assert len(compiled) == 2  # encode and lift


def test_what_is_compiled_keeps_nobody_from_other_sizes(
    discs, prompts, exported_memory, monkeypatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    compile_ = openvino_form.Form._compiled

    def slow(form: openvino_form.Form, model: object) -> object:
        if threading.current_thread().name.startswith("slow"):
            begun.set()
            assert go_on.wait(60)
        return compile_(form, model)

    monkeypatch.setattr(openvino_form.Form, "_compiled", slow)
    tracker = load(exported_memory, size=64, engine="openvino")
    with ThreadPoolExecutor(1, "slow") as pool:
        warm = pool.submit(list, tracker.propagator.warm_up(96, 96, 1, 1))
        try:
            assert begun.wait(60)
            masks_of(tracker, discs, prompts)
        finally:
            go_on.set()
        warm.result()


def test_8_bits_go_with_bfloat16_where_that_is_quick(monkeypatch) -> None:
    plain, exact = about({}), About("f", ["f"], "", 16, {}, [], "", exact=True)
    for quick, expected in ((("int8", "bfloat16", "float"), "bf16"), (("int8", "float"), "f32")):
        monkeypatch.setattr(openvino_engine, "precisions", lambda quick=quick: quick)
        assert openvino_engine._hint(plain, "int8") == expected
        assert openvino_engine._hint(plain, "float") == "f32"
        assert openvino_engine._hint(plain, "bfloat16") == "bf16"
        assert openvino_engine._hint(exact, "int8") == "f32"


def test_a_prompter_is_made_once_and_again_if_it_could_not_be() -> None:
    made = []

    def make():
        made.append(1)
        if len(made) == 1:
            raise InputError("no weights yet")
        return lambda image, prompt, previous: np.ones((4, 4), bool)

    prompter, box = LazyPrompter(make), Box(0, 0, 2, 2)
    with pytest.raises(InputError, match="no weights yet"):
        next(prompter.warm_up(4, 4, 1, 1))
    with ThreadPoolExecutor(4) as pool:
        masks = list(pool.map(lambda _: prompter(np.zeros((4, 4, 3)), box, None), range(4)))
    assert len(made) == 2 and all(mask.all() for mask in masks)
    assert list(prompter.warm_up(4, 4, 1, 1)) == [None]


def endless(done: list[int], begun: threading.Event) -> Iterator[None]:
    for i in range(100_000_000):
        done.append(i)
        begun.set()
        yield


@pytest.mark.parametrize("error", [None, InputError("the disk is full"), KeyboardInterrupt()])
def test_the_rest_is_left_when_a_run_ends(error) -> None:
    done, begun = list[int](), threading.Event()
    try:
        with meanwhile(endless(done, begun)):
            assert begun.wait(60)
            if error is not None:
                raise error
    except (InputError, KeyboardInterrupt) as raised:
        assert raised is error
    else:
        assert error is None
    count = len(done)
    assert 0 < count < 100_000_000
    assert not any(thread.name == "warm-up" for thread in threading.enumerate())
    assert len(done) == count


def test_ctrl_c_while_the_last_part_ends_counts_when_it_is_done() -> None:
    begun, ended = threading.Event(), threading.Event()

    def part() -> Iterator[None]:
        begun.set()
        assert ended.wait(60)
        yield

    with pytest.raises(KeyboardInterrupt), meanwhile(part()):
        assert begun.wait(60)
        threading.Timer(0.2, lambda: (raise_signal(SIGINT), ended.set())).start()
    assert not any(thread.name == "warm-up" for thread in threading.enumerate())


@pytest.mark.parametrize("error", [InputError("a damaged graph"), RuntimeError("no memory")])
def test_what_cannot_be_made_ready_is_told_by_who_needs_it(capsys, error) -> None:
    def parts() -> Iterator[None]:
        yield
        raise error

    with meanwhile(parts()):
        pass
    assert capsys.readouterr().err == ""
