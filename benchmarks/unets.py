"""The report's claim and the ablations it tells of: variants trained alike and scored alike.

    python benchmarks/unets.py --data DAVIS2016_TRAIN     # all, on the tuning sequences
    python benchmarks/unets.py --data DEV10 --sequences all --only unet,siamese-unet,imagenet

Every variant is trained from random weights (but for `imagenet`) on equally many clips of equal
size, batch and data, by `recipes/unets.toml`, and differs from the one it is held against in one
thing. Scores are official J and F, and J&F by the report's protocol. What separates
two seeds of one variant says nothing: smaller differences are given as none.

It takes hours, and goes on where it was stopped: finished variants are not trained again, a
training is taken up from its last checkpoint, and masks that are there are not made again.
"""

import argparse
import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from masktrail.data.davis import TUNING
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


BASE, TWIN = "siamese-unet", "seed"

UNET = {"family": "unet", "model": {"dropout": 0.1}}

VARIANTS = (
    Variant(BASE, "VGG11, average, BCE + Dice, 128 px, batch 4, 8e-4"),
    Variant(TWIN, "another seed", BASE, {"seed": 101}),
    Variant("unet", "the report's U-Net", BASE, UNET),
    Variant("classic", "U-Net as it was published", "unet", {"model.variant": "classic"}),
    Variant("imagenet", "VGG11 from an ImageNet VGG-16", BASE, {"init": "packs/vgg16.safetensors"}),
    Variant("max", "maximum of both branches", BASE, {"model.fusion": "max"}),
    Variant("min", "minimum of both branches", BASE, {"model.fusion": "min"}),
    Variant("vgg16", "VGG16", BASE, {"model.encoder": "vgg16"}),
    Variant("dice", "Dice alone, as the report's", BASE, {"own.loss": "dice"}),
    Variant("bce", "BCE alone", BASE, {"own.loss": "bce"}),
    Variant("slow", "a tenth of the learning rate", BASE, {"lr": 8e-5, "encoder_lr": 8e-5}),
    Variant("batch", "batch 12", BASE, {"batch": 12}),
    Variant("no-decay", "weight decay 0 instead of 0.01", BASE, {"weight_decay": 0.0}),
    Variant("decay", "weight decay 0.1", BASE, {"weight_decay": 0.1}),
    Variant("256", "256 px", BASE, {"clips.size": 256}),
)

HEADINGS = ("variant", "", "minutes", "clips", "J", "F", "J&F", "J&F report", "against", "gain")


def main() -> None:
    """Trains what is missing, and prints a Markdown table row by row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--sequences",
        type=lambda text: None if text == "all" else text.split(","),
        default=sorted(TUNING),
        help="with commas, or all; the three for tuning",
    )
    parser.add_argument("--clips", type=int, default=1500, help="that each is trained on")
    parser.add_argument("--only", type=lambda text: text.split(","), help="names, with commas")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "unets")
    arguments = parser.parse_args()
    unknown = set(arguments.only or []) - {variant.name for variant in VARIANTS}
    if unknown:
        parser.error(f"no variant {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    variants = [
        variant for variant in VARIANTS if not arguments.only or variant.name in arguments.only
    ]
    print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}")
    for row in rows(variants, base_recipe(), arguments):
        print(f"| {' | '.join(row)} |", flush=True)


def names() -> list[str]:
    """Of all variants."""
    return [variant.name for variant in VARIANTS]


def base_recipe() -> Recipe:
    """What all of them have but for what differs."""
    return read_recipe(ROOT / "recipes" / "unets.toml")


def recipe_of(variant: Variant, base: Recipe, clips: int) -> Recipe:
    """The recipe of a variant: as many steps as it takes to see so many clips."""
    by_name = {each.name: each for each in VARIANTS}
    line = [variant]
    while line[0].against:
        line.insert(0, by_name[line[0].against])
    for each in line:
        base = changed(base, each.changes)
    return replace(base, steps=max(1, clips // base.stages[0].batch))


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
    variants: Sequence[Variant], base: Recipe, arguments: argparse.Namespace
) -> Iterator[tuple[str, ...]]:
    """Cells of every variant's row; what a gain is held against is known when its turn has come."""
    scores: dict[str, float] = {}
    for variant in variants:
        out = arguments.out / f"{arguments.clips}-clips" / variant.name
        recipe = recipe_of(variant, base, arguments.clips)
        trained(recipe, out)
        # said for both families, whose own settings differ
        settings = {"view": "object", "side": recipe.stages[0].clips.size, "mirror": False}
        options = ModelOptions(settings=settings)
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
            gain(variant, scores),
        )


def trained(recipe: Recipe, out: Path) -> None:
    """Trains a variant, or what is missing of it."""
    finished = (out / "weights.safetensors").is_file() and not (out / CHECKPOINT).is_file()
    if finished:
        return
    train(recipe, MINUTES, out, resume=(out / CHECKPOINT).is_file())
    if read_clock(out).steps < recipe.steps:
        raise SystemExit(f"Stopped; the same command goes on with {out.name}.")
    (out / CHECKPOINT).unlink()  # hundreds of MB that have no use any more


def gain(variant: Variant, scores: Mapping[str, float]) -> str:
    """J&F above that of the variant it is held against, where that is more than chance."""
    if variant.against not in scores:
        return ""
    difference = scores[variant.name] - scores[variant.against]
    if variant.name == TWIN:
        return f"({difference:+.3f})"
    if TWIN not in scores or BASE not in scores:
        return f"{difference:+.3f}"
    chance = abs(scores[TWIN] - scores[BASE])
    return f"{difference:+.3f}" if abs(difference) > chance else f"none ({difference:+.3f})"


if __name__ == "__main__":
    main()
