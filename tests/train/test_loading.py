"""Clips drawn ahead: the same whoever draws them, other ones for each, and nobody left behind."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import pytest
import torch

from masktrail.data.pack import open_pack
from masktrail.data.synth import Clips, ClipSampler
from masktrail.errors import InputError
from masktrail.recipe import Recipe, Stage
from masktrail.train.loading import Loader


def make_sampler(recipe: Recipe, seed: int) -> ClipSampler:
    return ClipSampler(open_pack(recipe.stills), [open_pack(v) for v in recipe.videos], seed)


def draw(sampler: ClipSampler, stage: Stage) -> Clips:
    return sampler.stills_batch(stage.batch, stage.clips)


def loader(recipe: Recipe, workers: int, rank: int = 0) -> Loader[ClipSampler]:
    return Loader(partial(make_sampler, recipe), draw, recipe, workers, rank)


@pytest.fixture(autouse=True)
def nobody_is_left() -> Iterator[None]:
    yield
    assert not multiprocessing.active_children()


def first(recipe: Recipe, workers: int, count: int, rank: int = 0, step: int = 0) -> list[Clips]:
    made = loader(recipe, workers, rank)
    made.resume(step)
    clips = [clips for _, clips in islice(made, count)]
    made.close()
    return clips


def same(one: Clips, other: Clips) -> bool:
    expected, found = one.tensors(), other.tensors()
    return expected.keys() == found.keys() and all(
        torch.equal(tensor, found[name]) for name, tensor in expected.items()
    )


class Watched:
    """Draws as `draw` does, and notes what was drawn and by which thread."""

    def __init__(self) -> None:
        self.clips: list[Clips] = []
        self.threads: set[int] = set()

    def __call__(self, sampler: ClipSampler, stage: Stage) -> Clips:
        self.threads.add(threading.get_ident())
        self.clips.append(draw(sampler, stage))
        return self.clips[-1]


def watched(recipe: Recipe) -> tuple[Watched, Loader[ClipSampler]]:
    """A loader of a device that is not the CPU."""
    watch = Watched()
    return watch, Loader(partial(make_sampler, recipe), watch, recipe, 0, 0, torch.device("meta"))


def test_for_a_device_a_thread_draws_ahead_what_would_be_drawn(recipe: Recipe) -> None:
    watch, made = watched(recipe)
    batches = iter(made)
    assert next(batches)[1].images.device.type == "meta"
    end = time.monotonic() + 60
    while len(watch.clips) < 2:
        assert time.monotonic() < end, "nothing is drawn ahead"
        time.sleep(0.01)
    time.sleep(0.1)
    assert len(watch.clips) == 2, "no more than one"
    list(islice(batches, 3))
    made.close()
    assert len(watch.clips) == 5, "four were asked for"
    assert len(watch.threads) == 1 and threading.get_ident() not in watch.threads
    assert not any(thread.ident in watch.threads for thread in threading.enumerate())
    assert all(map(same, watch.clips, first(recipe, 0, 5)))


def test_with_a_thread_it_resumes_exactly(recipe: Recipe) -> None:
    """At what was asked for, not at what was drawn ahead."""
    watch, made = watched(recipe)
    list(islice(made, 3))
    made.close()
    random = made.random
    list(islice(made, 1))
    made.close()
    expected = first(recipe, 0, 4)
    assert all(map(same, watch.clips[:4], expected)) and same(watch.clips[4], expected[3])
    again, other = watched(recipe)
    other.resume(3, random)
    list(islice(other, 1))
    other.close()
    assert same(again.clips[0], expected[3])


def test_for_a_device_a_thread_fetches_from_the_workers(recipe: Recipe) -> None:
    made = Loader(partial(make_sampler, recipe), draw, recipe, 2, device=torch.device("meta"))
    shapes = {clips.images.shape for _, clips in islice(made, 6)}
    assert shapes == {(1, 2, 3, 64, 64)}
    made.close()
    assert not multiprocessing.active_children()


def test_a_refusal_in_a_thread_reaches_the_user(recipe: Recipe) -> None:
    for fails, kind in ((refuse, InputError), (stumble, ZeroDivisionError)):
        made = Loader(partial(make_sampler, recipe), fails, recipe, device=torch.device("meta"))
        with pytest.raises(kind):
            next(iter(made))


def test_workers_draw_what_this_process_would(recipe: Recipe) -> None:
    alone, ahead, both = (first(recipe, workers, 4) for workers in (0, 1, 2))
    assert all(map(same, alone, ahead))
    assert all(map(same, alone[:2], both[::2])), "the first of two workers"
    assert not any(same(one, other) for one in alone for other in both[1::2])


def test_every_rank_and_every_resumption_draws_others(recipe: Recipe) -> None:
    drawn = [first(recipe, 0, 1, rank, step)[0] for rank, step in ((0, 0), (1, 0), (0, 1), (1, 1))]
    drawn += first(replace(recipe, seed=4), 0, 1)
    assert sum(same(one, other) for one in drawn for other in drawn) == len(drawn)


def test_alone_it_resumes_exactly(recipe: Recipe) -> None:
    made = loader(recipe, 0)
    list(islice(made, 3))
    random = made.random
    expected = [clips for _, clips in islice(made, 2)]
    again = loader(recipe, 0)
    again.resume(3, random)
    assert all(map(same, expected, (clips for _, clips in islice(again, 2))))
    assert loader(recipe, 1).random is None


@pytest.mark.parametrize("workers", [0, 2])
def test_the_stage_follows_the_time(recipe: Recipe, workers: int) -> None:
    early = replace(recipe.stages[0], until=0.5)
    late = replace(early, until=1.0, batch=2)
    made = loader(replace(recipe, stages=(early, late)), workers)
    batches = iter(made)
    assert next(batches)[0] == early
    made.progress = 0.7
    assert made.progress == 0.7
    following = [next(batches) for _ in range(8)]
    made.close()
    assert following[-1][0] == late, "also in the workers, once what was drawn ahead is used up"
    assert all(len(clips.images) == stage.batch for stage, clips in following)
    if not workers:
        assert {stage.until for stage, _ in following} == {1.0}


def test_what_is_sent_to_workers_is_small(recipe: Recipe) -> None:
    """No copies of packs; and it can be sent, where processes are not forked."""
    made = loader(recipe, 1)
    made._source.progress = torch.zeros(())  # shared memory goes by a handle of its own
    assert len(pickle.dumps(made._source)) < 5000


@pytest.mark.parametrize("workers", [0, 1])
def test_drawing_leaves_the_global_generator_alone(recipe: Recipe, workers: int) -> None:
    torch.manual_seed(5)
    first(recipe, workers, 2)
    drawn = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(3))


def test_what_cannot_be_used_is_refused_at_once(recipe: Recipe, tmp_path: Path) -> None:
    for workers in (0, 1):
        with pytest.raises(InputError, match="not a complete packed data set"):
            loader(replace(recipe, stills=str(tmp_path)), workers)


def refuse(sampler: ClipSampler, stage: Stage) -> Clips:
    raise InputError("No clip of this pack is long enough.")


def stumble(sampler: ClipSampler, stage: Stage) -> Clips:
    raise ZeroDivisionError("a bug")


@pytest.mark.parametrize("workers", [0, 2])
def test_a_refusal_reaches_the_user_word_by_word(recipe: Recipe, workers: int) -> None:
    made = Loader(partial(make_sampler, recipe), refuse, recipe, workers)
    with pytest.raises(InputError) as refusal:
        next(iter(made))
    assert str(refusal.value) == "No clip of this pack is long enough."


def test_a_bug_in_a_worker_keeps_its_traceback(recipe: Recipe) -> None:
    made = Loader(partial(make_sampler, recipe), stumble, recipe, 1)
    with pytest.raises(ZeroDivisionError, match="stumble"):
        next(iter(made))


def test_workers_end_when_told_or_forgotten(recipe: Recipe) -> None:
    made = loader(recipe, 2)
    batches = iter(made)
    next(batches)
    before = multiprocessing.active_children()
    assert len(before) == 2
    batches = iter(made)
    next(batches)
    assert not any(process.is_alive() for process in before), "those of the iteration before"
    made.close()
    assert not multiprocessing.active_children()
    made.close()
    batches = iter(made)
    next(batches)
    del made, batches  # without a word


PROCESS = """
import multiprocessing, pickle, sys, time
from itertools import islice
from test_loading import loader

if __name__ == "__main__":
    made = loader(pickle.loads(bytes.fromhex(sys.argv[1])), 2)
    batches = iter(made)
    try:
        list(islice(batches, 2))  # one of each: both are at work
        print(*(process.pid for process in multiprocessing.active_children()), flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        time.sleep(0.5)
        list(islice(batches, 8))  # more than was drawn ahead
        made.close()
        print("closed", flush=True)
"""


def test_ctrl_c_is_left_to_the_parent(recipe: Recipe, tmp_path: Path) -> None:
    """The terminal sends it to all processes; the parent can still save and draw, then all end."""
    (tmp_path / "process.py").write_text(PROCESS)
    tests = Path(__file__).parent
    paths = [str(tests), str(tests.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, str(tmp_path / "process.py"), pickle.dumps(recipe).hex()]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    assert process.stdout
    pids = [int(pid) for pid in process.stdout.readline().split()]
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert (said, process.returncode) == ("closed\n", 0)
    assert len(pids) == 2
    end = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < end, "left behind"
        time.sleep(0.05)
