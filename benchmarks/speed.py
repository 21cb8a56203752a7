"""End-to-end speed: a 480p video file to masks, table and overlay on disk, for 1 and 5 objects.

    python benchmarks/speed.py [--models memory-s] [--sizes 240,256,288] [--frames 90] [--rounds 3]

Models, sizes and numbers of objects take turns, round after round, so that a noisy machine disturbs
all of them alike; the medians are printed, with the ratio to one object. A model's own size may
stand behind it: `--models memory-s@288,siammask`.
"""

import argparse
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from masktrail.demo import render_demo
from masktrail.prompts.kinds import Box
from masktrail.run import track

BOXES = {
    1: Box(20, 220, 340, 390),
    2: Box(640, 0, 830, 130),
    3: Box(400, 250, 520, 330),
    4: Box(100, 20, 260, 120),
    5: Box(560, 330, 740, 450),
}


class Case(NamedTuple):
    """What is measured."""

    model: str
    size: int | None
    objects: int


def main() -> None:
    """Parses the arguments, runs the rounds and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default="memory-s")
    parser.add_argument("--sizes", default="")
    parser.add_argument("--objects", default="1,5")
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",") if size]
    counts = [int(count) for count in arguments.objects.split(",")]
    runs: dict[Case, list[tuple[float, float]]] = {}
    cases = [
        Case(model, size, count)
        for model, own in map(_with_size, arguments.models.split(","))
        for size in ([own] if own else sizes or [None])
        for count in counts
    ]
    with TemporaryDirectory() as scratch:
        clip = render_demo(Path(scratch), frames=arguments.frames)
        for _ in range(arguments.rounds):
            for case in cases:
                boxes = {i: BOXES[i] for i in range(1, case.objects + 1)}
                options = {"model": case.model, "size": case.size, "overwrite": True}
                report = track(clip, boxes, Path(scratch) / "out", **options)
                runs.setdefault(case, []).append((report.fps, report.tracking_fps))
    _print(runs, counts[0])


def _with_size(text: str) -> tuple[str, int | None]:
    """A model and the size behind it, if any."""
    model, _, size = text.partition("@")
    return model, int(size) if size else None


def _print(runs: dict[Case, list[tuple[float, float]]], base: int) -> None:
    names = ("size", "objects", "end to end", "tracking", "ratio")
    print(f"{'model':<14}", *(f"{name:>7}" for name in names))
    medians = {
        key: tuple(statistics.median(column) for column in zip(*values, strict=True))
        for key, values in runs.items()
    }
    for case, (fps, tracking) in medians.items():
        ratio, size = fps / medians[case._replace(objects=base)][0], case.size or "default"
        row = f"{case.model:<14} {size:>7} {case.objects:7d} {fps:10.1f} {tracking:8.1f}"
        print(f"{row} {ratio:6.2f}")


if __name__ == "__main__":
    main()
