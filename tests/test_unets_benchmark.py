"""The benchmark of the report's claim: variants differ in one thing, and go on where stopped."""

import argparse
import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from masktrail.data.prepare import prepare
from masktrail.recipe import Recipe
from masktrail.train.trainer import CHECKPOINT
from painted_sets import paint_stills, paint_videos

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "unets.py"


@pytest.fixture(scope="module")
def unets() -> ModuleType:
    spec = importlib.util.spec_from_file_location("unets", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


def test_every_variant_changes_what_it_says_and_nothing_else(unets: ModuleType) -> None:
    base = unets.base_recipe()
    recipes = {of.name: unets.recipe_of(of, base, 1500) for of in unets.VARIANTS}
    assert len(recipes) == len(unets.VARIANTS), "names are theirs alone"
    assert len(set(map(str, recipes.values()))) == len(recipes), "no two are the same"
    for variant in unets.VARIANTS:
        recipe = recipes[variant.name]
        assert recipe.steps * recipe.stages[0].batch == 1500 and recipe.stages[0].until == 1
        assert (recipe.init is None) == (variant.name != "imagenet")
        if variant.against:
            other = recipes[variant.against]
            assert unets.changed(replace(other, steps=recipe.steps), variant.changes) == recipe
    assert recipes["unet"].family == "unet" and recipes["classic"].model["variant"] == "classic"
    assert recipes["siamese-unet"].lr == recipes["siamese-unet"].encoder_lr


def test_what_two_seeds_differ_in_is_no_gain(unets: ModuleType) -> None:
    known = {of.name: of for of in unets.VARIANTS}
    scores = {"siamese-unet": 0.30, "seed": 0.32, "unet": 0.25, "max": 0.315, "classic": 0.26}
    told = {name: unets.gain(known[name], scores) for name in scores}
    assert told == {
        "siamese-unet": "",
        "seed": "(+0.020)",
        "unet": "-0.050",
        "max": "none (+0.015)",
        "classic": "none (+0.010)",
    }
    assert unets.gain(known["max"], {"max": 0.3}) == ""
    assert unets.gain(known["max"], {"max": 0.3, "siamese-unet": 0.25}) == "+0.050"


@pytest.fixture
def small(tmp_path: Path) -> Recipe:
    prepare("stills", paint_stills(tmp_path / "stills"), tmp_path / "packs" / "stills", "64x64")
    paint_videos(tmp_path / "set", ("a", "b"), 4)
    prepare("davis", tmp_path / "set", tmp_path / "packs" / "videos", "64x64")
    return Recipe(
        family="siamese-unet",
        model={"width": 4},
        stills=str(tmp_path / "packs" / "stills"),
        videos=(str(tmp_path / "packs" / "videos"),),
    )


def test_what_is_trained_is_not_trained_again(
    unets: ModuleType, small: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stage,) = small.stages
    clips = replace(stage.clips, size=64, frames=2, max_gap=2)
    base = replace(small, stages=(replace(stage, batch=2, multiple=0.0, clips=clips),))
    given = argparse.Namespace(
        data=tmp_path / "set", sequences=None, clips=4, out=tmp_path / "runs", only=None
    )
    wanted = [of for of in unets.VARIANTS if of.name in ("siamese-unet", "seed", "max")]
    first = list(unets.rows(wanted, base, given))
    assert [row[0] for row in first] == ["siamese-unet", "seed", "max"]
    assert all(len(row) == len(unets.HEADINGS) and row[3] == "4" for row in first)
    told = [path.read_text() for path in tmp_path.glob("runs/*/*/masks/set/*/evaluate.json")]
    assert [json.loads(text)["settings"]["mirror"] for text in told] == [False] * 3
    folder = tmp_path / "runs" / "4-clips" / "max"
    assert not (folder / CHECKPOINT).exists()
    before = (folder / "weights.safetensors").stat().st_mtime_ns
    monkeypatch.setattr(unets, "train", None)
    assert list(unets.rows(wanted, base, given)) == first
    assert (folder / "weights.safetensors").stat().st_mtime_ns == before


def test_a_training_that_was_stopped_goes_on(
    unets: ModuleType, small: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stage,) = small.stages
    clips = replace(stage.clips, size=64, frames=2, max_gap=2)
    stages = (replace(stage, batch=2, multiple=0.0, clips=clips),)
    recipe, real = replace(small, stages=stages, steps=3), unets.train

    with monkeypatch.context() as patch:
        patch.setattr(unets, "MINUTES", 1e-9)
        with pytest.raises(SystemExit, match="the same command goes on with out"):
            unets.trained(recipe, tmp_path / "out")
    assert (tmp_path / "out" / CHECKPOINT).is_file()
    resumed = []
    monkeypatch.setattr(
        unets, "train", lambda *how, resume: resumed.append(resume) or real(*how, resume=resume)
    )
    unets.trained(recipe, tmp_path / "out")
    assert resumed == [True] and not (tmp_path / "out" / CHECKPOINT).exists()
