"""The training loop, one for every family of models.

Time-boxed: the schedule is a function of the share of the minutes that has passed, so it always
ends when the time does, and a resumed run goes on where its clock stood.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from masktrail.data.pack import Pack
from masktrail.devices import catch_up, choose_device
from masktrail.files import replacing
from masktrail.recipe import Recipe
from masktrail.train import parallel
from masktrail.train.log import HELD_OUT_PREFIX, LOADING, LossTable, draw_curves, draw_sheet
from masktrail.train.trainer import Step, Trainer

log = logging.getLogger(__name__)

Progress = Callable[[float, dict[str, float]], None]
"""Called with the share of the time that has passed and the latest row of the log."""


@dataclass(frozen=True)
class Pace:
    """What a run does every so many seconds.

    Attributes:
        log: between rows of the log.
        save: between checkpoints.
        score: between scores on the recipe's held-out pack.
        wind_down: that a run told to end takes to let its learning rate fall to zero.
    """

    log: float = 20.0
    save: float = 120.0
    score: float = 600.0
    wind_down: float = 240.0


PACE = Pace()

TABLE, SCORES = "log.csv", "scores.csv"
"""Files of a run: losses, and scores on the held-out pack."""


def train(
    recipe: Recipe,
    minutes: float,
    out: Path,
    resume: bool = False,
    device: str = "auto",
    progress: Progress = lambda share, row: None,
    pace: Pace = PACE,
    ending: Callable[[], bool] = lambda: False,
    packs: Mapping[str, Pack] | None = None,
) -> Path:
    """Trains by a recipe for some minutes; an interruption leaves a checkpoint to resume from.

    Args:
        recipe: what to train, on what.
        minutes: how long in all, what was trained before a resumption included.
        out: folder for the weights, the checkpoint, `log.csv`, `curves.png` and `sheet.png`.
        resume: go on from the checkpoint in `out`.
        device: name of the device, see `choose_device`.
        progress: called whenever a row is logged.
        pace: how often it logs and saves, and how soon it ends when told to.
        ending: asked after every step whether the run is to end before its time, see
            `Trainer.wind_down`.
        packs: those of the recipe's that are open already, see `Trainer`.

    Returns:
        The weights file.

    Raises:
        InputError: see `Trainer` and `Trainer.resume`.
    """
    try:
        trainer = Trainer(recipe, minutes, out, choose_device(device), packs)
        _prepare(trainer, resume)
        # crops have few sizes, so that it pays to look for the fastest convolution of each
        fastest = torch.backends.cudnn.flags(enabled=True, benchmark=True)
        with fastest, suppress(KeyboardInterrupt), closing(trainer.loader):
            if not resume:
                _score(trainer)
            _run(trainer, progress, pace, ending)
        if trainer.rank == 0:
            _score(trainer)
            trainer.save()
            draw_curves(out / TABLE, out / "curves.png", out / SCORES)
    finally:
        parallel.stop()
    return out / "weights.safetensors"


def _prepare(trainer: Trainer, resume: bool) -> None:
    if resume:
        trainer.resume()
    elif trainer.rank == 0:
        trainer.out.mkdir(parents=True, exist_ok=True)
        for table in (TABLE, SCORES):
            (trainer.out / table).unlink(missing_ok=True)
        with replacing(trainer.out / "recipe.json") as part:
            part.write_text(json.dumps(asdict(trainer.recipe), indent=1))


def _run(trainer: Trainer, progress: Progress, pace: Pace, ending: Callable[[], bool]) -> None:
    module = parallel.wrap(Step(trainer.network, trainer.recipe.family), trainer.device)
    table = LossTable(trainer.out / TABLE)
    start = last = logged = saved = scored = time.monotonic()
    logged -= pace.log  # the first step is logged at once
    batches = iter(trainer.loader)
    while not trainer.over:
        trainer.loader.progress = trainer.phase
        drawing = time.monotonic()
        stage, clips = next(batches)
        drawn = time.monotonic() - drawing
        output = trainer.learn(module, clips, stage)
        table.add({**{k: v.detach() for k, v in output.parts.items()}, LOADING: drawn})
        due = drawing + drawn - logged > pace.log
        if due:
            catch_up(trainer.device)  # what a GPU has been asked for is not yet done
        now = time.monotonic()
        logged = now if due else logged
        trainer.elapsed, must_end = parallel.agree((trainer.elapsed + now - last, ending()))
        last = now
        if must_end:
            trainer.wind_down(pace.wind_down)
        if trainer.rank != 0:
            continue
        if due or trainer.over:
            row = table.write(minutes=trainer.elapsed / 60, step=trainer.step, clips=trainer.clips)
            progress(trainer.progress, row)
        if now - saved > pace.save or trainer.step == 1:
            draw_sheet(clips, output.masks, trainer.out / "sheet.png")
            trainer.save()  # whoever sees new weights finds their sheet beside them
            saved = now
        if now - scored > pace.score:
            _score(trainer)
            scored = now
    log.info("%d clips in %.1f minutes", trainer.clips, (time.monotonic() - start) / 60)


def _score(trainer: Trainer) -> None:
    """Scores the averaged weights, where there is something to score them on."""
    scores = trainer.score()
    if scores:
        table = LossTable(trainer.out / SCORES)
        table.add({f"{HELD_OUT_PREFIX}{name}": value for name, value in scores.items()})
        table.write(minutes=trainer.elapsed / 60, step=trainer.step)
