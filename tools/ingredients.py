"""What recipes name and a fresh checkout lacks, made once: packs, and encoders to start from."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import vgg16
from locks import locked
from masktrail.data.prepare import prepare
from masktrail.errors import InputError
from masktrail.train.recipe import Recipe

logger = logging.getLogger("masktrail.tools")

ROOT = Path(__file__).parents[1]
"""The source tree; the paths in recipes and of the relay begin there, and its tools work there."""

DATA = Path(os.environ.get("MASKTRAIL_DATA", ROOT.parent / "shared" / "data")).absolute()

PACKS = {
    "packs/stills": ("stills", "stills", None),
    "packs/davis2016-train": ("davis", "davis2016-train", None),
    "packs/davis2016-train-432": ("davis", "davis2016-train", "432x768"),
    "packs/clips": ("davis", "clips", None),
}
"""Pack to the kind of its data set, the folder of that in `DATA`, and the canvas."""

STARTS: dict[str, Callable[[Path], None]] = {"packs/vgg16.safetensors": vgg16.fetch}
"""Weights to start from, and what fetches them."""

Progress = Callable[[int, int], None]


def make_missing(recipe: Recipe, progress: Progress = lambda done, total: None) -> None:
    """Makes the packs and the start that a recipe names, as far as they are not there.

    Args:
        recipe: of any model.
        progress: called with the frames of a pack that are done, and all of them.

    Raises:
        InputError: one of them is missing and cannot be made.
    """
    with locked(Path("packs/.lock")):
        for name in recipe.packs:
            if not Path(name).exists():
                _make_pack(name, progress)
        if recipe.init and not Path(recipe.init).exists():
            _fetch(recipe.init)


def _make_pack(name: str, progress: Progress) -> None:
    if name not in PACKS:
        raise InputError(f"There is no pack {name}; known are {', '.join(PACKS)}.")
    kind, folder, canvas = PACKS[name]
    logger.info("Packing %s", name)
    prepare(kind, DATA / folder, Path(name), canvas, progress)


def _fetch(start: str) -> None:
    if start not in STARTS:
        raise InputError(f"There is no {start} to start from, and nothing here makes it.")
    logger.info("Fetching %s", start)
    STARTS[start](Path(start))
