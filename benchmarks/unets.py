"""The report's claim and its told ablations, tested: variants trained alike and scored alike.

    python benchmarks/unets.py claim --steps 1500 --data DEV10      # U-Net against Siamese U-Net
    python benchmarks/unets.py ablation --minutes 4 --data DEV10    # one thing changed at a time

`claim` gives both networks the same clips, sizes, number of steps and protocol. `ablation` gives
every variant the same minutes. The recipe is that of `siamese-unet`, its first stage alone; a run
that is finished in `--out` is not trained again. Scores are official J and F.
"""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from masktrail.evaluate.run import evaluate
from masktrail.train.loop import train
from masktrail.train.recipe import Recipe, read_recipe

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Variant:
    """One run: what differs from the base, and the side of the squares it works on."""

    name: str
    family: str = "siamese-unet"
    pretrained: bool = True
    side: int = 128
    loss: str = "bce+dice"
    model: dict[str, Any] = field(default_factory=dict)

    def of(self, base: Recipe) -> Recipe:
        """The recipe of this variant; one of larger squares has fewer of them in a batch."""
        stage = base.stages[0]
        clips = replace(stage.clips, size=self.side)
        batch = max(1, stage.batch * stage.clips.size**2 // self.side**2)
        pair = replace(stage.pair, loss=self.loss)
        stage = replace(stage, until=1.0, batch=batch, clips=clips, pair=pair)
        recipe = replace(base, family=self.family, stages=(stage,))
        if self.pretrained:
            return replace(recipe, model={**base.model, **self.model})
        return replace(recipe, model=self.model, init=None)


CLAIM = (
    Variant("unet", family="unet", pretrained=False),
    Variant("siamese-unet", pretrained=False),
    Variant("siamese-unet, ImageNet"),
)
ABLATION = (
    Variant("avg, VGG11, BCE + Dice, 128 px"),
    Variant("max", model={"fusion": "max"}),
    Variant("min", model={"fusion": "min"}),
    Variant("VGG16", model={"encoder": "vgg16"}),
    Variant("Dice", loss="dice"),
    Variant("BCE", loss="bce"),
    Variant("256 px", side=256),
)


def main() -> None:
    """Parses the arguments, trains what is missing, prints a Markdown table row by row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("claim", "ablation"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "unets")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--view", default="object")
    arguments = parser.parse_args()
    variants = CLAIM if arguments.what == "claim" else ABLATION
    base = replace(read_recipe(ROOT / "recipes" / "siamese-unet.toml"), steps=arguments.steps)
    print("| variant | minutes | steps | clips | J | F | J&F |\n|---|---|---|---|---|---|---|")
    for variant, row in rows(variants, base, arguments):
        print(f"| {variant.name} | {' | '.join(row)} |", flush=True)


def rows(
    variants: tuple[Variant, ...], base: Recipe, arguments: argparse.Namespace
) -> Iterator[tuple[Variant, list[str]]]:
    """Every variant with its cells."""
    for variant in variants:
        out = arguments.out / arguments.what / variant.name.replace(" ", "-").replace(",", "")
        if not (out / "weights.safetensors").is_file():
            train(variant.of(base), arguments.minutes, out)
        with (out / "log.csv").open() as file:
            last = list(csv.DictReader(file))[-1]
        settings = {"view": arguments.view, "side": variant.side}
        found = evaluate([out], arguments.data, settings=settings)[0]
        scores = (found["J"]["mean"], found["F"]["mean"], found["J&F"])
        told = (f"{float(last['minutes']):.1f}", last["step"], last["clips"])
        yield variant, [*told, *(f"{score:.3f}" for score in scores)]


if __name__ == "__main__":
    main()
