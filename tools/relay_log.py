"""The relay's log, `docs/relay.csv`: one line per leg, from which a weight's whole chain is read.

Weights go by the SHA-256 of the file that training wrote. What is published as int8 shards names
that file in its header.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from locks import locked
from masktrail.errors import InputError
from masktrail.files import replacing
from masktrail.recipe import Recipe

LOCK = Path("runs/relay/log.lock")


@dataclass(frozen=True)
class Leg:
    """One line: a stretch of training from some weights to others.

    Attributes:
        model: whose weights these are, as its recipe is called.
        recipe: file it is trained by, from the root of the source tree.
        recipe_sha256: of that file as it was when the leg began.
        seed: the recipe's seed in this leg.
        rate: share of the recipe's learning rates that it is trained at.
        before: SHA-256 of the weights it started from; "" where that was the recipe's `init`.
        score_before: tuning score of these, J&F; None where they were the recipe's `init`.
        date: on which it ended, as 2026-11-28. This and what follows is known when it has.
        after: SHA-256 of the weights it made.
        score_after: their tuning score.
        steps: of the optimiser, in this leg.
        clips: learned from in this leg.
        clips_so_far: the same with all legs before it.
        minutes: of training, in this leg.
        processor: it was trained on.
    """

    model: str
    recipe: str
    recipe_sha256: str
    seed: int
    before: str
    score_before: float | None
    rate: float = 1.0
    date: str = ""
    after: str = ""
    score_after: float | None = None
    steps: int = 0
    clips: int = 0
    clips_so_far: int = 0
    minutes: float = 0.0
    processor: str = ""


COLUMNS = [
    *("date", "model", "recipe", "recipe_sha256", "seed", "rate", "before", "after"),
    *("steps", "clips", "clips_so_far", "minutes", "processor", "score_before", "score_after"),
]


def recipe_for(leg: Leg, recipe: Recipe) -> Recipe:
    """The recipe of a leg with that leg's seed and learning rates."""
    lr, encoder_lr = leg.rate * recipe.lr, leg.rate * recipe.encoder_lr
    return replace(recipe, seed=leg.seed, lr=lr, encoder_lr=encoder_lr)


def read_log(path: Path) -> list[Leg]:
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
                f"{', '.join(COLUMNS)}."
            ) from error


def append(path: Path, leg: Leg) -> None:
    """Adds a line to a log, which is made where there is none; one that is there stays alone."""
    with locked(LOCK):
        legs = read_log(path)
        if any(each.after == leg.after for each in legs):
            return
        with replacing(path) as part, part.open("w", newline="") as file:
            table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(_row(each) for each in [*legs, leg])


def chain(legs: Sequence[Leg], weights: str) -> list[Leg]:
    """The legs that led to some weights, oldest first.

    Args:
        legs: of a log.
        weights: SHA-256 or the beginning of one.

    Raises:
        InputError: no leg made such weights, several did, or the legs lead round in a ring.
    """
    by_weights = {leg.after: leg for leg in legs}
    matching = [leg for after, leg in by_weights.items() if weights and after.startswith(weights)]
    if len(matching) != 1:
        hashes = ", ".join(after[:8] for after in by_weights) or "none"
        raise InputError(
            f"{len(matching)} weights of the log begin with {weights!r}; expected one of {hashes}."
        )
    result = matching
    while result[0].before in by_weights:
        result = [by_weights[result[0].before], *result]
        if len(result) > len(by_weights):
            raise InputError(f"The legs that led to {weights} lead round in a ring; mend the log.")
    return result


def keep(path: Path, leg: Leg) -> None:
    """Writes what is known of a leg to a JSON file."""
    with replacing(path) as part:
        part.write_text(json.dumps(asdict(leg), indent=1) + "\n")


def kept(path: Path) -> Leg | None:
    """The leg of a file of `keep`; None where there is none that can be read."""
    try:
        return Leg(**json.loads(path.read_text()))
    except (OSError, TypeError, ValueError):
        return None


def _leg(row: dict[str, str]) -> Leg:
    """A leg from the texts of its line."""
    whole = dict.fromkeys(("seed", "steps", "clips", "clips_so_far"), int)
    numbers = {**whole, "rate": float, "minutes": float}
    values = {field.name: numbers.get(field.name, str)(row[field.name]) for field in fields(Leg)}
    before, after = row["score_before"], float(row["score_after"])
    scores = {"score_before": float(before) if before else None, "score_after": after}
    return Leg(**{**values, **scores})


def _row(leg: Leg) -> dict[str, object]:
    """The texts of a leg's line, figures rounded to what they can tell."""
    scores = {"score_before": leg.score_before, "score_after": leg.score_after}
    texts = {name: "" if score is None else f"{score:.3f}" for name, score in scores.items()}
    return {**asdict(leg), **texts, "rate": f"{leg.rate:g}", "minutes": f"{leg.minutes:.1f}"}
