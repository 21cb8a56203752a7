"""Cuts of edited footage: frames whose picture has hardly a colour in common with that before.

Dissolves are none; nor is a flash, soon after which the picture is as it was.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from masktrail.types import Frame, Image
from masktrail.video.reader import Video

LOOKED_AT = (90, 160)
"""So many rows and columns of a picture are looked at, about."""

FLASH = 3
"""Frames that a flash lasts at most."""

BLOCKS = (9, 16)
"""Rows and columns of those into which a picture is divided."""

LEVELS = 8
"""Of red, green and blue each, in the histogram of its colours."""

COLOURS, PLACES = 0.25, 15.0
"""How much of two histograms must differ (0 to 1), and how much the mean colours of the blocks (0
to 255), see `benchmarks/cuts.py`: motion changes places more than colours, light the contrary."""


@dataclass(frozen=True)
class Look:
    """A picture at a glance: shares of its colours (512), mean colours of its blocks (9, 16, 3)."""

    colours: NDArray[np.float64]
    places: NDArray[np.float32]

    def differs(self, other: "Look") -> bool:
        """Whether there is a cut between the two."""
        colours = np.abs(self.colours - other.colours).sum() / 2
        return bool(
            colours > COLOURS and np.abs(self.places - other.places).mean(dtype=float) > PLACES
        )


def look_at(image: Image) -> Look:
    """A picture (H, W, 3) at a glance."""
    height, width = image.shape[:2]
    small = image[:: max(1, height // LOOKED_AT[0]), :: max(1, width // LOOKED_AT[1])]
    bins = (small // (256 // LEVELS)).reshape(-1, 3) @ np.array([LEVELS**2, LEVELS, 1])
    counts = np.bincount(bins, minlength=LEVELS**3)
    return Look(counts / counts.sum(), _block_means(small.astype(np.float32)))


def _block_means(image: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = (
        np.linspace(0, side, min(blocks, side) + 1).astype(int)
        for side, blocks in zip(image.shape[:2], BLOCKS, strict=True)
    )
    sums = np.add.reduceat(np.add.reduceat(image, rows[:-1], 0), columns[:-1], 1)
    return sums / (np.diff(rows)[:, None, None] * np.diff(columns)[None, :, None])


def with_cuts(video: Video) -> Iterator[Frame]:
    """The frames of a video, `cut` where they are the first after one.

    Each waits for the next `FLASH` ones, which tell a cut from a flash. Where frames cannot be
    waited for, as those of a camera, no cut is looked for.
    """
    return _marked(iter(video)) if video.repeatable else iter(video)


def _marked(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Lost frames are not looked at: what they show is of another one, or nothing."""
    waiting: deque[tuple[Frame, Look | None]] = deque()
    before: Look | None = None
    for frame in frames:
        waiting.append((frame, None if frame.lost else look_at(frame.image)))
        if len(waiting) > FLASH:
            marked, before = _first(waiting, before)
            yield marked
    while waiting:
        marked, before = _first(waiting, before)
        yield marked


def _first(
    waiting: deque[tuple[Frame, Look | None]], before: Look | None
) -> tuple[Frame, Look | None]:
    """The frame that has waited longest, and what those after it are compared with."""
    frame, look = waiting.popleft()
    if look is None or before is None or not before.differs(look):
        return frame, look or before
    later = [other for _, other in waiting if other is not None]
    if later and all(map(before.differs, later)):
        return replace(frame, cut=True), look
    return frame, before
