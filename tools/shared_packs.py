"""Packs that lie in a GPU's memory once, for all processes that learn from them."""

import logging
import pickle
from collections.abc import Mapping
from multiprocessing.reduction import ForkingPickler

import torch.multiprocessing  # noqa: F401  # teaches pickle to hand over memory of a GPU

from masktrail.data.pack import Pack

logger = logging.getLogger("masktrail.tools")


def hand_over(packs: Mapping[str, Pack]) -> bytes:
    """What another process, one, gets packs by; nothing, where they cannot be handed over.

    Only those in a GPU's memory are: the others are memory maps, which share theirs anyway. They
    have to stay alive here for as long as they are used there.
    """
    there = {name: pack for name, pack in packs.items() if pack.images.device.type == "cuda"}
    if not there:
        return b""
    try:
        return bytes(ForkingPickler.dumps(there))
    except RuntimeError as error:
        logger.warning("Packs cannot be shared (%s); every network opens its own.", error)
        return b""


def take_over(handed: bytes) -> dict[str, Pack]:
    """The packs that `hand_over` made available; none, where that fails: then they are opened."""
    if not handed:
        return {}
    try:
        packs: dict[str, Pack] = pickle.loads(handed)
        for pack in packs.values():
            pack.images[:1].sum().item()  # or else it would fail later
    except (RuntimeError, pickle.UnpicklingError) as error:
        logger.warning("Packs cannot be shared (%s); they are opened once more.", error)
        return {}
    return packs
