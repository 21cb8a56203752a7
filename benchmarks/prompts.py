"""How good first masks are: from the tight box, from a click, over corrective clicks.

    python benchmarks/prompts.py --data DEV10 [--model DIR] [--clicks 10] [--plot clicks.png]

Every object is marked in the first frame that shows it. The first click is in its middle; each
further one goes where the mask is most wrong.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from masktrail.data.davis import find_sequences
from masktrail.evaluate.clicks import Prompter, from_box, over_clicks
from masktrail.zoo import PROMPTS, load_prompter

SHOWN = (0, 1, 2, 3, 5, 10)
"""Corrective clicks that the table has a column for."""


def main() -> None:
    """Prints the table as objects are done, then their mean, and plots the curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default=PROMPTS, help="name, or folder made by train")
    parser.add_argument("--clicks", type=int, default=10, help="corrective clicks")
    parser.add_argument("--plot", type=Path, default=None, help="PNG of IoU over clicks")
    arguments = parser.parse_args()
    prompter = load_prompter(arguments.model, "cpu")
    columns = [k for k in SHOWN if k <= arguments.clicks]
    print(f"{'object':24} {'box':>6} " + " ".join(f"{f'1+{k}' if k else '1':>6}" for k in columns))
    boxes, curves, names = [], [], []
    for name, box, curve in measure(prompter, arguments.data, arguments.clicks):
        show(name, box, curve, columns)
        names.append(name)
        boxes.append(box)
        curves.append(curve)
    show("mean", float(np.mean(boxes)), np.mean(curves, 0).tolist(), columns)
    if arguments.plot is not None:
        plot(arguments.plot, names, curves)


def measure(
    prompter: Prompter, root: Path, clicks: int
) -> Iterator[tuple[str, float, list[float]]]:
    """Name, IoU from the box, IoU over clicks of every object of a data set."""
    for sequence in find_sequences(root):
        for object_id in sequence.ids:
            truths = ((i, sequence.truth(i)) for i in range(len(sequence)))
            index, truth = next(
                (i, labels == object_id)
                for i, labels in truths
                if labels is not None and (labels == object_id).any()
            )
            image, name = sequence.image(index), sequence.name
            box = from_box(prompter, image, truth)
            label = name if len(sequence.ids) == 1 else f"{name}/{object_id}"
            yield label, box, over_clicks(prompter, image, truth, clicks)


def show(name: str, box: float, curve: list[float], columns: list[int]) -> None:
    """A line of the table."""
    figures = " ".join(f"{curve[k]:6.3f}" for k in columns)
    print(f"{name:24} {box:6.3f} {figures}", flush=True)


def plot(path: Path, names: list[str], curves: list[list[float]]) -> None:
    """IoU over the number of clicks: every object's, and their mean."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    at = range(1, len(curves[0]) + 1)
    for name, curve in zip(names, curves, strict=True):
        axes.plot(at, curve, linewidth=1, alpha=0.6, label=name)
    axes.plot(at, np.mean(curves, 0), color="black", linewidth=2.5, label="mean")
    axes.set(xlabel="clicks, the first in the middle", ylabel="IoU", ylim=(0, 1))
    axes.set_xticks(list(at))
    axes.grid(alpha=0.3)
    if len(names) <= 20:
        axes.legend(fontsize=7, ncols=2, loc="lower right")
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
