"""A network in training, in a process of its own: trains it, and tells how it gets on."""

import gc
import logging
import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple, Protocol

import torch

from gpu.shared_packs import take_over
from masktrail.data.pack import Pack
from masktrail.errors import InputError
from masktrail.recipe import Recipe
from masktrail.train.log import total_loss
from masktrail.train.loop import Pace, train
from masktrail.train.trainer import CHECKPOINT, read_clock

FULL = ("out of memory", "ALLOC_FAILED")

logger = logging.getLogger("masktrail.tools")


class Stop(Protocol):
    """A number that processes share: 1 when they are to end, else 0."""

    value: int


@dataclass(frozen=True)
class Task:
    """What a process is to do.

    Attributes:
        name: of the network.
        recipe: it is trained by.
        minutes: of training.
        folder: for what `train` writes.
        device: name of it.
        pace: how often it logs and saves.
    """

    name: str
    recipe: Recipe
    minutes: float
    folder: Path
    device: str
    pace: Pace


class Report(NamedTuple):
    """How far a network is: steps and clips so far, minutes of training, the mean loss since the
    report before, the most memory that its process has taken, bytes."""

    steps: int = 0
    clips: int = 0
    minutes: float = 0.0
    loss: float = 0.0
    memory: int = 0


def learn(task: Task, handed: bytes, stop: Stop, telling: Connection) -> None:
    """All that the process does.

    Args:
        task: what it is to do.
        handed: packs, see `shared_packs.hand_over`.
        stop: 1 when it is to end before its time.
        telling: takes a `Report` for every row of the log, and a sentence if it fails.
    """
    logging.basicConfig(level=logging.WARNING, format=f"{task.name}: %(message)s")
    try:
        _train(task, take_over(handed), stop, telling)
    except InputError as error:
        telling.send(str(error))
        raise SystemExit(1) from None
    except Exception as error:
        telling.send(f"{type(error).__name__}: {error}")
        raise


def _train(task: Task, packs: Mapping[str, Pack], stop: Stop, telling: Connection) -> None:
    """Trains; with half the clips a step, as often as the device's memory does not hold them."""

    def progress(share: float, row: dict[str, float]) -> None:
        memory = _memory(torch.device(task.device))
        steps, clips = int(row["step"]), int(row["clips"])
        telling.send(Report(steps, clips, row["minutes"], total_loss(row), memory))

    end = time.monotonic() + 60 * task.minutes
    recipe, minutes, resume = task.recipe, task.minutes, False
    while True:
        how = task.device, progress, task.pace, lambda: bool(stop.value), packs
        try:
            train(recipe, minutes, task.folder, resume, *how, overwrite=True)
            return
        except RuntimeError as error:
            if not _is_full(error):
                raise
            recipe = _halved(recipe, error)
        gc.collect()
        torch.cuda.empty_cache()
        resume = (task.folder / CHECKPOINT).is_file()
        trained = read_clock(task.folder).seconds if resume else 0.0
        minutes = (trained + end - time.monotonic()) / 60


def _is_full(error: RuntimeError) -> bool:
    """Whether an error says that a GPU's memory is full: by its kind, or as libraries say it."""
    text = str(error)
    return isinstance(error, torch.OutOfMemoryError) or any(phrase in text for phrase in FULL)


def _halved(recipe: Recipe, error: Exception) -> Recipe:
    """The recipe with half the clips a step."""
    stages = tuple(replace(stage, batch=max(1, stage.batch // 2)) for stage in recipe.stages)
    if stages == recipe.stages:
        raise InputError("Not even steps of one clip fit into the memory.") from error
    logger.warning("Batches do not fit into the memory; now of %s", [s.batch for s in stages])
    return replace(recipe, stages=stages)


def _memory(device: torch.device) -> int:
    """The most that this process has taken of a GPU's memory, or of the machine's; bytes."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
