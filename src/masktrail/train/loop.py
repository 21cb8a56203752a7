"""The training loop, one for every family of models.

Time-boxed: the schedule is a function of the share of the minutes that has passed, so it always
ends when the time does, and a resumed run goes on where its clock stood.
"""

import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from masktrail.data.pack import Pack
from masktrail.devices import catch_up, choose_device
from masktrail.errors import InputError
from masktrail.files import delete, make_folder, replacing
from masktrail.recipe import Recipe
from masktrail.train import parallel
from masktrail.train.log import HELD_OUT_PREFIX, LOADING, LossTable, draw_curves, draw_sheet
from masktrail.train.trainer import CHECKPOINT, Step, Trainer, check_minutes, checkpoint_of

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

TABLE, SCORES, WEIGHTS = "log.csv", "scores.csv", "weights.safetensors"
"""Files of a run: losses, scores on the held-out pack, averaged weights."""

FILES = (TABLE, SCORES, WEIGHTS, CHECKPOINT, "recipe.json", "curves.png", "sheet.png")
"""All that a training leaves in its folder."""


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
    overwrite: bool = False,
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
        overwrite: replace the training that `out` holds.

    Returns:
        The weights file.

    Raises:
        InputError: see `check_folder`, `Trainer` and `Trainer.resume`; or the training diverged:
            what was saved while its weights were finite numbers is kept.
    """
    check_minutes(minutes, recipe)
    check_folder(out, resume, overwrite)
    try:
        trainer = Trainer(recipe, minutes, out, choose_device(device), packs)
        _prepare(trainer, resume)
        # crops have few sizes, so that it pays to look for the fastest convolution of each
        fastest = torch.backends.cudnn.flags(enabled=True, benchmark=True)
        with fastest, _interruptible(trainer), closing(trainer.loader):
            if not resume:
                _score(trainer)
            _run(trainer, progress, pace, ending)
        if trainer.rank == 0:
            trainer.save()
            if not trainer.diverged:
                _score(trainer)
            draw_curves(out / TABLE, out / "curves.png", out / SCORES)
        if parallel.agree(trainer.diverged):  # waits for what the first process writes
            raise _diverged(trainer)
    finally:
        parallel.stop()
    return out / WEIGHTS


def check_folder(out: Path, resume: bool, overwrite: bool, files: Iterable[str] = FILES) -> None:
    """Refuses a folder for a training before anything is done for it.

    Args:
        out: the folder.
        resume: whether the training in it is to go on.
        overwrite: whether the training in it is to be replaced.
        files: that a training leaves in it.

    Raises:
        InputError: a file has its name, it cannot be written to, it holds a training that is
            neither to go on nor to be replaced, or none that could go on.
    """
    there = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not there.is_dir():
        raise InputError(f"{there} is a file; name a folder for the training.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{there} may not be written to; name another folder for the training.")
    if resume:
        checkpoint_of(out)
        return
    held = [name for name in files if (out / name).exists()]
    if held and not overwrite:
        raise InputError(
            f"{out} holds a training already ({', '.join(held)}): go on with it by resume=True, "
            "replace these by overwrite=True, or name another folder."
        )


@contextmanager
def _interruptible(trainer: Trainer) -> Iterator[None]:
    """Ends the training in it where the user does, and says so."""
    try:
        yield
    except KeyboardInterrupt:
        log.warning(
            "Ended early, after %.1f of %.1f minutes: what was learned is kept, and can be gone on "
            "with.",
            trainer.elapsed / 60, trainer.seconds / 60,
        )  # fmt: skip


def _diverged(trainer: Trainer) -> InputError:
    kept = f"{trainer.out / WEIGHTS} holds the last that are finite"
    if not (trainer.out / WEIGHTS).exists():
        kept = "nothing was saved before"
    return InputError(
        f"The training diverged in step {trainer.step + 1}: its gradients or weights are no finite "
        f"numbers any more; {kept}. Train with a smaller lr than {trainer.recipe.lr:g}."
    )


def _prepare(trainer: Trainer, resume: bool) -> None:
    if resume:
        trainer.resume()
    elif trainer.rank == 0:
        make_folder(trainer.out)
        for name in FILES:
            delete(trainer.out / name)
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
        lost = (due or trainer.device.type == "cpu") and trainer.diverged
        trainer.elapsed, must_end, lost = parallel.agree(
            (trainer.elapsed + now - last, ending(), lost)
        )
        last = now
        if lost:
            break
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
