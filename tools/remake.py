"""Makes weights again from nothing but the relay's log: every leg of their chain, in order.

    python tools/remake.py 3f9c2a71 --out runs/again

Each leg is trained by its recipe as it then was (from git's history, where it has changed since),
with its seed and as many steps. The weights that come of it are not the same to the bit: a leg's
schedule followed the clock, and processors round differently. Their scores stand beside those of
the log.
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
from ledger import Leg, chain, read
from masktrail.errors import InputError
from masktrail.train.loop import train
from masktrail.train.recipe import Recipe, read_recipe
from relay import LOG, RUNS, newest, tuning_score


def main() -> None:
    """Parses the arguments and makes one leg after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", help="their SHA-256 in docs/relay.csv, or the beginning of it")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    out = given.out.absolute()
    os.chdir(ROOT)
    try:
        legs = chain(read(LOG), given.weights)
        for leg, folder in remake(legs, out):
            print(f"{folder}: {tuning_score(folder):.3f}, in the log {leg.score_after:.3f}")
    except InputError as error:
        raise SystemExit(str(error)) from error


def remake(legs: Sequence[Leg], out: Path) -> Iterator[tuple[Leg, Path]]:
    """Trains the legs of a chain one after the other; what is finished in `out` is kept.

    Yields:
        Each leg and the folder of its weights.

    Raises:
        InputError: a recipe, or the weights that the first leg started from, cannot be found.
    """
    weights = _first(legs[0])
    for number, leg in enumerate(legs, start=1):
        folder = out / f"leg-{number}"
        recipe = _recipe(leg, out / f"leg-{number}.toml")
        recipe = replace(recipe, seed=leg.seed, steps=leg.steps)
        recipe = replace(recipe, init=str(weights)) if weights else recipe
        make_missing(recipe)
        resume = (folder / "checkpoint.pt").is_file()
        weights = train(recipe, math.inf, folder, resume, "cpu")
        yield leg, folder


def _first(leg: Leg) -> Path | None:
    """The weights that a chain's first leg started from; None where those are its recipe's."""
    path, published = newest(leg.model, RUNS / leg.model, [])
    if leg.before and leg.before != published:
        raise InputError(
            f"The chain begins with weights {leg.before} that no leg made; they were published "
            f"once: check out a commit whose card of {leg.model} names them."
        )
    return path if leg.before else None


def _recipe(leg: Leg, copy: Path) -> Recipe:
    """The recipe of a leg as it was, kept in the file `copy`."""
    for text in _versions(leg.recipe):
        if sha256(text).hexdigest() == leg.recipe_sha256:
            copy.parent.mkdir(parents=True, exist_ok=True)
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
