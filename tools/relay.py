"""Trains a model a stretch further on the CPU, behind other work, and writes down what that gave.

    python tools/relay.py siamese-unet --minutes 75

A relay is run in legs: this one takes up the newest weights there are (of `runs/relay/MODEL`, else
those published, else the recipe's `init`), trains them by `recipes/relay/MODEL.toml` at the lowest
priority, and ends by itself after so many minutes, packing and scoring included. `kill PID` ends it
sooner: the learning rate falls to zero within four minutes, then it writes and scores as ever. A
leg that was cut off is gone on with by the next call. Each leg adds a line to `docs/relay.csv`; its
scores are J&F on `data.davis.TUNING`, on which nothing is trained.
"""

import argparse
import csv
import fcntl
import json
import logging
import os
import platform
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date
from itertools import count
from pathlib import Path

import torch

from ingredients import DATA, ROOT, make_missing
from ledger import Leg, append, read
from masktrail.data.davis import TUNING
from masktrail.devices import has_fast_bfloat16
from masktrail.errors import InputError
from masktrail.evaluate.run import evaluate
from masktrail.models.fetch import sha256
from masktrail.models.weights import read_origin
from masktrail.train.loop import train
from masktrail.train.recipe import Recipe, read_recipe
from masktrail.train.trainer import trained_minutes
from masktrail.zoo import CARDS, weights_hash, weights_path

log = logging.getLogger("masktrail.tools")

LOG, RECIPES, RUNS = Path("docs/relay.csv"), Path("recipes/relay"), Path("runs/relay")
RESERVE = 60.0
"""Seconds kept for writing, and for scoring beyond what the score before took."""


def main() -> None:
    """Runs one leg."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name of a recipe in recipes/relay")
    parser.add_argument("--minutes", type=float, default=75.0, help="until it ends, all in all")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M")
    os.nice(19)
    os.chdir(ROOT)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: ended.set())
    try:
        with _alone(RUNS / given.model):
            leg = run_leg(given.model, given.minutes, ended.is_set)
        log.info("%d clips: %s to %.3f", leg.clips, _told(leg.score_before), leg.score_after)
    except InputError as error:
        raise SystemExit(str(error)) from error


def run_leg(model: str, minutes: float, ending: Callable[[], bool]) -> Leg:
    """Trains the newest weights of a model further, scores them, and adds a line to the log.

    Args:
        model: name of a recipe in `recipes/relay`.
        minutes: until the end, packing and scoring included.
        ending: asked all the time whether it is to end sooner.

    Raises:
        InputError: no such recipe, nothing to train on, or too few minutes.
    """
    deadline = time.monotonic() + 60 * minutes
    file, runs = RECIPES / f"{model}.toml", RUNS / model
    legs = [leg for leg in read(LOG) if leg.model == model]
    recipe = read_recipe(file)
    weights, before = newest(model, runs, legs)
    init = str(weights) if weights else recipe.init
    recipe = replace(recipe, init=init, seed=recipe.seed + len(legs))
    make_missing(recipe)
    begun = time.monotonic()
    score = tuning_score(weights) if weights else None
    scoring = time.monotonic() - begun
    left = deadline - time.monotonic() - scoring - RESERVE
    if left <= 0 or ending():
        raise InputError(f"No time is left to train in the {minutes:g} minutes; give it more.")
    out, resume = _folder(runs, recipe)
    log.info("%s, from %s (%s)", out, before[:8] or init, _told(score))
    train(recipe, left / 60 + trained_minutes(out), out, resume, "cpu", ending=ending)
    trained = _last_row(out / "log.csv")
    clips = int(trained["clips"])
    leg = Leg(
        date=f"{date.today()}",
        model=model,
        recipe=f"{file}",
        recipe_sha256=sha256(file),
        seed=recipe.seed,
        before=before,
        after=sha256(out / "weights.safetensors"),
        steps=int(trained["step"]),
        clips=clips,
        clips_so_far=clips + sum(leg.clips_so_far for leg in legs if leg.after == before),
        minutes=trained["minutes"],
        processor=_processor(),
        score_before=score,
        score_after=tuning_score(out),
    )
    append(LOG, leg)
    return leg


def newest(model: str, runs: Path, legs: Sequence[Leg]) -> tuple[Path | None, str]:
    """Weights that the next leg starts from.

    Args:
        model: name of a recipe in `recipes/relay`.
        runs: folder of the legs' own folders.
        legs: of this model, oldest first.

    Returns:
        The weights that the last leg made whose weights are still here, trained or published; else
        those published; else none. And their SHA-256, see `ledger`.
    """
    here = {sha256(path): path for path in runs.glob("leg-*/weights.safetensors")}
    if model in CARDS and (path := weights_path(model)) is not None:
        published = read_origin(path) or weights_hash(path) or ""
        here.setdefault(published, path)
    else:
        published = ""
    last = next((leg.after for leg in reversed(legs) if leg.after in here), published)
    return here.get(last), last


def tuning_score(model: str | Path) -> float:
    """J&F of a model or of weights on the three sequences that choices are made on."""
    return evaluate([model], DATA / "davis2016-train", sorted(TUNING), device="cpu")[0]["J&F"]


def _folder(runs: Path, recipe: Recipe) -> tuple[Path, bool]:
    """Where a leg is trained, and whether one that was cut off there is gone on with."""
    asked = json.loads(json.dumps(asdict(recipe)))
    for number in count(1):
        folder = runs / f"leg-{number}"
        if not folder.exists():
            return folder, False
        told, checkpoint = folder / "recipe.json", folder / "checkpoint.pt"
        if checkpoint.is_file() and json.loads(told.read_text()) == asked:
            return folder, True
    raise AssertionError("numbers do not end")


@contextmanager
def _alone(runs: Path) -> Iterator[None]:
    """Refuses a second relay of the same model."""
    runs.mkdir(parents=True, exist_ok=True)
    with (runs / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(f"Another relay trains in {runs}; wait for it or end it.") from error
        yield


def _last_row(table: Path) -> dict[str, float]:
    with table.open(newline="") as file:
        return {name: float(value) for name, value in list(csv.DictReader(file))[-1].items()}


def _processor() -> str:
    """What training ran on, as told by Linux or else by Python."""
    facts = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*:\s*(.+)", facts.read_text()) if facts.is_file() else None
    name = named[1] if named else platform.processor() or platform.machine()
    kind = "bfloat16" if has_fast_bfloat16(torch.device("cpu")) else "float32"
    return f"{name}, {torch.get_num_threads()} threads, {kind}"


def _told(score: float | None) -> str:
    return "no score" if score is None else f"{score:.3f}"


if __name__ == "__main__":
    main()
