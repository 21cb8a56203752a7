"""Packs that lie in a GPU's memory once, for all processes that learn from them."""

import logging
import pickle
from collections.abc import Mapping
from dataclasses import replace
from multiprocessing.reduction import ForkingPickler

import torch.multiprocessing  # noqa: F401  # teaches pickle to hand over memory of a GPU

from masktrail.data.pack import Pack, open_pack

logger = logging.getLogger("masktrail.tools")


def hand_over(packs: Mapping[str, Pack]) -> bytes:
    """What one other process gets packs by: a few bytes, none where they cannot be handed over.

    Only those in a GPU's memory are: the others are memory maps, which share theirs anyway. They
    have to stay alive here for as long as they are used there.

    Args:
        packs: by folder.
    """
    pixels = {
        folder: (pack.images, pack.labels)
        for folder, pack in packs.items()
        if pack.images.device.type == "cuda"
    }
    if not pixels:
        return b""
    try:
        return bytes(ForkingPickler.dumps(pixels))
    except RuntimeError as error:
        logger.warning("Packs cannot be shared (%s); every network opens its own.", error)
        return b""


def take_over(handed: bytes) -> dict[str, Pack]:
    """The packs that `hand_over` made available; none, where that fails: then they are opened."""
    if not handed:
        return {}
    try:
        pixels = pickle.loads(handed)
        for images, labels in pixels.values():
            (images[:1].sum() + labels[:1].sum()).item()  # what cannot be read fails here
    except (RuntimeError, pickle.UnpicklingError) as error:
        logger.warning("Packs cannot be shared (%s); they are opened once more.", error)
        return {}
    return {
        folder: replace(open_pack(folder), images=images, labels=labels)
        for folder, (images, labels) in pixels.items()
    }
