"""Whether scores mean what they say, and whether review.csv leads to the worst frames.

    python benchmarks/scores.py --data ROOT [--model memory-s] [--sequences a,b] [--every 1]
        [--plot reliability.png] [--fit]

Every sequence is tracked from its first mask. Prints, over all later frames, the expected
calibration error of the score against IoU > 0.5 (10 bins of equal width), and by sequence how many
of the ten first rows of review.csv are among the twenty frames of the lowest J. `--fit` prints the
constants of `tracking/confidence.py` that would fit these frames best (logistic regression of
IoU > 0.5 on the expected overlap). `--every 4` looks at every fourth frame only: harder, so that
there are failures to learn from. Never fit on what is measured on.
"""

import argparse
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from masktrail.data.davis import find_sequences
from masktrail.data.sequence import Sequence
from masktrail.evaluate.measures import region_similarity
from masktrail.export.review import ReviewWriter
from masktrail.prompts.kinds import Mask
from masktrail.tracking.family import Calibration
from masktrail.types import Frame, VideoInfo
from masktrail.zoo import load

BINS, LISTED, WORST = 10, 10, 20
PRIOR = (20.0, 0.02)
"""Slope that a fit is drawn to, and how strongly: few failures would make it infinite."""


class Scored(NamedTuple):
    """An object in a frame: what the tracker said of it, and the truth."""

    frame: int
    score: float
    similarity: float


def main() -> None:
    """Parses the arguments, tracks, and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="memory-s")
    parser.add_argument("--sequences", help="only these, with commas")
    parser.add_argument("--size", type=int, help="short side to work at, pixels")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--plot", type=Path, help="reliability diagram, PNG")
    parser.add_argument("--fit", action="store_true")
    arguments = parser.parse_args()
    names = arguments.sequences.split(",") if arguments.sequences else None
    everything: list[Scored] = []
    hits = []
    for sequence in find_sequences(arguments.data, names):
        scored, listed = follow(sequence, arguments.model, arguments.size, arguments.every)
        everything += scored
        worst = {s.frame for s in sorted(scored, key=lambda s: s.similarity)[:WORST]}
        hits.append(len(worst & set(listed[:LISTED])))
        print(
            f"{sequence.name:22} J {np.mean([s.similarity for s in scored]):.3f}  "
            f"score {np.mean([s.score for s in scored]):.3f}  "
            f"{hits[-1]} of {len(listed[:LISTED])} listed are among the {len(worst)} worst "
            f"(by chance {len(listed[:LISTED]) * len(worst) / len(scored):.1f})",
            flush=True,
        )
    rows = reliability(everything)
    print(f"{'score':>11} {'frames':>6} {'said':>6} {'true':>6}")
    for k, (count, score, true) in enumerate(rows):
        if count:
            print(f"{k / BINS:.1f} to {(k + 1) / BINS:.1f} {count:6.0f} {score:6.3f} {true:6.3f}")
    print(f"expected calibration error {calibration_error(rows):.3f} (wanted: 0.10 at most)")
    print(f"of the ten first rows {np.mean(hits):.1f} are among the twenty worst (wanted: 5)")
    if arguments.fit:
        print("Calibration({:.3f}, {:.1f})".format(*fit(everything)))
    if arguments.plot:
        draw(rows, arguments.plot)


def follow(
    sequence: Sequence, model: str, size: int | None, every: int
) -> tuple[list[Scored], list[int]]:
    """Objects in frames behind their prompts, and the frames of review.csv in its order.

    Frames in which an object is rightly said to be lost are left out: there is no mask to judge.
    """
    tracker = load(model, size=size)
    chosen = range(0, len(sequence), every)
    scored, base = [], Fraction(1, 25)
    with TemporaryDirectory() as scratch:
        review = ReviewWriter(Path(scratch))
        review.open(VideoInfo(sequence.name, 0, 0, Fraction(25), base))
        for index in chosen:
            image, truth = sequence.image(index), sequence.truth(index)
            assert truth is not None, "every frame must be annotated"
            first = {i: Mask(truth == i) for i in sequence.ids if (truth == i).any()}
            result = tracker.step(image, first if index == 0 else None)
            review.write(Frame(image, index, index, base), result)
            for i, obj in result.objects.items():
                if index and (obj.state == "present" or (truth == i).any()):
                    similarity = region_similarity(truth == i, result.labels == i)
                    scored.append(Scored(index, obj.score, similarity))
        review.close()
        lines = review.path.read_text().splitlines()[1:]
    return scored, [int(line.split(",")[0]) for line in lines]


def reliability(scored: list[Scored]) -> np.ndarray:
    """Per bin of the score: count, mean score, share with IoU > 0.5; (10, 3)."""
    scores = np.array([s.score for s in scored])
    true = np.array([s.similarity > 0.5 for s in scored])
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    rows = np.zeros((BINS, 3))
    for k in np.unique(bins):
        rows[k] = np.count_nonzero(bins == k), scores[bins == k].mean(), true[bins == k].mean()
    return rows


def calibration_error(rows: np.ndarray) -> float:
    """Mean distance of what was said from what was true, weighted by frames."""
    return float((rows[:, 0] * np.abs(rows[:, 1] - rows[:, 2])).sum() / rows[:, 0].sum())


def fit(scored: list[Scored]) -> tuple[float, float]:
    """Middle and slope by penalised maximum likelihood; lost objects say nothing of either."""
    counted = [s for s in scored if 0 < s.score < 1]
    score = np.array([s.score for s in counted])
    used = Calibration()
    overlap = used.middle + np.log(score / (1 - score)) / used.slope
    sign = np.where([s.similarity > 0.5 for s in counted], 1, -1)

    def loss(parameters: np.ndarray) -> float:
        away = np.log(parameters[1] / PRIOR[0]) ** 2 if parameters[1] > 0 else np.inf
        return (
            np.logaddexp(0, -sign * parameters[1] * (overlap - parameters[0])).mean()
            + PRIOR[1] * away
        )

    middle, slope = minimize(loss, (used.middle, used.slope), method="Nelder-Mead").x
    return float(middle), float(slope)


def draw(rows: np.ndarray, path: Path) -> None:
    """Reliability diagram: true share over score, bins sized by their frames."""
    from matplotlib.figure import Figure

    figure = Figure((4.6, 4.4), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="#64748b", linewidth=1, linestyle="--")
    filled = rows[rows[:, 0] > 0]
    axes.plot(filled[:, 1], filled[:, 2], color="#2563eb", linewidth=1)
    axes.scatter(
        filled[:, 1], filled[:, 2], 20 + 200 * filled[:, 0] / filled[:, 0].sum(), "#2563eb"
    )
    for count, score, true in filled:
        axes.annotate(f"{count:.0f}", (score, true), (6, -10), textcoords="offset points", size=8)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel="score", ylabel="share with IoU > 0.5")
    figure.savefig(path)


if __name__ == "__main__":
    main()
