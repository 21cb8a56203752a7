"""What recipes name and a fresh checkout lacks, made once: packs, and encoders to start from."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import vgg16
from masktrail.data.prepare import prepare
from masktrail.errors import InputError
from masktrail.train.recipe import Recipe

log = logging.getLogger("masktrail.tools")

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


def make_missing(recipe: Recipe) -> None:
    """Makes the packs and the start that a recipe names, as far as they are not there.

    Raises:
        InputError: one of them is missing and cannot be made.
    """
    for name in filter(None, (recipe.stills, *recipe.videos)):
        if not Path(name).exists():
            _make_pack(name)
    if recipe.init and not Path(recipe.init).exists():
        if recipe.init not in STARTS:
            raise InputError(f"There is no {recipe.init} to start from, and nothing here makes it.")
        log.info("Fetching %s", recipe.init)
        STARTS[recipe.init](Path(recipe.init))


def _make_pack(name: str) -> None:
    if name not in PACKS:
        raise InputError(f"There is no pack {name}; known are {', '.join(PACKS)}.")
    kind, folder, canvas = PACKS[name]
    log.info("Packing %s", name)
    prepare(kind, DATA / folder, Path(name), canvas)
