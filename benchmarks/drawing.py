"""How long drawing a batch of clips takes, beside the step that learns from it.

    python benchmarks/drawing.py [RECIPE ...] [--steps 15] [--device auto]

For every stage of each recipe (those of the relay, if none is named), whose packs have to be there:
medians over so many steps of the seconds that a batch takes to be drawn, and to be learned from
(both passes, AdamW and the average of the weights), and the share that drawing has in the whole.
Nothing is drawn ahead here, and a GPU is waited for after either, so that each has its own time.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch

from masktrail.data.synth import Clips
from masktrail.devices import choose_device
from masktrail.recipe import Recipe, Stage
from masktrail.train.drawing import draw
from masktrail.train.reading import read_recipe
from masktrail.train.trainer import Step, Trainer

RECIPES = Path("recipes/relay")
UNCOUNTED = 2
"""Steps before those that count."""


class Times(NamedTuple):
    """Medians of a stage, seconds."""

    stage: Stage
    drawing: float
    learning: float

    def __str__(self) -> str:
        how, share = self.stage.clips, self.drawing / (self.drawing + self.learning)
        clips = f"{self.stage.batch} of {how.frames} at {how.size}"
        return f"{clips:<16} {self.drawing:7.3f}s {self.learning:8.3f}s {share:6.1%}"


def measure(recipe: Recipe, device: torch.device, steps: int) -> Iterator[Times]:
    """Times of every stage, the network at random."""
    with TemporaryDirectory() as folder:
        trainer = Trainer(replace(recipe, init=None, workers=0), 60, Path(folder), device)
        module = Step(trainer.network, recipe.family)
        for stage in recipe.stages:
            yield _measure_stage(trainer, module, stage, steps)


def _measure_stage(trainer: Trainer, module: Step, stage: Stage, steps: int) -> Times:
    sampler, drawing, learning = trainer.loader.sampler, [], []
    assert sampler is not None  # no workers have it
    for _ in range(UNCOUNTED + steps):
        begun = time.perf_counter()
        clips = draw(sampler, stage)
        _wait(clips)
        between = time.perf_counter()
        trainer.learn(module, clips, stage).loss.item()
        drawing.append(between - begun)
        learning.append(time.perf_counter() - between)
    medians = (statistics.median(times[UNCOUNTED:]) for times in (drawing, learning))
    return Times(stage, *medians)


def _wait(clips: Clips) -> None:
    clips.images[0, 0, 0, 0, 0].item()


def main() -> None:
    """Parses the arguments, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", type=Path)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    print(f"{'recipe':<16} {'clips':<16} {'drawing':>8} {'learning':>9} {'share':>6}")
    for path in arguments.recipes or sorted(RECIPES.glob("*.toml")):
        for times in measure(read_recipe(path), choose_device(arguments.device), arguments.steps):
            print(f"{path.stem:<16} {times}", flush=True)


if __name__ == "__main__":
    main()
