"""Accuracy against speed over input sizes and lengths of memory.

    python benchmarks/curve.py --data ROOT [--model memory-s] [--sizes 240,288,320,384,480]
        [--memories 1,3,5,10] [--every 3] [--sequences a,b] [--plot curve.png]

Every pair of a short side and a number of remembered frames (the prompted one, which is always
kept, not counted) tracks the whole data set from its first masks. Prints J&F, J, F, frames per
second of tracking, and J&F of every sequence.
"""

import argparse
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from masktrail.evaluate.run import evaluate
from masktrail.evaluate.tables import sequence_scores
from masktrail.settings import ModelOptions


def main() -> None:
    """Parses the arguments, measures, prints and plots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="memory-s")
    parser.add_argument("--sizes", default="240,288,320,384,480")
    parser.add_argument("--memories", default="1,3,5,10")
    parser.add_argument("--every", type=int, default=3, help="a frame is remembered after so many")
    parser.add_argument("--sequences", help="only these, with commas")
    parser.add_argument("--plot", type=Path, help="PNG")
    arguments = parser.parse_args()
    names = arguments.sequences.split(",") if arguments.sequences else None
    results: dict[tuple[int, int], dict[str, Any]] = {}
    for size, memory in product(_numbers(arguments.sizes), _numbers(arguments.memories)):
        settings = {"capacity": memory, "every": arguments.every}
        options = ModelOptions(size=size, settings=settings)
        (row,) = evaluate([arguments.model], arguments.data, names, options=options)
        results[size, memory] = row
        if len(results) == 1:
            print(" size memory   J&F     J     F frames/s ", *sequence_scores(row))
        print(
            f"{size:5} {memory:6} {row['J&F']:5.3f} {row['J']['mean']:5.3f} "
            f"{row['F']['mean']:5.3f} {row['speed']['tracking_fps']:8.1f} ",
            *(f"{score:.3f}" for score in sequence_scores(row).values()),
            flush=True,
        )
    if arguments.plot:
        draw(results, arguments.plot)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def draw(results: dict[tuple[int, int], dict[str, Any]], path: Path) -> None:
    """One line per length of memory, one point per size."""
    figure, axes = plt.subplots(figsize=(6, 4), constrained_layout=True)
    for memory in sorted({memory for _, memory in results}):
        rows = {size: row for (size, length), row in results.items() if length == memory}
        speeds = [row["speed"]["tracking_fps"] for row in rows.values()]
        scores = [row["J&F"] for row in rows.values()]
        axes.plot(speeds, scores, "o-", label=f"{memory} frames")
        for size, speed, score in zip(rows, speeds, scores, strict=True):
            axes.annotate(str(size), (speed, score), textcoords="offset points", xytext=(4, 4))
    axes.set(xlabel="frames/s, tracking alone", ylabel="J&F")
    axes.legend(title="memory")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
