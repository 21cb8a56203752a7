"""What recipes name and a fresh checkout lacks, made once: packs, and encoders to start from."""

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import vgg16
from locks import locked
from masktrail.data.prepare import prepare
from masktrail.data.split import PARTS
from masktrail.errors import InputError
from masktrail.recipe import Recipe

logger = logging.getLogger("masktrail.tools")

ROOT = Path(__file__).parents[1]
"""The source tree; the paths in recipes and of the relay begin there, and its tools work there."""

DATA = Path(os.environ.get("MASKTRAIL_DATA", ROOT.parent / "shared" / "data")).absolute()


class Ingredient(NamedTuple):
    """What a pack is made of.

    Attributes:
        kind: of its data set, key of `prepare.FINDERS`.
        folder: of that in `DATA`.
        canvas: HEIGHTxWIDTH; None for that of the kind.
        split: how `prepare` splits the videos, where the pack is one of two in a folder.
    """

    kind: str
    folder: str
    canvas: str | None = None
    split: Mapping[str, Any] = MappingProxyType({})


CLIPS_SPLIT = {"held_out": 0.2, "recording": r".+(?=-\d+$)"}
"""Several of the clips are stretches of one recording: `sbi2015-board-00024`, `-00061`."""

PACKS = {
    "packs/stills": Ingredient("stills", "stills"),
    "packs/davis2016-train": Ingredient("davis", "davis2016-train"),
    "packs/davis2016-train-432": Ingredient("davis", "davis2016-train", "432x768"),
    "packs/clips": Ingredient("davis", "clips"),
    **{
        f"packs/clips-apart/{part}": Ingredient("mose", "clips", "240x427", CLIPS_SPLIT)
        for part in PARTS
    },
}
"""Pack to what it is made of."""

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
    ingredient = PACKS[name]
    out = Path(name).parent if ingredient.split else Path(name)
    logger.info("Packing %s", out)
    prepare(
        ingredient.kind,
        DATA / ingredient.folder,
        out,
        ingredient.canvas,
        progress,
        **ingredient.split,
    )


def _fetch(start: str) -> None:
    if start not in STARTS:
        raise InputError(f"There is no {start} to start from, and nothing here makes it.")
    logger.info("Fetching %s", start)
    STARTS[start](Path(start))
