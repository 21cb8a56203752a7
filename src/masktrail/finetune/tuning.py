"""Training a shipped weight further on one's own data, and seeing whether that helped."""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from masktrail.data.packing import write_pack
from masktrail.errors import InputError
from masktrail.evaluate.run import evaluate
from masktrail.families import trained, training_of
from masktrail.files import delete, make_folder, write_json
from masktrail.finetune.identity import DATA, Digests, content, require_same
from masktrail.finetune.own_data import OwnData, Val, own_data_of
from masktrail.recipe import Recipe
from masktrail.settings import ModelOptions
from masktrail.train.loop import FILES, Progress, check_folder, train
from masktrail.train.reading import problems
from masktrail.train.trainer import CHECKPOINT, check_minutes
from masktrail.zoo import DEFAULT, untaught, weights_path
from masktrail.zoo.headers import read_config

log = logging.getLogger(__name__)

PACK, REPORT = "pack", "finetune.json"
"""In the folder of the training: that of what was packed, figures."""


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
    overwrite: bool = False,
    val: Val = None,
    **settings: Any,
) -> FineTuned:
    """Trains a weight further on videos or pictures with masks and measures it before and after.

    What is measured on is not learned from: what `val` names, else what `ImageSets` of the data
    set lists, else a tenth of the frames, chosen by the names of their videos; of a single video
    nothing can be kept, and the figures then say how well it was learned, not how well it will do.
    Pictures that stand alone are measured set in motion.

    Args:
        init: what to start from: whatever `zoo.load` loads and has weights.
        root: `JPEGImages` beside `Annotations`, see `data.davis.find_sequences`; or pictures that
            stand alone, `images` beside `masks`, see `data.stills.find_stills`.
        minutes: of training.
        out: folder for the weights, the packed frames, logs, and `finetune.json`, the figures.
        resume: go on from the checkpoint in `out`, with the data that it was begun with.
        device: where to compute.
        progress: called whenever training logs a row.
        measuring: called after every frame that is measured on.
        overwrite: replace the training that `out` holds.
        val: what is measured on: names of videos or of sets of pictures, or a file of them.
        settings: fields of the recipe to be replaced.

    Raises:
        InputError: a model that cannot be trained further, a data set that cannot be used or that
            is not the one which a training to be resumed was begun with, or as `train`. Nothing
            has been measured, packed or written then.
    """
    path, recipe = _recipe(init, settings)
    check_minutes(minutes, recipe)
    check_folder(out, resume, overwrite, (*FILES, PACK, DATA, REPORT))
    own = own_data_of(root, val)
    own.require_clips(recipe)
    data = {"trained": content(own.trained), "held_out": content(own.held_out)}
    if resume:
        require_same(out, data, root)
    with own.videos() as (videos, names):
        before = _score(init, videos, names, device, measuring)
        if not resume:
            _pack(own, out, data)
        recipe = own.taught(replace(recipe, init=str(path)), out / PACK)
        weights = train(recipe, minutes, out, resume, device, progress, overwrite=overwrite)
        after = _score(out, videos, names, device, measuring)
    if after < before:
        log.warning("The new weights are worse than those they started from: keep to %s.", init)
    learned, kept = (tuple(s.name for s in part) for part in (own.trained, own.measured))
    result = FineTuned(weights, learned, kept, before, after)
    write_json(out / REPORT, {**asdict(result), "weights": weights.name})
    return result


def _recipe(init: str | Path, settings: Mapping[str, Any]) -> tuple[Path, Recipe]:
    """The weights file of a model and the recipe that trains it further, some fields replaced."""
    path = weights_path(init)
    name, config = read_config(path) if path else ("no trained network", {})
    recipe = training_of(name).further if name in trained() else None
    if path is None or recipe is None:
        raise InputError(
            f"{init} ({name}) cannot be trained further; start from a model of "
            f"{', '.join(further())}, such as {DEFAULT}."
        )
    recipe = replace(recipe, family=name, model=config, **settings)
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


def _pack(own: OwnData, out: Path, data: Digests) -> None:
    """Packs what is learned from, and writes down what that was."""
    make_folder(out)
    for name in (CHECKPOINT, DATA):  # first, so that nobody goes on from them with other data
        delete(out / name)
    write_pack(own.trained, out / PACK, *own.canvas)
    write_json(out / DATA, data)


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
