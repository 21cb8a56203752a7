"""Whether a run keeps something of every frame: how its memory grows from one frame to a later one.

A run in a process of its own, without a network: what is left is the product's own memory, and some
3 MiB of the allocator's noise, a tenth of what the label maps of the frames in between would take.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fake import fake_tracker
from masktrail.prompts.kinds import Box
from masktrail.run import loop, propagate, track
from masktrail.run.record import peak_memory_mb
from painted_videos import paint_clip, write_video

SIZE = (640, 480)
LABELS_MB = SIZE[0] * SIZE[1] / 2**20
"""Of a label map."""


def paint_long(path: Path, frames: int) -> Path:
    """A video of two discs, ten frames again and again, a key frame every thirty."""
    few = paint_clip(10, SIZE).images
    images = np.broadcast_to(few, (frames // 10, *few.shape)).reshape(-1, *few.shape[1:])
    return write_video(path, images, tone=None, options={"g": "30", "preset": "ultrafast"})


def growth_of(
    video: Path,
    prompts: dict[int, dict[int, Box]],
    out: Path,
    *steps: int,
    keep: bool = False,
) -> list[float]:
    """Growth of the peak memory of tracking, MiB, in a process of its own.

    Args:
        video: tracked by a fake whose objects drift.
        prompts: by frame and object id.
        out: for the results of every writer that needs no extra.
        steps: where memory is looked at, counted as a run's progress is.
        keep: whether the label map of every frame is kept, for once.

    Returns:
        From each of the steps to the next.
    """
    return _elsewhere(_growth, video, prompts, out, steps, keep)


def growth_over_a_generator(model: str, frames: int) -> float:
    """Growth of the peak memory of `propagate`, MiB, from a tenth of the frames to the last.

    Args:
        model: a name of the zoo.
        frames: given one by one, each made when it is asked for.
    """
    return _elsewhere(_growth_over_a_generator, model, frames)


def _elsewhere(measure: Callable[..., Any], *arguments: Any) -> Any:
    """What a function of this module returns in a new process; its errors come back too.

    Of a module that pytest's `pythonpath` finds: a test's own would not be found there.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measure, *arguments).result()


def _growth_over_a_generator(model: str, frames: int) -> float:
    def read() -> Iterator[Any]:
        picture = np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8)
        for t in range(frames):
            yield np.roll(picture, t, 1)

    peaks = []
    for frame, _ in propagate(read(), {1: np.eye(96, 128, dtype=bool)}, model, size=64):
        if frame.index in (frames // 10, frames - 1):
            peaks.append(peak_memory_mb() or 0.0)
    first, last = peaks
    return last - first


def _growth(
    video: Path,
    prompts: dict[int, dict[int, Box]],
    out: Path,
    steps: tuple[int, ...],
    keep: bool,
) -> list[float]:
    peaks: list[float] = []
    kept: list[Any] = []

    def note(done: int, expected: int | None) -> None:
        if done in steps:
            peaks.append(peak_memory_mb() or 0.0)
        if keep:
            kept.append(np.ones(SIZE[::-1], np.uint8))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "tracker_of", lambda *arguments: fake_tracker())
        (out.parent / "fake.safetensors").write_bytes(b"fake")
        track(video, prompts, out, out.parent / "fake.safetensors", progress=note)
    assert len(peaks) == len(steps)
    return [later - earlier for earlier, later in pairwise(peaks)]
