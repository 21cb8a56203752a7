"""Clips drawn while the network learns from those before: by worker processes, and, where it learns
on a GPU, one batch ahead by a thread.

Which stage of the recipe is drawn depends on the share of the time that has passed, so the workers
read it from memory they share with the training process; a clip drawn just before a stage ends is
learned from just after, by the rules it was drawn for.
"""

import signal
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from masktrail.data.synth import Clips
from masktrail.devices import sent
from masktrail.errors import InputError
from masktrail.recipe import Recipe, Stage


class Sampler(Protocol):
    """Whatever clips are drawn from, such as a `ClipSampler`."""

    generator: torch.Generator


S = TypeVar("S", bound=Sampler)
T = TypeVar("T")

Batch = tuple[Stage, Clips]


class _Drawn(NamedTuple):
    """A batch, and the state of the generator after it, if that is this process's."""

    stage: Stage
    clips: Clips
    random: Tensor | None


class Loader(Generic[S]):
    """Batches of clips without end, drawn in this process or ahead of it by workers.

    Iterating anew starts new workers and ends those of before; `close` ends them too. What a worker
    draws follows from the recipe's seed, the rank, the worker and the step it started at.

    Args:
        make_sampler: makes a sampler from a seed. Every worker calls it for itself, so that memory
            maps are opened there and never sent; where processes are not forked it has to be a
            function of a module, or a `partial` of one. With workers it must stay off the GPU.
        draw: draws a batch of a stage; likewise a function of a module.
        recipe: its stages and its seed.
        workers: number of processes; 0 draws in this one. For a device that is not the CPU a thread
            then draws, or fetches from the workers, while the batch before is learned from.
        rank: of this process among those that train together.
        device: where batches are moved.

    Raises:
        InputError: whatever `make_sampler` refuses.
    """

    def __init__(
        self,
        make_sampler: Callable[[int], S],
        draw: Callable[[S, Stage], Clips],
        recipe: Recipe,
        workers: int = 0,
        rank: int = 0,
        device: torch.device | None = None,
    ) -> None:
        self._progress = torch.zeros((), dtype=torch.float64).share_memory_()
        self._source = _Source(make_sampler, draw, recipe, rank, self._progress)
        self._workers, self._device = workers, device
        self._running: Generator[Batch] | None = None
        sampler = make_sampler(self._source.seed(0))  # also with workers: refuse at once
        self.sampler = self._source.sampler = None if workers else sampler
        self._source.random = None if workers else sampler.generator.get_state()

    @property
    def progress(self) -> float:
        """Share of the time that has passed, 0 to 1; decides which stage is drawn."""
        return float(self._progress)

    @progress.setter
    def progress(self, share: float) -> None:
        self._progress.fill_(share)

    @property
    def random(self) -> Tensor | None:
        """State of the generator after the last batch handed out, to go on from exactly; None with
        workers, each of whom has its own."""
        return self._source.random

    def resume(self, step: int, random: Tensor | None = None) -> None:
        """Goes on at a step of the optimiser: with no clips of before, or exactly.

        What had been drawn ahead as a stage ended is drawn by the rules of the next one.

        Args:
            step: where the training was left.
            random: what `random` was there, to go on exactly; ignored with workers.
        """
        self.close()
        self._source.step = step
        if self.sampler is not None:
            generator = self.sampler.generator
            if random is None:
                generator.manual_seed(self._source.seed(0))
            else:
                generator.set_state(random.cpu())
            self._source.random = generator.get_state()

    def __iter__(self) -> Iterator[Batch]:
        self.close()
        if self.sampler is not None and self.random is not None:
            self.sampler.generator.set_state(self.random)  # what was drawn ahead is drawn again
        self._running = _batches(self._source, self._workers, self._device)
        return self._running

    def close(self) -> None:
        """Ends the workers or the thread, if there are any."""
        if self._running is not None:
            self._running.close()
            self._running = None


class _Source(IterableDataset[Any], Generic[S]):
    """What one worker draws."""

    def __init__(
        self,
        make_sampler: Callable[[int], S],
        draw: Callable[[S, Stage], Clips],
        recipe: Recipe,
        rank: int,
        progress: Tensor,
    ) -> None:
        self.make_sampler, self.draw = make_sampler, draw
        self.recipe, self.rank, self.progress, self.step = recipe, rank, progress, 0
        self.sampler: S | None = None
        self.random: Tensor | None = None  # see `Loader.random`

    def seed(self, worker: int) -> int:
        """Another one for every worker of every process, and every step it may resume at."""
        parts = (self.recipe.seed, self.rank, worker, self.step)
        return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0])

    def __iter__(self) -> Iterator[_Drawn | InputError]:
        """Batches; an `InputError` is handed over as it is, a traceback would be put before it."""
        info = get_worker_info()
        try:
            sampler = self.sampler
            if sampler is None:
                sampler = self.make_sampler(self.seed(info.id if info else 0))
            while True:
                stage = self.recipe.stage(float(self.progress))
                clips = self.draw(sampler, stage)
                yield _Drawn(stage, clips, None if info else sampler.generator.get_state())
        except InputError as error:
            yield error


def _batches(source: _Source[Any], workers: int, device: torch.device | None) -> Generator[Batch]:
    """Starts workers, hands on what they draw, and ends them when it is closed or forgotten."""
    loader = DataLoader(
        source,
        batch_size=None,
        num_workers=workers,
        collate_fn=_as_it_is,
        worker_init_fn=_leave_interrupts_to_the_parent if workers else None,
        generator=torch.Generator(),  # the global one stays as it is
    )
    drawn: Any = iter(loader)
    moved = _moved(drawn, device)
    try:
        with closing(moved if device is None or device.type == "cpu" else _ahead(moved)) as items:
            for item in items:
                if isinstance(item, InputError):
                    raise item
                source.random = item.random
                yield item.stage, item.clips
    finally:
        if workers:
            drawn._shutdown_workers()  # at once, not when the garbage is collected


def _moved(
    items: Iterator[_Drawn | InputError], device: torch.device | None
) -> Generator[_Drawn | InputError]:
    """The same with the clips on `device`."""
    for item in items:
        if isinstance(item, _Drawn) and device is not None:
            on_device = {
                name: _carried(tensor, device) for name, tensor in item.clips.tensors().items()
            }
            item = item._replace(clips=Clips(**on_device))
        yield item


def _carried(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor of any size on `device`, which need not have done all it was asked for before."""
    if device.type == "cuda" and tensor.device.type == "cpu":
        tensor = tensor.pin_memory()
    return sent(tensor, device)


def _ahead(items: Iterator[T]) -> Generator[T]:
    """The items of an endless iterator, each made by a thread while that before it is used."""
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(next, items)
        while True:
            item = following.result()
            following = pool.submit(next, items)
            yield item


def _as_it_is(item: Any) -> Any:
    return item


def _leave_interrupts_to_the_parent(worker: int) -> None:
    """Ctrl-C reaches all processes; the training one ends the others once it has saved."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
