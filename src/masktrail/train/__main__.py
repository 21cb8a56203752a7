"""Training without typer, for `torchrun -m masktrail.train RECIPE --minutes M --out DIR`."""

import argparse
import logging
from pathlib import Path

from masktrail.train.loop import train
from masktrail.train.recipe import read_recipe

log = logging.getLogger("masktrail.train")


def _show(share: float, row: dict[str, float]) -> None:
    figures = " ".join(f"{name} {value:.4g}" for name, value in row.items())
    log.info("%3.0f%% %s", 100 * share, figures)


parser = argparse.ArgumentParser(prog="masktrail.train")
parser.add_argument("recipe", type=Path)
parser.add_argument("--minutes", type=float, required=True)
parser.add_argument("--out", type=Path, required=True)
parser.add_argument("--resume", action="store_true")
parser.add_argument("--device", default="auto")
arguments = parser.parse_args()
logging.basicConfig(level=logging.INFO, format="%(message)s")
train(
    read_recipe(arguments.recipe),
    arguments.minutes,
    arguments.out,
    arguments.resume,
    arguments.device,
    _show,
)
