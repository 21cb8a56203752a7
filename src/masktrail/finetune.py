"""Training a shipped weight further on one's own videos, and seeing whether that helped."""

import hashlib
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from masktrail.data.davis import Sequence, find_sequences, refuse_held_out
from masktrail.data.packing import write_pack
from masktrail.errors import InputError
from masktrail.evaluate.checks import check_sequences, picture_size
from masktrail.evaluate.run import evaluate
from masktrail.families import trained, training_of
from masktrail.files import replacing
from masktrail.recipe import Recipe
from masktrail.settings import ModelOptions
from masktrail.train.loop import Progress, train
from masktrail.train.reading import problems
from masktrail.zoo import DEFAULT, untaught, weights_path
from masktrail.zoo.headers import read_config

log = logging.getLogger(__name__)

SHORT_SIDE = 384
"""Pictures are packed at this height or width, whichever is smaller, at most; pixels."""

PACK = "pack"
"""Folder of the packed videos, in that of the training."""

HELD_OUT = 0.1
"""Share of the sequences that are measured on instead of trained on."""


@dataclass(frozen=True)
class FineTuned:
    """What came of a fine-tuning.

    Attributes:
        weights: the file; its folder is a model that `zoo.load` loads.
        trained: names of the sequences trained on.
        held_out: names of those measured on.
        before: J&F there of the weights it started from.
        after: J&F there of the new ones.
    """

    weights: Path
    trained: tuple[str, ...]
    held_out: tuple[str, ...]
    before: float
    after: float


def fine_tune(
    init: str | Path,
    root: Path,
    minutes: float,
    out: Path,
    resume: bool = False,
    device: str = "auto",
    progress: Progress = lambda share, row: None,
    measuring: Callable[[str, int, int], None] = lambda name, done, total: None,
    **settings: Any,
) -> FineTuned:
    """Trains a weight further on a folder of videos with masks and measures it before and after.

    A tenth of the sequences, chosen by their names, is kept for measuring; of a single sequence
    nothing can be kept, and the figures then say how well it was learned, not how well it will do.

    Args:
        init: what to start from: whatever `zoo.load` loads and has weights.
        root: `JPEGImages` beside `Annotations`, see `data.davis.find_sequences`.
        minutes: of training.
        out: folder for the weights, the packed frames, logs, and `finetune.json`, the figures.
        resume: go on from the checkpoint in `out`.
        device: where to compute.
        progress: called whenever training logs a row.
        measuring: called after every frame that is measured on.
        settings: fields of the recipe to be replaced.

    Raises:
        InputError: a model that cannot be trained further, or a data set that cannot be used.
    """
    path, recipe = _recipe(init)
    learned, held_out = split(_sequences(root))
    measured = held_out or learned
    if not held_out:
        log.warning("There is one sequence only: it is both trained and measured on.")
    names = [sequence.name for sequence in measured]
    before = _score(init, root, names, device, measuring)
    pack = out / PACK
    if not (resume and pack.is_dir()):
        write_pack(learned, pack, *_canvas(learned[0]))
    recipe = replace(recipe, init=str(path), videos=(str(pack),), **settings)
    weights = train(recipe, minutes, out, resume, device, progress)
    after = _score(out, root, names, device, measuring)
    if after < before:
        log.warning("The new weights are worse than those they started from: keep to %s.", init)
    result = FineTuned(weights, tuple(s.name for s in learned), tuple(names), before, after)
    with replacing(out / "finetune.json") as part:
        part.write_text(json.dumps(asdict(result), default=str, indent=1) + "\n")
    return result


def split(sequences: list[Sequence]) -> tuple[list[Sequence], list[Sequence]]:
    """Sequences to train on and to measure on: a tenth, one at least where there are two.

    The choice follows from the names alone, so that it is the same in every run.
    """
    count = max(1, round(HELD_OUT * len(sequences))) if len(sequences) > 1 else 0
    by_hash = sorted(sequences, key=lambda s: hashlib.sha256(s.name.encode()).hexdigest())
    held_out = {sequence.name for sequence in by_hash[:count]}
    return (
        [sequence for sequence in sequences if sequence.name not in held_out],
        [sequence for sequence in sequences if sequence.name in held_out],
    )


def _recipe(init: str | Path) -> tuple[Path, Recipe]:
    """The weights file of a model and the recipe that trains it further."""
    path = weights_path(init)
    name, config = read_config(path) if path else ("no trained network", {})
    recipe = training_of(name).further if name in trained() else None
    if path is None or recipe is None:
        raise InputError(
            f"{init} ({name}) cannot be trained further; start from a model of "
            f"{', '.join(further())}, such as {DEFAULT}."
        )
    recipe = replace(recipe, family=name, model=config)
    for problem in problems(replace(recipe, videos=(PACK,))):
        raise InputError(f"{init} cannot be trained further by its family's recipe: {problem}.")
    return path, recipe


def further() -> dict[str, Recipe]:
    """How networks are trained further, by family, of those that say so and can be used."""
    recipes: dict[str, Recipe] = {}
    for name in trained():
        with suppress(InputError):
            recipe = training_of(name).further
            if recipe:
                recipes[name] = recipe
    return recipes


def _sequences(root: Path) -> list[Sequence]:
    sequences = find_sequences(root)
    refuse_held_out((sequence.name for sequence in sequences), root)
    check_sequences(sequences)
    return sequences


def _canvas(sequence: Sequence) -> tuple[int, int]:
    """Height and width to pack at: those of the pictures, shrunk where they are large."""
    width, height = picture_size(sequence.frames[0])
    scale = min(1.0, SHORT_SIDE / min(height, width))
    return round(height * scale), round(width * scale)


def _score(
    model: str | Path,
    root: Path,
    names: list[str],
    device: str,
    measuring: Callable[[str, int, int], None],
) -> float:
    results = evaluate(
        [model],
        root,
        names,
        options=ModelOptions(device=device, engine="torch", settings=untaught(model)),
        progress=measuring,
    )
    return float(results[0]["J&F"])
