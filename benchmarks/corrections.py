"""What one correction is worth: J&F before and after the worst frame of each sequence is corrected.

    python benchmarks/corrections.py --data ROOT [--model memory-s] [--sequences a,b] [--clicks N]

Every sequence is tracked from its first mask. The frame of the lowest J is then given its true
mask too, and the sequence is tracked again from both, as `masktrail.track` does. The last column is
J&F without the corrected frame, which is perfect by definition. With `--clicks` the frame is given
so many clicks of the robot of `benchmarks/prompts.py` on the tracked mask instead, as
on the page.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray

from masktrail.data.clicks import corrective_clicks
from masktrail.data.davis import find_sequences
from masktrail.data.sequence import Sequence
from masktrail.evaluate.scores import ObjectMeasure, measure_sequence
from masktrail.masks import read_labels
from masktrail.prompts.kinds import Mask, Points, Prompt
from masktrail.run import track
from masktrail.types import Image, LabelMap
from masktrail.zoo import load_prompter


def main() -> None:
    """Parses the arguments, corrects sequence by sequence and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="memory-s")
    parser.add_argument("--sequences", help="only these, with commas")
    parser.add_argument("--size", type=int, help="short side to work at, pixels")
    parser.add_argument("--clicks", type=int, default=0, help="so many instead of the true mask")
    arguments = parser.parse_args()
    names = arguments.sequences.split(",") if arguments.sequences else None
    rows = []
    print(f"{'sequence':22} {'worst':>5} {'J there':>7} {'before':>6} {'after':>6} {'others':>6}")
    for sequence in find_sequences(arguments.data, names):
        rows.append(correct(sequence, arguments.model, arguments.size, arguments.clicks))
        worst, there, *scores = rows[-1]
        figures = " ".join(f"{score:6.3f}" for score in scores)
        print(f"{sequence.name:22} {worst:5d} {there:7.3f} {figures}", flush=True)
    means = np.mean([row[2:] for row in rows], axis=0)
    print(f"{'mean':36} {means[0]:6.3f} {means[1]:6.3f} {means[2]:6.3f}")
    print(f"gain {means[1] - means[0]:+.3f} (wanted: +0.030)")


def correct(
    sequence: Sequence, model: str, size: int | None, clicks: int
) -> tuple[int, float, float, float, float]:
    """Worst frame, J there, J&F before and after, J&F after without that frame."""
    truths = [labels for t in range(len(sequence)) if (labels := sequence.truth(t)) is not None]
    first = {i: Mask(truths[0] == i) for i in sequence.ids if (truths[0] == i).any()}
    tracked = _track(sequence, {0: first}, model, size)
    before = measure_sequence(truths, tracked, list(first))
    similarity = np.mean([measure.j for measure in before.values()], axis=0)
    worst = 1 + int(np.argmin(similarity))
    again: dict[int, Prompt] = {}
    for i in first:
        truth, mask = truths[worst] == i, tracked[worst] == i
        if truth.any():
            again[i] = _clicked(sequence.image(worst), truth, mask, clicks) or Mask(truth)
    tracked = _track(sequence, {0: first, worst: again}, model, size)
    after = measure_sequence(truths, tracked, list(first))
    others = np.arange(len(similarity)) != worst - 1
    return (
        worst,
        float(similarity.min()),
        _j_and_f(before),
        _j_and_f(after),
        _j_and_f(after, others),
    )


def _track(
    sequence: Sequence,
    prompts: dict[int, Mapping[int, Prompt]],
    model: str,
    size: int | None,
) -> list[LabelMap]:
    with TemporaryDirectory() as scratch:
        track(sequence.frames[0].parent, prompts, scratch, model, "davis", size)
        paths = sorted((Path(scratch) / "masks").iterdir())
        return [read_labels(path)[0] for path in paths]


def _clicked(
    image: Image, truth: NDArray[np.bool_], tracked: NDArray[np.bool_], count: int
) -> Points | None:
    """So many clicks, each where the mask that those before made is most wrong; None without any.

    Clicks go out from the tracked mask, where there is one.
    """
    prompter, mask = load_prompter(), tracked
    clicks = None
    for _ in range(count):
        pair = torch.from_numpy(mask)[None], torch.from_numpy(truth)[None]
        at, label, there = (each[0] for each in corrective_clicks(*pair))
        if not there:
            break
        points, labels = (clicks.points, clicks.labels) if clicks else ((), ())
        clicks = Points(
            (*points, tuple(at.tolist())),
            (*labels, bool(label)),
            mask=Mask(tracked) if tracked.any() else None,
        )
        mask = prompter(image, clicks, None)
    return clicks


def _j_and_f(measures: dict[int, ObjectMeasure], frames: np.ndarray | None = None) -> float:
    chosen = slice(None) if frames is None else frames
    return float(
        np.mean([(m.j[chosen].mean() + m.f[chosen].mean()) / 2 for m in measures.values()])
    )


if __name__ == "__main__":
    main()
