"""The benchmark of drawing measures every stage of a recipe."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from masktrail.recipe import Recipe

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "drawing.py"


def test_every_stage_has_its_line(recipe: Recipe) -> None:
    (only,) = recipe.stages
    stages = (replace(only, until=0.5), replace(only, batch=2))
    measure = runpy.run_path(str(SCRIPT))["measure"]
    times = list(measure(replace(recipe, stages=stages), torch.device("cpu"), 2))
    assert [t.stage for t in times] == list(stages)
    for t in times:
        assert str(t).startswith(f"{t.stage.batch} of 2 at 64")
        assert t.drawing > 0 and t.learning > 0
        share = 100 * t.drawing / (t.drawing + t.learning)
        assert float(str(t).split()[-1].rstrip("%")) == pytest.approx(share, abs=0.1)
