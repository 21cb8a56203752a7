"""Trains a model a stretch further on the CPU, behind other work, and writes down what that gave.

    nohup python tools/relay.py siamese-unet --minutes 75 &

A relay is run in legs: this one takes up the newest weights there are (those of the last leg, else
those published, else the recipe's `init`), trains them by `recipes/relay/MODEL.toml` at the lowest
priority, and ends by itself after so many minutes, packing and scoring included. `kill PID` ends it
sooner: the learning rate falls to zero within four minutes, then it writes and scores as ever. A
leg that was cut off is gone on with by the next call. Each leg adds a line to `docs/relay.csv`; its
scores are J&F on `data.held_out.TUNING`.
"""

import argparse
import logging
import os
import platform
import re
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path

import torch

from ingredients import DATA, ROOT, make_missing
from locks import locked
from masktrail.data.davis import find_sequences
from masktrail.data.held_out import TUNING
from masktrail.devices import has_fast_bfloat16
from masktrail.errors import InputError
from masktrail.evaluate.run import evaluate
from masktrail.recipe import Recipe
from masktrail.settings import ModelOptions
from masktrail.train.loop import Pace, train
from masktrail.train.reading import read_recipe
from masktrail.train.trainer import CHECKPOINT, read_clock
from masktrail.zoo import CARDS, untaught, weights_origin, weights_path
from masktrail.zoo.fetch import sha256
from relay_log import Leg, append, keep, kept, read_log, recipe_for

logger = logging.getLogger("masktrail.tools")

LOG, RECIPES, RUNS = Path("docs/relay.csv"), Path("recipes/relay"), Path("runs/relay")

LONG = 60.0
"""Minutes of a leg that is trained at its recipe's full learning rates. A shorter one that goes on
from earlier weights is trained at lower ones in proportion, or it would end worse than it began."""

PACE = Pace()

RESERVE = 240.0
"""Seconds kept for writing and scoring: on the tuning sequences, and twice on the pack held out."""


def main() -> None:
    """Runs one leg."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name of a recipe in recipes/relay")
    parser.add_argument("--minutes", type=float, default=75.0, help="until it ends, all in all")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M")
    os.chdir(ROOT)
    _take_lowest_priority()
    must_end = _listen()
    try:
        leg = run_leg(arguments.model, arguments.minutes, must_end)
    except InputError as error:
        raise SystemExit(str(error)) from error
    logger.info(
        "%d clips: %s to %s", leg.clips, _score_text(leg.score_before), _score_text(leg.score_after)
    )


def run_leg(model: str, minutes: float, must_end: Callable[[], bool]) -> Leg:
    """Trains the newest weights of a model further, scores them, and adds a line to the log.

    Args:
        model: name of a recipe in `recipes/relay`.
        minutes: until the end, packing and scoring included.
        must_end: asked all the time whether it is to end sooner.

    Raises:
        InputError: no such recipe, nothing to train or to score on, too few minutes, told to end
            before any training, or another relay trains this model.
    """
    deadline = time.monotonic() + 60 * minutes
    recipe = read_recipe(RECIPES / f"{model}.toml")
    find_sequences(DATA / "davis2016-train", sorted(TUNING))  # or else it would fail at the end
    try:
        with locked(RUNS / model / "lock", wait=False):
            return _run_leg(model, recipe, deadline, must_end)
    except BlockingIOError as error:
        raise InputError(f"Another relay trains {model}; wait for it or end it.") from error


def _run_leg(model: str, recipe: Recipe, deadline: float, must_end: Callable[[], bool]) -> Leg:
    def progress(*_: object) -> None:
        if must_end():
            raise InputError("Told to end before training began or went on; nothing was changed.")

    runs = RUNS / model
    for folder in runs.glob("leg-*"):
        _write_down(folder)  # where that was all that was missing
    legs = [leg for leg in read_log(LOG) if leg.model == model]
    weights, before = newest(model, runs, legs)
    recipe = replace(recipe, init=str(weights) if weights else recipe.init)
    folder, leg = _cut_off(model, runs, before) or _begin(model, runs, recipe, before, legs)
    if not leg.after:
        make_missing(recipe, progress)
        if weights and leg.score_before is None:
            leg = replace(leg, score_before=tuning_score(weights, progress))
        progress()
        leg = _train(leg, folder, recipe, deadline - RESERVE, must_end)
        so_far = sum(each.clips_so_far for each in legs if each.after == before)
        leg = replace(leg, clips_so_far=so_far + leg.clips)
        keep(folder / "leg.json", leg)
    leg = replace(leg, score_after=tuning_score(folder))
    keep(folder / "leg.json", leg)
    _write_down(folder)
    return leg


def newest(model: str, runs: Path, legs: Sequence[Leg]) -> tuple[Path | None, str]:
    """Weights that the next leg starts from.

    Args:
        model: name of a recipe in `recipes/relay`.
        runs: folder of the legs' own folders.
        legs: of this model, oldest first.

    Returns:
        The weights that the last leg made whose weights are still here, trained or published; else
        those published; else none. And their SHA-256, see `relay_log`.
    """
    by_hash = {sha256(path): path for path in runs.glob("leg-*/weights.safetensors")}
    if legs and legs[-1].after in by_hash:
        return by_hash[legs[-1].after], legs[-1].after
    path = weights_path(model) if model in CARDS else None
    published = weights_origin(path) if path else ""
    if path:
        by_hash.setdefault(published, path)
    last = next((leg.after for leg in reversed(legs) if leg.after in by_hash), published)
    return by_hash.get(last), last


def tuning_score(
    model: str | Path, progress: Callable[[str, int, int], None] = lambda name, done, total: None
) -> float:
    """J&F of a model or of weights on the three sequences that choices are made on, of which they
    learn nothing as they track them."""
    data, names = DATA / "davis2016-train", sorted(TUNING)
    # before and after by the same
    options = ModelOptions(device="cpu", engine="torch", settings=untaught(model))
    return evaluate([model], data, names, options=options, progress=progress)[0]["J&F"]


def _cut_off(model: str, runs: Path, before: str) -> tuple[Path, Leg] | None:
    """The folder of a leg that is to be gone on with, and what is known of it."""
    recipe = sha256(RECIPES / f"{model}.toml")
    for folder in sorted(runs.glob("leg-*")):
        leg = kept(folder / "leg.json")
        if leg is None or leg.score_after is not None:
            continue
        if (leg.recipe_sha256, leg.before) == (recipe, before):
            return folder, leg
        logger.warning("%s was cut off; recipe or weights are others now, so it stays so", folder)
    return None


def _begin(
    model: str, runs: Path, recipe: Recipe, before: str, legs: Sequence[Leg]
) -> tuple[Path, Leg]:
    """A new folder, and what is known of its leg from the beginning."""
    file = RECIPES / f"{model}.toml"
    folder = next(f for n in count(len(legs) + 1) if not (f := runs / f"leg-{n}").exists())
    leg = Leg(model, str(file), sha256(file), recipe.seed + len(legs), before, None)
    return folder, leg


def _train(leg: Leg, folder: Path, recipe: Recipe, end: float, must_end: Callable[[], bool]) -> Leg:
    """Trains until `end`, by the clock; the leg with what came of it."""
    seconds = end - time.monotonic()
    if seconds <= 0:
        raise InputError("No time is left to train; give more --minutes.")
    resume = (folder / CHECKPOINT).is_file()
    if leg.before and not resume:
        leg = replace(leg, rate=round(min(1.0, max(0.001, seconds / 60 / LONG)), 3))
    folder.mkdir(parents=True, exist_ok=True)
    keep(folder / "leg.json", leg)
    logger.info("%s, from %s (%s)", folder, recipe.init or "nothing", _score_text(leg.score_before))
    seconds += read_clock(folder).seconds if resume else 0.0
    recipe = recipe_for(leg, recipe)
    weights = train(
        recipe, seconds / 60, folder, resume, "cpu", pace=PACE, ending=must_end, overwrite=True
    )
    clock = read_clock(folder)
    if not clock.steps:
        raise InputError(f"Training ended before its first step; {folder} goes on next time.")
    return replace(
        leg,
        date=f"{date.today()}",
        after=sha256(weights),
        steps=clock.steps,
        clips=clock.clips,
        minutes=clock.seconds / 60,
        processor=_processor(),
    )


def _write_down(folder: Path) -> None:
    """Adds the line of a leg that has ended; its checkpoint, large and of no more use, goes."""
    leg = kept(folder / "leg.json")
    if leg is not None and leg.score_after is not None:
        append(LOG, leg)
        (folder / CHECKPOINT).unlink(missing_ok=True)


def _listen() -> Callable[[], bool]:
    """From now on signals to end are heard, not obeyed: whether one has come. A second Ctrl-C cuts
    short whatever is then done."""
    heard: list[int] = []

    def hear(number: int, frame: object) -> None:
        heard.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, hear)
    return lambda: bool(heard)


def _take_lowest_priority() -> None:
    """Also for the threads that libraries started when they were imported."""
    os.nice(19)
    for thread in Path("/proc/self/task").glob("*"):
        os.setpriority(os.PRIO_PROCESS, int(thread.name), 19)


def _processor() -> str:
    """What training ran on, as told by Linux or else by Python."""
    file = Path("/proc/cpuinfo")
    match = re.search(r"model name\s*:\s*(.+)", file.read_text()) if file.is_file() else None
    name = match[1] if match else platform.processor() or platform.machine()
    kind = "bfloat16" if has_fast_bfloat16(torch.device("cpu")) else "float32"
    return f"{name}, {torch.get_num_threads()} threads, {kind}"


def _score_text(score: float | None) -> str:
    return "no score" if score is None else f"{score:.3f}"


if __name__ == "__main__":
    main()
