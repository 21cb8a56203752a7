"""A tracker over a data set: masks, J and F, and how long it took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as Pictures

from masktrail.data.davis import Sequence, find_sequences
from masktrail.evaluate.scores import measure_sequence, summarise
from masktrail.masks import tight_box, write_labels
from masktrail.run import peak_memory_mb, versions
from masktrail.types import Box, Image, LabelMap, Mask, Prompt
from masktrail.zoo import load

if TYPE_CHECKING:
    from masktrail.trackers.tracker import Tracker

Progress = Callable[[str, int, int], None]
"""Called with the sequence's name, frames done and frames in all, over the whole data set."""


@dataclass
class Clock:
    """Adds up time spent in some stretch of work."""

    seconds: float = 0.0
    frames: int = 0
    started: float = field(default_factory=time.perf_counter)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Counts one frame and the time until the block ends."""
        before = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - before
        self.frames += 1

    def speeds(self) -> dict[str, float]:
        """Frames per second of the tracking alone, and of everything since the clock was made."""
        return {
            "tracking_fps": self.frames / self.seconds,
            "end_to_end_fps": self.frames / (time.perf_counter() - self.started),
        }


def evaluate(
    model: str | Path,
    root: Path,
    names: list[str] | None = None,
    prompt: str = "mask",
    protocol: str = "davis",
    masks: Path | None = None,
    size: int | None = None,
    device: str = "auto",
    progress: Progress = lambda name, done, total: None,
    **settings: Any,
) -> dict[str, Any]:
    """Tracks every sequence of a data set from its first masks, and scores the result.

    Args:
        model: whatever `zoo.load` loads.
        root: data set, see `data.davis`.
        names: only these sequences.
        prompt: "mask", or "box" for the tight box of the first mask.
        protocol: "davis" or "report".
        masks: folder to write predicted label maps to, as `<sequence>/<frame>.png`.
        size: short side to work at.
        device: where to compute.
        progress: called after every frame.
        settings: arguments of the model's propagator.

    Returns:
        What `scores.summarise` returns, with "model", "data", "prompt", "speed",
        "peak_memory_mb" and "versions".

    Raises:
        InputError: no such model, data set or sequence.
    """
    sequences = find_sequences(root, names)
    tracker = load(model, device, size, **settings)
    fresh = tracker.state_dict()
    clock, total = Clock(), sum(len(s) for s in sequences)
    measures = {}
    for sequence in sequences:
        tracker.load_state_dict(fresh)
        predictions: list[LabelMap] = []
        for labels in track_sequence(tracker, sequence, prompt, clock):
            predictions.append(labels)
            progress(sequence.name, clock.frames, total)
        if masks is not None:
            _write(predictions, sequence, masks)
        measures[sequence.name] = _measure(sequence, predictions, protocol)
    return {
        "model": str(model),
        "data": str(root),
        "prompt": prompt,
        **summarise(measures, protocol),
        "speed": clock.speeds(),
        "peak_memory_mb": peak_memory_mb(),
        "versions": versions(),
    }


def track_sequence(
    tracker: "Tracker", sequence: Sequence, prompt: str, clock: Clock
) -> Iterator[LabelMap]:
    """Label maps (H, W) of every frame; objects are prompted where they are first annotated."""
    known: set[int] = set()
    for index in range(len(sequence)):
        image = read_image(sequence.frames[index])
        prompts: dict[int, Prompt] = {}
        if known != set(sequence.ids) and (truth := sequence.truth(index)) is not None:
            for object_id in set(np.unique(truth).tolist()) & set(sequence.ids) - known:
                prompts[object_id] = _prompt(truth == object_id, prompt)
        known |= set(prompts)
        with clock.running():
            result = tracker.step(image, prompts)
        yield result.labels


def read_image(path: Path) -> Image:
    """A picture as uint8 RGB (H, W, 3)."""
    with Pictures.open(path) as picture:
        return np.array(picture.convert("RGB"))


def _prompt(mask: np.ndarray, kind: str) -> Prompt:
    box = tight_box(mask)
    return Mask(mask) if kind == "mask" or box is None else Box(*box)


def _measure(sequence: Sequence, predictions: list[LabelMap], protocol: str) -> dict:
    annotated = [i for i in range(len(sequence)) if sequence.annotations[i] is not None]
    truths = [sequence.truth(i) for i in annotated]
    return measure_sequence(truths, [predictions[i] for i in annotated], sequence.ids, protocol)


def _write(predictions: list[LabelMap], sequence: Sequence, masks: Path) -> None:
    folder = masks / sequence.name
    folder.mkdir(parents=True, exist_ok=True)
    for path, labels in zip(sequence.frames, predictions, strict=True):
        write_labels(folder / f"{path.stem}.png", labels)
