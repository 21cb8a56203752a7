"""What a recipe's clips are drawn from, and which are drawn."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace

import torch

from masktrail.data.held_out import refuse_held_out
from masktrail.data.pack import Pack, open_pack
from masktrail.data.synth import Clips, ClipSampler
from masktrail.dreams.clips import dreamt_batch
from masktrail.recipe import Recipe, Stage

log = logging.getLogger(__name__)

ROOM = 0.6
"""Share of a GPU's free memory that packs may take; the rest is the network's."""


def open_sampler(
    recipe: Recipe, device: torch.device, seed: int, packs: Mapping[str, Pack] | None = None
) -> ClipSampler:
    """A sampler of the recipe's packs.

    Args:
        recipe: names them.
        device: where they are to lie, see `open_packs`.
        seed: of the clips.
        packs: those of them that are open already, by folder; they stay where they are.

    Raises:
        InputError: a pack cannot be used, holds a sequence that models are measured on, or nothing
            that a stage could draw.
    """
    ready = dict(packs or {})
    ready |= open_packs([folder for folder in recipe.trained_on if folder not in ready], device)
    stills = ready[recipe.stills] if recipe.stills else None
    sampler = ClipSampler(stills, [ready[folder] for folder in recipe.videos], seed, recipe.shares)
    for stage in recipe.stages:
        sampler.require(stage.clips, stills=stage.real < 1, videos=stage.real > 0)
    return sampler


def open_packs(folders: Iterable[str], device: torch.device) -> dict[str, Pack]:
    """Packs by folder.

    They are moved to `device` whole, so that training never waits for the host, unless they are too
    large for it. On the CPU they stay memory maps.

    Raises:
        InputError: a pack cannot be used, or holds a sequence that models are measured on.
    """
    return _placed({folder: _open(folder) for folder in folders}, device)


def draw(sampler: ClipSampler, stage: Stage) -> Clips:
    """A batch of a stage: photographs set in motion or dreamt of, or real motion; one or two
    targets."""
    real, multiple = torch.rand(2, generator=sampler.generator).tolist()
    settings = replace(stage.clips, objects=2 if multiple < stage.multiple else 1)
    if real < stage.real:
        return sampler.video_batch(stage.batch, settings)
    if stage.dreams and float(torch.rand((), generator=sampler.generator)) < stage.dreams:
        return dreamt_batch(sampler, stage.batch, settings)
    return sampler.stills_batch(stage.batch, settings)


def _open(folder: str) -> Pack:
    pack = open_pack(folder)
    refuse_held_out((sequence.name for sequence in pack.sequences), folder)
    return pack


def _placed(packs: dict[str, Pack], device: torch.device) -> dict[str, Pack]:
    """The packs on `device`, or as they are where there is no room for them."""
    if device.type == "cpu":
        return packs
    if device.type == "cuda":
        size, free = sum(pack.nbytes for pack in packs.values()), torch.cuda.mem_get_info(device)[0]
        if size > ROOM * free:
            log.warning(
                "The packs take %.1f GB and %s has %.1f GB free: clips are drawn on the CPU.",
                size / 1e9,
                device,
                free / 1e9,
            )
            return packs
    return {folder: pack.to(device) for folder, pack in packs.items()}
