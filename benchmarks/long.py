"""Whether a run gets slower or larger with time: a long painted scene, one or several objects.

    python benchmarks/long.py [--frames 20000] [--objects 1,5,20] [--size 64] [--width 320]
                              [--height 180] [--model memory-s]

Every number of objects runs in a process of its own, from a video file to label maps and a table on
disk. Printed are the peak memory after 500 frames and at the end, and the median speed of the first
and of the last 1,000 frames.
"""

import argparse
import multiprocessing
import statistics
import time
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from masktrail.prompts.kinds import Box
from masktrail.run import track
from masktrail.run.record import peak_memory_mb
from masktrail.types import Frame, VideoInfo
from masktrail.video import VideoWriter

EARLY = 500
"""Frames after which memory should grow no more."""

WINDOW = 1000
"""Frames over which speed is taken."""


@dataclass(frozen=True)
class Figures:
    """What a run took: MiB after `EARLY` frames and at the end, frames/s at first and at last."""

    early: float
    late: float
    first: float
    last: float


def main() -> None:
    """Parses the arguments, runs each number of objects and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="memory-s")
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--objects", default="1,5,20")
    parser.add_argument("--size", type=int, help="short side to work at; the model's own")
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--height", type=int, default=180)
    arguments = parser.parse_args()
    size = (arguments.width, arguments.height)
    print(f"{'objects':>7} {'frames':>7} {'MiB early':>9} {'at end':>7} {'ratio':>6}", end=" ")
    print(f"{'frames/s first':>14} {'last':>6} {'ratio':>6}")
    with TemporaryDirectory() as scratch:
        for objects in map(int, arguments.objects.split(",")):
            clip = Path(scratch) / f"{objects}.mp4"
            paint(clip, arguments.frames, size, objects)
            out = Path(scratch) / f"out{objects}"
            f = apart(
                measure, clip, out, arguments.frames, size, objects, arguments.model, arguments.size
            )
            print(
                f"{objects:7d} {arguments.frames:7d} {f.early:9.1f} {f.late:7.1f}"
                f" {f.late / f.early:6.3f} {f.first:14.1f} {f.last:6.1f} {f.last / f.first:6.3f}",
                flush=True,
            )


def apart(work, *arguments):
    """What `work` gives in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def measure(clip, out, frames, size, objects, model, short) -> Figures:
    """Tracks a clip, with a clock and a look at memory at every frame."""
    times, peaks = [], []

    def note(done, expected):
        times.append(time.perf_counter())
        if done in (EARLY, frames):
            peaks.append(peak_memory_mb())

    boxes = {n + 1: box(n, objects, size) for n in range(objects)}
    track(clip, boxes, out, model, "davis,csv", short, progress=note)
    took = [later - earlier for earlier, later in pairwise(times)]
    first, last = (statistics.median(part) for part in (took[50:WINDOW], took[-WINDOW:]))
    return Figures(peaks[0], peaks[-1], 1 / first, 1 / last)


def paint(path: Path, frames: int, size: tuple[int, int], objects: int) -> None:
    """Textured discs wandering over a textured ground, `frames` long."""
    width, height = size
    rng = np.random.default_rng(0)
    ground = rng.integers(60, 120, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    ground = ground.repeat(8, 0).repeat(8, 1)[:height, :width]
    side = 2 * radius(objects, size) + 1
    y, x = np.mgrid[:side, :side] - side // 2
    disc = (x**2 + y**2 <= (side // 2) ** 2)[..., None]
    skins = rng.integers(150, 255, (objects, side, side, 3), np.uint8)
    rate = Fraction(25)
    info = VideoInfo(str(path), width, height, rate, 1 / rate, frames)
    with VideoWriter(path, info, audio=False) as writer:
        for index in range(frames):
            image = ground.copy()
            for n, skin in enumerate(skins):
                left, top = place(index, n, objects, size)
                patch = image[top : top + side, left : left + side]
                patch[:] = np.where(disc, skin, patch)
            writer.write(image, Frame(image, index, index, 1 / rate))


def radius(objects: int, size: tuple[int, int]) -> int:
    """Of each disc, pixels: less, the more there are."""
    return max(6, round(size[1] / 8 / objects**0.4))


def place(index: int, n: int, objects: int, size: tuple[int, int]) -> tuple[int, int]:
    """Left and top of the n-th disc in a frame: each has a row of its own to wander from."""
    side = 2 * radius(objects, size) + 1
    room_x, room_y = size[0] - side, size[1] - side
    middle = room_y * (n + 0.5) / objects
    left = room_x * (0.5 + 0.5 * np.sin(index / 53 + 2.4 * n))
    reach = min(middle, room_y - middle, room_y / 3) * (-1) ** n
    top = middle + reach * np.sin(index / (37 + n))
    return int(left), int(top)


def box(n: int, objects: int, size: tuple[int, int]) -> Box:
    """Of the n-th disc in frame 0."""
    left, top = place(0, n, objects, size)
    side = 2 * radius(objects, size) + 1
    return Box(left, top, left + side, top + side)


if __name__ == "__main__":
    main()
