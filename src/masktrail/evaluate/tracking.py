"""A tracker over one sequence of a data set, prompted as its ground truth says, and timed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from masktrail.data.sequence import Sequence
from masktrail.errors import InputError
from masktrail.masks import areas, tight_box, write_labels
from masktrail.masks.edges import refined
from masktrail.prompts.kinds import Box, Mask, Prompt
from masktrail.types import LabelMap

if TYPE_CHECKING:
    from masktrail.tracking.tracker import Tracker

PROMPTS = ("mask", "box")


@dataclass
class Clock:
    """Adds up the time spent in some stretch of work."""

    seconds: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Counts until the block ends."""
        before = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - before


@dataclass(frozen=True)
class Timing:
    """How long a sequence took.

    Attributes:
        frames: tracked.
        tracking_seconds: in `Tracker.step` alone, but for learning from prompted frames.
        seconds: from the first picture's file to the last mask's, ground truth for prompts
            included.
    """

    frames: int
    tracking_seconds: float
    seconds: float


def track_to_folder(
    tracker: "Tracker",
    sequence: Sequence,
    prompt: str,
    folder: Path,
    done: Callable[[int], None] = lambda frames: None,
    edges: str = "plain",
) -> Timing:
    """Tracks a sequence and writes its label maps as `<frame>.png`.

    Args:
        tracker: without objects.
        sequence: of a data set.
        prompt: "mask" or "box".
        folder: made where it is missing; masks of the same names are replaced.
        done: called with the frames finished, after each.
        edges: "plain" or "refined".

    Raises:
        InputError: a picture or mask that cannot be read, or a file that cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    whole, tracking, learned = Clock(), Clock(), tracker.learner.seconds
    with whole.running():
        results = track_sequence(tracker, sequence, prompt, tracking, edges)
        for index, (frame, labels) in enumerate(zip(sequence.frames, results, strict=True)):
            write_labels(folder / f"{frame.stem}.png", labels)
            done(index + 1)
    learning = tracker.learner.seconds - learned
    return Timing(len(sequence), tracking.seconds - learning, whole.seconds)


def track_sequence(
    tracker: "Tracker", sequence: Sequence, prompt: str, clock: Clock, edges: str = "plain"
) -> Iterator[LabelMap]:
    """Label maps (H, W) of every frame; objects are prompted where they are first annotated."""
    waiting = set(sequence.ids)
    for index in range(len(sequence)):
        image = sequence.image(index)
        prompts = _prompts(sequence, index, waiting, prompt)
        waiting -= prompts.keys()
        with clock.running():
            result = tracker.step(image, prompts)
            if edges == "refined":
                result = refined(image, result)
        yield result.labels


def _prompts(sequence: Sequence, index: int, waiting: set[int], kind: str) -> dict[int, Prompt]:
    """Prompts for those of the waiting objects that are seen in a frame for the first time."""
    truth = sequence.truth(index) if waiting else None
    if truth is None:
        return {}
    new = sorted(waiting & areas(truth).keys())
    return {i: prompt_from(truth == i, kind) for i in new}


def prompt_from(mask: NDArray[Any], kind: str) -> Prompt:
    """A mask (H, W) as it is, or its tight box.

    Raises:
        InputError: another kind than "mask" or "box", or an empty mask.
    """
    box = tight_box(mask)
    if kind not in PROMPTS or box is None:
        raise InputError(f"No prompt {kind!r} from a mask; there are {', '.join(PROMPTS)}.")
    return Box(*box) if kind == "box" else Mask(mask)
