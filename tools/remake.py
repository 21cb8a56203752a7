"""Makes weights again from nothing but the relay's log: every leg of their chain, in order.

    python tools/remake.py 3f9c2a71 --out runs/again

Each leg is trained by its recipe as it then was (from git's history, where it has changed since),
with its seed and as many steps. The weights that come of it are not the same to the bit: a leg's
schedule followed the clock, processors round differently, and a leg that began from published
weights began from 8 bits. Their scores stand beside those of the log. Called again, it goes on.
"""

import argparse
import logging
import math
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from ingredients import ROOT, make_missing
from masktrail.errors import InputError
from masktrail.recipe import Recipe
from masktrail.train.loop import train
from masktrail.train.reading import read_recipe
from masktrail.train.trainer import CHECKPOINT
from masktrail.zoo import weights_origin
from relay import LOG, newest, tuning_score
from relay_log import Leg, chain, read_log, recipe_for


def main() -> None:
    """Parses the arguments and makes one leg after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", help="their SHA-256 in docs/relay.csv, or the beginning of it")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--start", type=Path, help="weights that the chain's first leg started from"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    out, start = arguments.out.absolute(), arguments.start and arguments.start.absolute()
    os.chdir(ROOT)
    try:
        for leg, folder in remake(chain(read_log(LOG), arguments.weights), out, start):
            print(f"{folder}: {tuning_score(folder):.3f}, in the log {leg.score_after:.3f}")
    except InputError as error:
        raise SystemExit(str(error)) from error


def remake(legs: Sequence[Leg], out: Path, start: Path | None = None) -> Iterator[tuple[Leg, Path]]:
    """Trains the legs of a chain one after the other; what is finished in `out` is kept.

    Args:
        legs: a chain.
        out: for a folder of every leg.
        start: the weights that its first leg started from, where those are no longer the published
            ones.

    Yields:
        Each leg and the folder of its weights.

    Raises:
        InputError: a recipe, or the weights that the first leg started from, cannot be found.
    """
    weights = _start(legs[0], start)
    for leg in legs:
        folder = out / leg.after[:12]
        recipe = replace(recipe_for(leg, _recipe(leg, out)), steps=leg.steps)
        recipe = replace(recipe, init=str(weights)) if weights else recipe
        make_missing(recipe)
        resume = (folder / CHECKPOINT).is_file()
        weights = train(recipe, math.inf, folder, resume, "cpu", overwrite=True)
        yield leg, folder


def _start(leg: Leg, weights: Path | None) -> Path | None:
    """The weights that a chain's first leg started from; None where those are its recipe's."""
    if not leg.before:
        return None
    path, origin = (
        (weights, weights_origin(weights)) if weights else newest(leg.model, Path("-"), [])
    )
    if leg.before != origin:
        raise InputError(
            f"The chain begins with weights {leg.before} that no leg made, and {path or 'nothing'} "
            "is none of them. They were published once: get them from git's history (`git log -- "
            "weights src/masktrail/weights`) and name them with --start."
        )
    return path


def _recipe(leg: Leg, out: Path) -> Recipe:
    """The recipe of a leg as it was, a copy of which is kept in `out`."""
    for text in _versions(leg.recipe):
        if sha256(text).hexdigest() == leg.recipe_sha256:
            out.mkdir(parents=True, exist_ok=True)
            copy = out / f"{leg.after[:12]}.toml"
            copy.write_bytes(text)
            return read_recipe(copy)
    raise InputError(f"Neither the files here nor git's history have the {leg.recipe} of the log.")


def _versions(path: str) -> Iterator[bytes]:
    """A file as it is, then as it was in every commit that changed it."""
    if Path(path).is_file():
        yield Path(path).read_bytes()
    for commit in _git("log", "--format=%H", "--", path).decode().split():
        yield _git("show", f"{commit}:{path}")


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], capture_output=True, check=False).stdout


if __name__ == "__main__":
    main()
