"""How many cuts are found, and how many are found where there are none.

    python benchmarks/cuts.py ROOT [ROOT ...] [--pairs 3000]

Every two frames of a sequence that follow one another are no cut; a frame of one sequence and one
of another, both drawn at random, are one. Prints what is found of each, and what a frame costs, for
every data set (JPEGImages beside Annotations), with the thresholds of `video/cuts.py`. Sequences of
one recording may show one place, so that some of what is missed is none.
"""

import argparse
import random
import statistics
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from masktrail.data.davis import find_sequences
from masktrail.video.cuts import Look, look_at


def main() -> None:
    """Parses the arguments and prints a row per data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("roots", type=Path, nargs="+")
    parser.add_argument("--pairs", type=int, default=3000, help="of frames of two sequences")
    arguments = parser.parse_args()
    print("| data | within | called cuts | between | called cuts | ms/frame |")
    print("|---|---|---|---|---|---|")
    for root in arguments.roots:
        looks, milliseconds = look_at_all(root)
        within = [a.differs(b) for shot in looks for a, b in pairwise(shot)]
        between = [a.differs(b) for a, b in drawn(looks, arguments.pairs)]
        print(
            f"| {root.name} | {len(within)} | {sum(within)} | {len(between)} | "
            f"{sum(between)} ({sum(between) / len(between):.1%}) | {milliseconds:.2f} |"
        )


def look_at_all(root: Path) -> tuple[list[list[Look]], float]:
    """All frames at a glance, by sequence, and the median milliseconds a frame takes."""
    times, looks = [], []
    for sequence in find_sequences(root):
        looks.append([])
        for path in sequence.frames:
            with Image.open(path) as picture:
                image = np.asarray(picture.convert("RGB"))
            begun = time.perf_counter()
            looks[-1].append(look_at(image))
            times.append(1000 * (time.perf_counter() - begun))
    return looks, statistics.median(times)


def drawn(looks: list[list[Look]], count: int) -> list[tuple[Look, Look]]:
    """Pairs of frames of two sequences each."""
    dice = random.Random(0)
    shots = [dice.sample(looks, 2) for _ in range(count)]
    return [(dice.choice(one), dice.choice(other)) for one, other in shots]


if __name__ == "__main__":
    main()
