"""Trainings that differ in one thing, on equally many clips, scored alike: one table of them.

Every variant is trained by the table's recipe and differs from the one it is held against in one
thing. Scores are official J and F, and J&F by the report's protocol. What separates two seeds of
one variant says nothing: smaller differences are given as none.

It takes hours, and goes on where it was stopped: finished variants are not trained again, a
training is taken up from its last checkpoint, and masks that are there are not made again. Several
can run side by side, each with its `--only`.
"""

import argparse
import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from masktrail.data.held_out import TUNING
from masktrail.evaluate.run import evaluate
from masktrail.recipe import Recipe
from masktrail.settings import ModelOptions
from masktrail.train.loop import train
from masktrail.train.reading import read_recipe
from masktrail.train.trainer import CHECKPOINT, read_clock

ROOT = Path(__file__).parents[1]

MINUTES = 24 * 60.0
"""Never reached: runs end by steps."""


@dataclass(frozen=True)
class Variant:
    """One training.

    Attributes:
        name: of it.
        about: what it is, or what differs.
        against: name of the variant that it is held against; "" for none.
        changes: of the recipe, see `changed`; those of `against` come first.
    """

    name: str
    about: str
    against: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """What is to be compared.

    Attributes:
        name: of the recipe in `recipes`, and of the folder in `runs`.
        variants: the first is the base of all others.
        twin: name of the one that differs from the base by its seed alone.
        clips: that each is trained on, if nothing else is said.
        settings: of a tracker, to score what a recipe has given.
    """

    name: str
    variants: tuple[Variant, ...]
    twin: str
    clips: int
    settings: Callable[[Recipe], Mapping[str, Any]]

    @property
    def base(self) -> str:
        """Name of the variant that all others come from."""
        return self.variants[0].name

    def names(self) -> list[str]:
        """Of all variants."""
        return [variant.name for variant in self.variants]

    def recipe(self) -> Recipe:
        """What all of them have but for what differs."""
        return read_recipe(ROOT / "recipes" / f"{self.name}.toml")

    def recipe_of(self, variant: Variant, base: Recipe, clips: int) -> Recipe:
        """The recipe of a variant: as many steps as it takes to see so many clips."""
        by_name = {each.name: each for each in self.variants}
        line = [variant]
        while line[0].against:
            line.insert(0, by_name[line[0].against])
        for each in line:
            base = changed(base, each.changes)
        return replace(base, steps=max(1, clips // base.stages[0].batch))

    def gain(self, variant: Variant, scores: Mapping[str, float]) -> str:
        """J&F above that of the variant it is held against, where that is more than chance."""
        if variant.against not in scores:
            return ""
        difference = scores[variant.name] - scores[variant.against]
        if variant.name == self.twin:
            return f"({difference:+.3f})"
        if not {self.twin, self.base} <= scores.keys():
            return f"{difference:+.3f}"
        chance = abs(scores[self.twin] - scores[self.base])
        return f"{difference:+.3f}" if abs(difference) > chance else f"none ({difference:+.3f})"


HEADINGS = ("variant", "", "minutes", "clips", "J", "F", "J&F", "J&F report", "against", "gain")


def compare(table: Table, description: str) -> None:
    """Trains what is missing, and prints a Markdown table row by row."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--sequences",
        type=lambda text: None if text == "all" else text.split(","),
        default=sorted(TUNING),
        help="with commas, or all; the three for tuning",
    )
    parser.add_argument("--clips", type=int, default=table.clips, help="that each is trained on")
    parser.add_argument("--only", type=lambda text: text.split(","), help="names, with commas")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / table.name)
    arguments = parser.parse_args()
    wanted = arguments.only or table.names()
    unknown = ", ".join(sorted(set(wanted) - set(table.names())))
    if unknown:
        parser.error(f"no variant {unknown}; there are {', '.join(table.names())}")
    print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}")
    for row in rows(table, wanted, table.recipe(), arguments):
        print(f"| {' | '.join(row)} |", flush=True)


def changed(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """A recipe of one stage with other values: of `model.NAME`, `clips.NAME` and `own.NAME`, of
    its stage's `batch`, or of its own fields."""
    for path, value in changes.items():
        room, _, name = path.rpartition(".")
        stage = recipe.stages[0]
        if room == "model":
            recipe = replace(recipe, model={**recipe.model, name: value})
        elif room:
            stage = replace(stage, **{room: replace(getattr(stage, room), **{name: value})})
        elif name == "batch":
            stage = replace(stage, batch=value)
        else:
            recipe = replace(recipe, **{name: value})
        recipe = replace(recipe, stages=(stage,))
    return recipe


def rows(
    table: Table, wanted: Sequence[str], base: Recipe, arguments: argparse.Namespace
) -> Iterator[tuple[str, ...]]:
    """Cells of every variant's row; what a gain is held against is known when its turn has come."""
    scores: dict[str, float] = {}
    for variant in (each for each in table.variants if each.name in wanted):
        out = arguments.out / f"{arguments.clips}-clips" / variant.name
        recipe = table.recipe_of(variant, base, arguments.clips)
        trained(recipe, out)
        options = ModelOptions(settings=table.settings(recipe))
        official, report = (
            evaluate(
                [out], arguments.data, arguments.sequences, protocol=protocol, options=options,
                masks=out / "masks" / arguments.data.resolve().name,
            )[0]
            for protocol in ("davis", "report")
        )  # fmt: skip
        scores[variant.name] = official["J&F"]
        with (out / "log.csv").open() as file:
            last = list(csv.DictReader(file))[-1]
        measured = (official["J"]["mean"], official["F"]["mean"], official["J&F"], report["J&F"])
        yield (
            variant.name,
            variant.about,
            f"{float(last['minutes']):.1f}",
            last["clips"],
            *(f"{score:.3f}" for score in measured),
            variant.against,
            table.gain(variant, scores),
        )


def trained(recipe: Recipe, out: Path) -> None:
    """Trains a variant, or what is missing of it."""
    finished = (out / "weights.safetensors").is_file() and not (out / CHECKPOINT).is_file()
    if finished:
        return
    train(recipe, MINUTES, out, resume=(out / CHECKPOINT).is_file(), overwrite=True)
    if read_clock(out).steps < recipe.steps:
        raise SystemExit(f"Stopped; the same command goes on with {out.name}.")
    (out / CHECKPOINT).unlink()  # hundreds of MB that have no use any more
