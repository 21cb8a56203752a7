"""What `memory-s` gains by learning from dreams of first frames, by rate, share and dreams.

    python benchmarks/adapting.py --data ROOT [--sequences A,B] [--steps 60] [--rates 5e-5,1e-4]
        [--shares 1,0.5] [--dreams bend=0.1,scale=0.3]

Steps, not seconds, so that every machine finds about the same. A sequence is tracked by torch from
its first masks with the weights as they are, then with those learned at every rate, of which every
share is kept, see `families/memory/adapting.py`. Printed are J&F, what was gained, and means;
`--dreams` are fields of `dreams.dreamer.DreamSettings`.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from masktrail.data.davis import find_sequences
from masktrail.data.sequence import Sequence
from masktrail.dreams.dreamer import DreamSettings
from masktrail.evaluate.measures import contour_accuracy, region_similarity
from masktrail.evaluate.tracking import Clock, track_sequence
from masktrail.families import fitting
from masktrail.families.memory import adapting
from masktrail.tracking.tracker import Tracker
from masktrail.zoo import load


class Steps:
    """A clock by which every step takes a second."""

    def __init__(self) -> None:
        self._seconds = count()

    def perf_counter(self) -> int:
        """The second it is."""
        return next(self._seconds)


def score(tracker: Tracker, sequence: Sequence) -> float:
    """J&F of a sequence, first and last frame left out as DAVIS does; the tracker is as before."""
    initial, figures = tracker.state_dict(), []
    for index, labels in enumerate(track_sequence(tracker, sequence, "mask", Clock())):
        truth = sequence.truth(index)
        if truth is None or index in (0, len(sequence) - 1):
            continue
        for object_id in sequence.ids:
            pair = labels == object_id, truth == object_id
            figures.append((region_similarity(*pair) + contour_accuracy(*pair)) / 2)
    tracker.load_state_dict(initial)
    return float(np.mean(figures))


def learning(rate: float, steps: int) -> Tracker:
    """A tracker that adapts in so many steps, all of what it learned."""
    adapting.RATE, adapting.SHARE, fitting.time = rate, 1.0, Steps()
    return load("memory-s", "cpu", engine="torch", settings={"adapt": steps})


def blended(tracker: Tracker, share: Callable[[], float]) -> None:
    """Lets a tracker's engine be given a share of the way that parameters went."""
    engine: Any = tracker.propagator.engine
    before = {n: p.detach().numpy() for n, p in engine.network_copy().named_parameters()}
    replace = engine.replace
    engine.replace = lambda learned: replace(
        {n: before[n] + np.float32(share()) * (v - before[n]) for n, v in learned.items()}
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sequences")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rates", default="1e-4")
    parser.add_argument("--shares", default="0.5")
    parser.add_argument("--dreams", default="")
    arguments = parser.parse_args()
    names = arguments.sequences.split(",") if arguments.sequences else None
    rates, shares = (
        [float(x) for x in text.split(",")] for text in (arguments.rates, arguments.shares)
    )
    fields = dict(pair.split("=") for pair in arguments.dreams.split(",") if pair)
    dreams = {name: float(value) for name, value in fields.items()}
    adapting.DREAMS = DreamSettings(**{"frames": 3, **dreams})
    gains = defaultdict(list)
    for sequence in find_sequences(arguments.data, names):
        before = score(load("memory-s", "cpu", engine="torch"), sequence)
        print(f"{sequence.name}: {before:.4f}", flush=True)
        for rate in rates:
            kept: dict[str, Any] = {}
            for share in shares:
                tracker = learning(rate, arguments.steps)
                blended(tracker, lambda share=share: share)
                tracker.learner.lessons = kept  # learned once for all shares
                after = score(tracker, sequence)
                gains[rate, share].append(after - before)
                told = f"{after:.4f} ({after - before:+.4f})"
                print(f"  rate {rate:g}, share {share:g}: {told}", flush=True)
    for (rate, share), each in gains.items():
        print(f"rate {rate:g}, share {share:g}: {np.mean(each):+.4f} of {len(each)} sequences")


if __name__ == "__main__":
    main()
