"""End-to-end speed: a 480p video file to masks, table and overlay on disk, for 1 and 5 objects.

    python benchmarks/speed.py [--model memory-s] [--sizes 240,256,288] [--frames 90] [--rounds 3]

Sizes and numbers of objects take turns, round after round, so that a noisy machine disturbs all of
them alike; the medians are printed, with the ratio to one object.
"""

import argparse
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from masktrail.demo import render_demo
from masktrail.run import track
from masktrail.types import Box

BOXES = {
    1: Box(20, 220, 340, 390),
    2: Box(640, 0, 830, 130),
    3: Box(400, 250, 520, 330),
    4: Box(100, 20, 260, 120),
    5: Box(560, 330, 740, 450),
}


def main() -> None:
    """Parses the arguments, runs the rounds and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="memory-s")
    parser.add_argument("--sizes", default="")
    parser.add_argument("--objects", default="1,5")
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",") if size] or [None]
    counts = [int(count) for count in arguments.objects.split(",")]
    runs: dict[tuple[int | None, int], list[tuple[float, float]]] = {}
    with TemporaryDirectory() as scratch:
        clip = render_demo(Path(scratch), frames=arguments.frames)
        for _ in range(arguments.rounds):
            for size in sizes:
                for count in counts:
                    boxes = {i: BOXES[i] for i in range(1, count + 1)}
                    options = {"model": arguments.model, "size": size, "overwrite": True}
                    report = track(clip, boxes, Path(scratch) / "out", **options)
                    runs.setdefault((size, count), []).append((report.fps, report.tracking_fps))
    _print(runs, counts[0])


def _print(runs: dict[tuple[int | None, int], list[tuple[float, float]]], base: int) -> None:
    print(f"{'size':>7} {'objects':>7} {'end to end':>10} {'tracking':>8} {'ratio':>6}")
    medians = {
        key: tuple(statistics.median(column) for column in zip(*values, strict=True))
        for key, values in runs.items()
    }
    for (size, count), (fps, tracking) in medians.items():
        ratio = fps / medians[size, base][0]
        print(f"{size or 'default':>7} {count:7d} {fps:10.1f} {tracking:8.1f} {ratio:6.2f}")


if __name__ == "__main__":
    main()
