"""Training a shipped weight further on one's own videos, and seeing whether that helped."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from masktrail.data.check import require_sound
from masktrail.data.davis import find_sequences, marked_sequences
from masktrail.data.held_out import refuse_held_out
from masktrail.data.packing import write_pack
from masktrail.data.sequence import Sequence
from masktrail.data.synth import least_area
from masktrail.errors import InputError
from masktrail.evaluate.run import evaluate
from masktrail.families import trained, training_of
from masktrail.files import delete, make_folder, write_json
from masktrail.recipe import Recipe
from masktrail.settings import ModelOptions
from masktrail.train.loop import FILES, Progress, check_folder, train
from masktrail.train.reading import problems
from masktrail.train.trainer import CHECKPOINT, check_minutes
from masktrail.zoo import DEFAULT, untaught, weights_path
from masktrail.zoo.headers import read_config

log = logging.getLogger(__name__)

SHORT_SIDE = 384
"""Pictures are packed at this height or width, whichever is smaller, at most; pixels."""

PACK, DATA, REPORT = "pack", "data.json", "finetune.json"
"""In the folder of the training: that of the packed videos, what they were packed from, figures."""

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
    overwrite: bool = False,
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
        resume: go on from the checkpoint in `out`, with the data that it was begun with.
        device: where to compute.
        progress: called whenever training logs a row.
        measuring: called after every frame that is measured on.
        overwrite: replace the training that `out` holds.
        settings: fields of the recipe to be replaced.

    Raises:
        InputError: a model that cannot be trained further, a data set that cannot be used or that
            is not the one which a training to be resumed was begun with, or as `train`. Nothing
            has been measured, packed or written then.
    """
    path, recipe = _recipe(init, settings)
    check_minutes(minutes, recipe)
    check_folder(out, resume, overwrite, (*FILES, PACK, DATA, REPORT))
    learned, held_out = split(_sequences(root))
    _require_clips(learned, recipe, root)
    data = {"trained": _content(learned), "held_out": _content(held_out)}
    if resume:
        _require_same(out, data, root)
    measured = held_out or learned
    if not held_out:
        log.warning("There is one sequence only: it is both trained and measured on.")
    names = [sequence.name for sequence in measured]
    before = _score(init, root, names, device, measuring)
    if not resume:
        _pack(learned, out, data)
    recipe = replace(recipe, init=str(path), videos=(str(out / PACK),))
    weights = train(recipe, minutes, out, resume, device, progress, overwrite=overwrite)
    after = _score(out, root, names, device, measuring)
    if after < before:
        log.warning("The new weights are worse than those they started from: keep to %s.", init)
    result = FineTuned(weights, tuple(s.name for s in learned), tuple(names), before, after)
    write_json(out / REPORT, {**asdict(result), "weights": weights.name})
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


def _sequences(root: Path) -> list[Sequence]:
    """Those of a data set that show objects; what is left out is said."""
    found = find_sequences(root)
    refuse_held_out((sequence.name for sequence in found), root)
    require_sound(marked_sequences(root), root)
    sequences = [sequence for sequence in found if sequence.ids]
    if not sequences:
        raise InputError(f"No mask of {root} shows an object: there is nothing to learn from.")
    if len(sequences) < len(found):
        without = [sequence.name for sequence in found if not sequence.ids]
        log.warning("Left out, since no mask shows an object, are %s.", ", ".join(without))
    return sequences


def _require_clips(sequences: list[Sequence], recipe: Recipe, root: Path) -> None:
    """Refuses videos of which no clip could be drawn.

    Raises:
        InputError: all have too few masks, or show only what is too small.
    """
    for stage in recipe.stages:
        count, least = stage.clips.frames, least_area(stage.clips)
        long = [s for s in sequences if sum(map(bool, s.annotations)) >= count]
        if not long:
            raise InputError(
                f"No video of {root} has {count} frames with a mask, as {recipe.family} learns "
                "from; mark more of them."
            )
        if not any(share > least for s in long for share in s.largest.values()):
            raise InputError(
                f"No video of {root} with {count} masks shows an object of {least:.2g} of its area."
            )


def _content(sequences: list[Sequence]) -> dict[str, str]:
    """SHA-256 by sequence: of the names and bytes of its pictures and masks."""
    digests = {}
    for sequence in sequences:
        digest = hashlib.sha256()
        for path in (*sequence.frames, *filter(None, sequence.annotations)):
            digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
        digests[sequence.name] = digest.hexdigest()
    return digests


def _pack(sequences: list[Sequence], out: Path, data: Mapping[str, Any]) -> None:
    """Packs what is learned from, and writes down what that was."""
    make_folder(out)
    for name in (CHECKPOINT, DATA):  # first, so that nobody goes on from them with other data
        delete(out / name)
    write_pack(sequences, out / PACK, *_canvas(sequences[0]))
    write_json(out / DATA, data)


def _require_same(out: Path, data: Mapping[str, Mapping[str, str]], root: Path) -> None:
    """Refuses to go on with a training on other data than it was begun with."""
    try:
        begun = json.loads((out / DATA).read_text())
    except (OSError, ValueError):
        raise InputError(
            f"{out} does not say what data its training was begun with ({DATA} is missing or "
            "damaged); train into another folder, or anew by overwrite=True."
        ) from None
    for part, verb in (("trained", "trained"), ("held_out", "measured")):
        before, now = begun.get(part, {}), data[part]
        other = sorted({n for n in {*before, *now} if before.get(n) != now.get(n)})
        if other:
            raise InputError(
                f"The training in {out} was begun with other data than {root} holds: among what it "
                f"{verb} on, {', '.join(other[:5])} came, went or changed. Train into another "
                "folder, or anew by overwrite=True."
            )


def _canvas(sequence: Sequence) -> tuple[int, int]:
    """Height and width to pack at: those of the pictures, shrunk where they are large."""
    size = sequence.pictures[0].size
    assert size is not None  # it is sound
    width, height = size
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
