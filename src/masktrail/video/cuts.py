"""Cuts of edited footage: frames whose picture has hardly a colour in common with that before.

Dissolves are none; nor is a flash, after which the picture is as it was.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from masktrail.types import Frame, Image
from masktrail.video.reader import Video

LINES = 90
"""So many lines of a picture are looked at, and as many columns as belong to them."""

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
    step = max(1, image.shape[0] // LINES)
    small = image[::step, ::step]
    bins = (small // (256 // LEVELS)).reshape(-1, 3) @ np.array([LEVELS**2, LEVELS, 1])
    counts = np.bincount(bins, minlength=LEVELS**3)
    return Look(counts / counts.sum(), _block_means(small.astype(np.float32)))


def _block_means(image: NDArray[np.float32]) -> NDArray[np.float32]:
    sums, area = image, np.ones(1, np.float32)
    for axis, blocks in enumerate(BLOCKS):
        length = image.shape[axis]
        edges = np.linspace(0, length, min(blocks, length) + 1).astype(int)
        sums = np.add.reduceat(sums, edges[:-1], axis)
        area = area[..., None] * np.diff(edges).astype(np.float32)
    return sums / area[0, ..., None]


def with_cuts(video: Video) -> Iterator[Frame]:
    """The frames of a video, `cut` where they are the first after one.

    Each waits for the frame after it, which tells a cut from a flash; where frames cannot be waited
    for, as those of a camera, no cut is looked for.
    """
    return _told(iter(video)) if video.repeatable else iter(video)


def _told(frames: Iterator[Frame]) -> Iterator[Frame]:
    before: Look | None = None
    held: tuple[Frame, Look] | None = None
    for frame in frames:
        look = look_at(frame.image)
        if held is not None:
            changed = before is not None and before.differs(held[1])
            flash = changed and before is not None and not before.differs(look)
            yield replace(held[0], cut=changed and not flash)
            before = before if flash else held[1]
        held = frame, look
    if held is not None:
        yield replace(held[0], cut=before is not None and before.differs(held[1]))
