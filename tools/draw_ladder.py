"""Draws how far the relays of the models are: the score of their weights over the clips they saw.

    python tools/draw_ladder.py docs/ladder.png --rung copy=0.255 --rung flow=0.380

A rung is a score that is to be passed, drawn as a line across.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from masktrail.errors import InputError
from masktrail.files import replacing
from relay_log import Leg, read_log

LOG = Path(__file__).parents[1] / "docs" / "relay.csv"


def draw(legs: Sequence[Leg], rungs: Mapping[str, float]) -> Figure:
    """A point for every leg, and a line from where it began.

    Args:
        legs: of the log, oldest first.
        rungs: scores by name.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    most = max(leg.clips_so_far for leg in legs)
    for model in dict.fromkeys(leg.model for leg in legs):
        own = [leg for leg in legs if leg.model == model]
        points = [(leg.clips_so_far, leg.score_after) for leg in own]
        (drawn,) = axes.plot(*zip(*points, strict=True), "o", label=model)
        for leg in own:
            if leg.score_before is not None and leg.score_after is not None:
                places = [leg.clips_so_far - leg.clips, leg.clips_so_far]
                scores = [leg.score_before, leg.score_after]
                axes.plot(places, scores, color=drawn.get_color(), zorder=0)
        for place, score in points:
            axes.annotate(
                f"{score:.3f}", (place, score), (0, 7), textcoords="offset points", ha="center"
            )
    for name, score in rungs.items():
        axes.axhline(score, color="#8a94a3", linestyle="--", linewidth=1)
        axes.annotate(
            f"{name} {score:.3f}", (most, score), (0, 3), textcoords="offset points", ha="right"
        )
    axes.set(xlabel="clips seen", ylabel="J&F, tuning sequences")
    axes.set(xlim=(0, 1.05 * most), ylim=(0, 1.1 * axes.get_ylim()[1]))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", frameon=False)
    return figure


def rung(text: str) -> tuple[str, float]:
    """Name and score of NAME=SCORE."""
    name, _, score = text.partition("=")
    return name, float(score)


def main() -> None:
    """Parses the arguments and draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="PNG")
    parser.add_argument("--log", type=Path, default=LOG)
    parser.add_argument("--rung", type=rung, action="append", default=[], help="NAME=SCORE")
    arguments = parser.parse_args()
    try:
        legs = read_log(arguments.log)
        if not legs:
            sys.exit(f"{arguments.log} holds no legs; expected the log of tools/relay.py.")
        figure = draw(legs, dict(arguments.rung))
        with replacing(arguments.out) as part:
            figure.savefig(part, dpi=110, format="png")
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
