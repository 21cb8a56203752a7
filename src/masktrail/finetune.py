"""Training a shipped weight further on one's own videos, and seeing whether that helped."""

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from masktrail.data.davis import Sequence, find_sequences, refuse_held_out
from masktrail.data.packing import write_pack
from masktrail.data.synth import ClipSettings
from masktrail.errors import InputError
from masktrail.evaluate.checks import check_sequences, picture_size
from masktrail.evaluate.run import evaluate
from masktrail.files import replacing
from masktrail.models.weights import read_config
from masktrail.train.loop import Progress, train
from masktrail.train.recipe import PairSettings, Recipe, Stage
from masktrail.zoo import weights_path

log = logging.getLogger(__name__)

SHORT_SIDE = 384
"""Pictures are packed at this height or width, whichever is smaller, at most; pixels."""

HELD_OUT = 0.1
"""Share of the sequences that are measured on instead of trained on."""

_GENTLE = Recipe(stills="", ema=0.99, warmup=0.05)

_PAIRS = replace(
    _GENTLE,
    lr=1e-4,
    encoder_lr=2e-5,
    stages=(
        Stage(
            batch=4,
            real=1.0,
            multiple=0.0,
            clips=ClipSettings(size=160, frames=4, paste=0.2, max_gap=5, tight=0.7),
            pair=PairSettings(),
        ),
    ),
)

RECIPES: dict[str, Recipe] = {
    "memory": replace(
        _GENTLE,
        lr=5e-5,
        encoder_lr=1e-5,
        frozen=("encoder.conv1", "encoder.layer1"),
        stages=(
            Stage(
                batch=2,
                real=1.0,
                multiple=0.4,
                clips=ClipSettings(size=240, frames=4, paste=0.2, max_gap=8, tight=0.3),
            ),
        ),
    ),
    "unet": _PAIRS,
    "siamese-unet": _PAIRS,
}
"""How a network of each family is trained further: gently, the averaged weights following fast."""


@dataclass(frozen=True)
class FineTuned:
    """What came of a fine-tuning.

    Attributes:
        weights: the file; its folder is what `--model` takes.
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
    trained, held_out = split(_sequences(root))
    measured = held_out or trained
    if not held_out:
        log.warning("There is one sequence only: it is both trained and measured on.")
    names = [sequence.name for sequence in measured]
    before = _score(init, root, names, device, measuring)
    pack = out / "pack"
    if not (resume and pack.is_dir()):
        write_pack(trained, pack, *_canvas(trained[0]))
    recipe = replace(recipe, init=str(path), videos=(str(pack),), **settings)
    weights = train(recipe, minutes, out, resume, device, progress)
    after = _score(out, root, names, device, measuring)
    if after < before:
        log.warning("The new weights are worse than those they started from: keep to %s.", init)
    found = FineTuned(weights, tuple(s.name for s in trained), tuple(names), before, after)
    with replacing(out / "finetune.json") as part:
        part.write_text(json.dumps(asdict(found), default=str, indent=1) + "\n")
    return found


def split(sequences: list[Sequence]) -> tuple[list[Sequence], list[Sequence]]:
    """Sequences to train on and to measure on: a tenth, one at least where there are two.

    The choice follows from the names alone, so that it is the same in every run.
    """
    count = max(1, round(HELD_OUT * len(sequences))) if len(sequences) > 1 else 0
    by_hash = sorted(sequences, key=lambda s: hashlib.sha256(s.name.encode()).hexdigest())
    kept = {sequence.name for sequence in by_hash[:count]}
    return (
        [sequence for sequence in sequences if sequence.name not in kept],
        [sequence for sequence in sequences if sequence.name in kept],
    )


def _recipe(init: str | Path) -> tuple[Path, Recipe]:
    """The weights file of a model and the recipe that trains it further."""
    path = weights_path(init)
    family, config = read_config(path) if path else ("no trained network", {})
    if path is None or family not in RECIPES:
        raise InputError(
            f"{init} ({family}) cannot be trained further; start from a model of "
            f"{', '.join(RECIPES)}, such as memory-s."
        )
    return path, replace(RECIPES[family], family=family, model=config)


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
    found = evaluate([model], root, names, device=device, progress=measuring)
    return float(found[0]["J&F"])
