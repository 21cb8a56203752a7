"""Training without the command line, so that torchrun can start it.

`torchrun --nproc-per-node 2 -m masktrail.train RECIPE --minutes M --out DIR`
"""

import argparse
import logging
from pathlib import Path

from masktrail.errors import InputError
from masktrail.train.loop import train
from masktrail.train.reading import read_recipe

log = logging.getLogger("masktrail.train")


def main() -> None:
    """Trains by the recipe named on the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments = _arguments()
    try:
        recipe = read_recipe(arguments.recipe)
        train(
            recipe,
            arguments.minutes,
            arguments.out,
            arguments.resume,
            arguments.device,
            _show,
            overwrite=arguments.overwrite,
        )
    except InputError as error:
        raise SystemExit(str(error)) from error


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="masktrail.train")
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--overwrite", action="store_true")
    parser.add_argument("--device", default="auto")
    return parser.parse_args()


def _show(share: float, row: dict[str, float]) -> None:
    figures = " ".join(f"{name} {value:.4g}" for name, value in row.items())
    log.info("%3.0f%% %s", 100 * share, figures)


if __name__ == "__main__":
    main()
