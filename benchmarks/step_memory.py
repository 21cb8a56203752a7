"""How much memory the steps of a recipe take, measured without a GPU.

    python benchmarks/step_memory.py RECIPE ...

For every stage of each recipe, whose packs have to be there: what one clip more keeps for the
backward pass, counted on the CPU in bfloat16; and all that a step of the whole batch keeps, with
what does not grow with it: weights, their copies in bfloat16, gradients, AdamW's two moments,
averaged weights. A GPU takes some more for its convolutions. Networks side by side take the sum.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch
from torch import Tensor

from masktrail.recipe import Recipe, Stage
from masktrail.train.drawing import draw
from masktrail.train.reading import read_recipe
from masktrail.train.trainer import Step, Trainer

COPIES = 5
"""Of every weight: itself, its gradient, two moments, its average."""

GIB = 2**30


class Kept(NamedTuple):
    """Bytes of a stage: what a clip keeps for the backward pass, and what is there whatever the
    batch."""

    stage: Stage
    clip: int
    fixed: int

    @property
    def total(self) -> int:
        """Of a whole batch."""
        return self.fixed + self.stage.batch * self.clip

    def __str__(self) -> str:
        how = self.stage.clips
        clips = f"{self.stage.batch} of {how.frames} at {how.size}"
        return f"{clips:<16} {self.clip / GIB:7.3f} {self.total / GIB:8.1f}"


def measure(recipe: Recipe) -> list[Kept]:
    """What the stages of a recipe keep, the network at random."""
    with TemporaryDirectory() as folder:
        bare = replace(recipe, init=None, workers=0)
        trainer = Trainer(bare, 1, Path(folder), torch.device("cpu"))
        module = Step(trainer.network, recipe.family)
        return [_measure_stage(trainer, module, stage) for stage in recipe.stages]


def _measure_stage(trainer: Trainer, module: Step, stage: Stage) -> Kept:
    single, double = (_kept(trainer, module, stage, batch) for batch in (1, 2))
    fixed = COPIES * sum(p.nbytes for p in trainer.network.parameters())
    return Kept(stage, double - single, fixed + 2 * single - double)


def _kept(trainer: Trainer, module: Step, stage: Stage, batch: int) -> int:
    """Bytes that a step of so many clips keeps for its backward pass."""
    sampler, sizes = trainer.loader.sampler, dict[int, int]()
    assert sampler is not None  # no workers have it
    weights = {p.untyped_storage().data_ptr() for p in trainer.network.parameters()}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    # clips of two targets take the most
    clips = draw(sampler, replace(stage, batch=batch, multiple=float(stage.multiple > 0)))
    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        torch.autocast("cpu", dtype=torch.bfloat16),
    ):
        module(clips, stage)
    return sum(sizes.values())


def main() -> None:
    """Parses the arguments, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="+", type=Path)
    arguments = parser.parse_args()
    print(f"{'recipe':<16} {'clips':<16} {'GiB/clip':>8} {'GiB':>7}")
    for path in arguments.recipes:
        for row in measure(read_recipe(path)):
            print(f"{path.stem:<16} {row}", flush=True)


if __name__ == "__main__":
    main()
