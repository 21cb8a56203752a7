"""The benchmark of memory tells what steps keep, clip by clip."""

import runpy
from dataclasses import replace
from pathlib import Path

from masktrail.recipe import Recipe

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "step_memory.py"


def test_clips_of_twice_the_side_keep_four_times_as_much(recipe: Recipe) -> None:
    (only,) = recipe.stages
    large = replace(only, batch=8, clips=replace(only.clips, size=128))
    measure = runpy.run_path(str(SCRIPT))["measure"]
    small, large = measure(replace(recipe, stages=(replace(only, until=0.5), large)))
    assert 2.5 < large.clip / small.clip < 5
    assert large.total - small.total > 6 * large.clip
    assert 0 < small.fixed < 2**27
    assert str(large).split()[:4] == ["8", "of", "2", "at"]
