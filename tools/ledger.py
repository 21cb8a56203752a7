"""The relay's log, `docs/relay.csv`: one line per leg, from which a weight's whole chain is read.

Weights go by the SHA-256 of the file that training wrote. What is published as int8 shards names
that file in its header.
"""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from masktrail.errors import InputError
from masktrail.masks import replacing


@dataclass(frozen=True)
class Leg:
    """One line: a stretch of training from some weights to others.

    Attributes:
        date: on which it ended, as 2026-11-28.
        model: whose weights these are, a name of the zoo.
        recipe: file it was trained by, from the root of the source tree.
        recipe_sha256: of that file as it was then.
        seed: the recipe's seed in this leg.
        before: SHA-256 of the weights it started from; "" where that was the recipe's `init`.
        after: SHA-256 of the weights it made.
        steps: of the optimiser, in this leg.
        clips: learned from in this leg.
        clips_so_far: the same with all legs before it.
        minutes: of training, in this leg.
        processor: it was trained on.
        score_before: tuning score of the weights before, J&F; None where it started from `init`.
        score_after: of those after.
    """

    date: str
    model: str
    recipe: str
    recipe_sha256: str
    seed: int
    before: str
    after: str
    steps: int
    clips: int
    clips_so_far: int
    minutes: float
    processor: str
    score_before: float | None
    score_after: float


def read(path: Path) -> list[Leg]:
    """The legs in a log, oldest first; none where there is no such file.

    Raises:
        InputError: it is no such log.
    """
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        try:
            return [_leg(row) for row in csv.DictReader(file)]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{path} is no log of relays ({error!r}); expected the columns "
                f"{', '.join(field.name for field in fields(Leg))}."
            ) from error


def append(path: Path, leg: Leg) -> None:
    """Adds a line to a log, which is made where there is none."""
    legs = [*read(path), leg]
    with replacing(path) as part, part.open("w", newline="") as file:
        table = csv.DictWriter(file, [field.name for field in fields(Leg)], lineterminator="\n")
        table.writeheader()
        table.writerows(_row(leg) for leg in legs)


def chain(legs: Sequence[Leg], weights: str) -> list[Leg]:
    """The legs that led to some weights, oldest first.

    Args:
        legs: of a log.
        weights: SHA-256 or the beginning of one.

    Raises:
        InputError: no leg made such weights, or several did.
    """
    made = [leg for leg in legs if weights and leg.after.startswith(weights)]
    if len(made) != 1:
        known = ", ".join(leg.after[:8] for leg in legs) or "none"
        raise InputError(
            f"{len(made)} weights of the log begin with {weights!r}; expected one of {known}."
        )
    found = made
    while before := [leg for leg in legs if leg.after == found[0].before]:
        found = [before[0], *found]
    return found


def _leg(row: dict[str, str]) -> Leg:
    """A leg from the texts of its line."""
    kinds = {"seed": int, "steps": int, "clips": int, "clips_so_far": int}
    numbers = {**kinds, "minutes": float, "score_after": float}
    values = {field.name: numbers.get(field.name, str)(row[field.name]) for field in fields(Leg)}
    before = row["score_before"]
    return Leg(**{**values, "score_before": float(before) if before else None})


def _row(leg: Leg) -> dict[str, object]:
    """The texts of a leg's line, figures as they are told."""
    before = "" if leg.score_before is None else f"{leg.score_before:.3f}"
    told = {"minutes": f"{leg.minutes:.1f}", "score_before": before}
    return {**asdict(leg), **told, "score_after": f"{leg.score_after:.3f}"}
