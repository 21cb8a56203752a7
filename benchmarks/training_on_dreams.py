"""What a model gains by training on dreams: its relay's recipe, with and without, all else equal.

    python benchmarks/training_on_dreams.py memory-s --steps 300

Each training begins with the published weights and sees equally many clips; `--shares` is of the
clips of photographs, how many of them are dreams (`Stage.dreams`). Printed are J&F on the tuning
sequences, J of each, and IoU on held-out clips every ten minutes. It goes on where it was
stopped, and several of them can run side by side, as with `--shares 0` and `--shares 1`. The
recipe's packs must be there, as a leg of the relay makes them.
"""

import argparse
import csv
import os
from dataclasses import replace
from pathlib import Path

from masktrail.data.held_out import TUNING
from masktrail.evaluate.run import evaluate
from masktrail.recipe import Recipe
from masktrail.settings import ModelOptions
from masktrail.train.loop import SCORES, TABLE
from masktrail.train.reading import read_recipe
from masktrail.zoo import untaught, weights_path
from variants import trained

ROOT = Path(__file__).parents[1]

DATA = Path(os.environ.get("MASKTRAIL_DATA", ROOT.parent / "shared" / "data")).absolute()

HEADINGS = ("model", "dreams", "seed", "clips", "minutes", "J&F", "J", "held-out IoU")


def main() -> None:
    """Prints a Markdown table row by row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="name of a recipe in recipes/relay")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--shares", type=numbers, default=[0.0, 1.0])
    parser.add_argument("--seeds", type=numbers, default=[100])
    parser.add_argument("--rate", type=float, default=0.3, help="times the learning rates")
    parser.add_argument("--out", type=Path, default=Path("runs/dreams"))
    arguments = parser.parse_args()
    out = arguments.out.absolute() / arguments.model
    os.chdir(ROOT)  # where the packs of recipes are
    base = base_recipe(arguments.model, arguments.steps, arguments.rate)
    print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}")
    print(f"| {row(arguments.model, arguments.model)} |", flush=True)
    for seed in arguments.seeds:
        for share in arguments.shares:
            name = "-".join(f"{part:g}" for part in (arguments.steps, arguments.rate, share, seed))
            recipe = replace(dreaming(base, share), seed=int(seed))
            trained(recipe, out / name)
            told = f"{share:g}", f"{seed:g}"
            print(f"| {row(arguments.model, out / name, told)} |", flush=True)


def numbers(text: str) -> list[float]:
    """Of a text with commas."""
    return [float(part) for part in text.split(",")]


def base_recipe(model: str, steps: int, rate: float) -> Recipe:
    """The relay's recipe of a model, for so many steps from its published weights."""
    recipe = read_recipe(ROOT / "recipes" / "relay" / f"{model}.toml")
    stages = tuple(replace(stage, lr=rate * stage.lr) for stage in recipe.stages)
    return replace(
        recipe,
        init=str(weights_path(model)),
        lr=rate * recipe.lr,
        encoder_lr=rate * recipe.encoder_lr,
        stages=stages,
        steps=steps,
    )


def dreaming(recipe: Recipe, share: float) -> Recipe:
    """The same with another share of dreams in all its stages."""
    stages = tuple(replace(stage, dreams=share) for stage in recipe.stages)
    return replace(recipe, stages=stages)


def row(model: str, weights: str | Path, told: tuple[str, str] = ("", "")) -> str:
    """Cells of a row: what was trained, what `told` says of it, and its scores."""
    options = ModelOptions(device="cpu", engine="torch", settings=untaught(model))
    (result,) = evaluate([weights], DATA / "davis2016-train", sorted(TUNING), options=options)
    sequences = result["sequences"].values()
    each = [f"{one['J']['mean']:.3f}" for objects in sequences for one in objects.values()]
    log, scores = (column(Path(weights) / name) for name in (TABLE, SCORES))
    effort = [log["clips"][-1], f"{float(log['minutes'][-1]):.0f}"] if log else ["", ""]
    held_out = [f"{float(score):.3f}" for score in scores.get("held_out_IoU", [])]
    cells = *told, *effort, f"{result['J&F']:.4f}", " ".join(each), ", ".join(held_out)
    return " | ".join([model, *cells])


def column(path: Path) -> dict[str, list[str]]:
    """Columns of a CSV file by their heading; none where there is no such file."""
    if not path.is_file():
        return {}
    with path.open() as file:
        lines = list(csv.DictReader(file))
    return {name: [line[name] for line in lines] for name in lines[0]}


if __name__ == "__main__":
    main()
