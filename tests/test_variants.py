"""Benchmarks of trainings: variants differ in one thing, and go on where stopped."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import agunets
import unets
import variants
from masktrail.data.prepare import prepare
from masktrail.recipe import Recipe
from masktrail.train.trainer import CHECKPOINT
from painted_sets import paint_stills, paint_videos
from variants import Table

TABLES = {"unets": unets.TABLE, "agunets": agunets.TABLE}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_variant_changes_what_it_says_and_nothing_else(table: Table) -> None:
    base = table.recipe()
    recipes = {of.name: table.recipe_of(of, base, 1500) for of in table.variants}
    assert len(recipes) == len(table.variants), "names are theirs alone"
    assert len(set(map(str, recipes.values()))) == len(recipes), "no two are the same"
    for variant in table.variants:
        recipe = recipes[variant.name]
        assert recipe.steps * recipe.stages[0].batch == 1500 and recipe.stages[0].until == 1
        if variant.against:
            other = recipes[variant.against]
            assert variants.changed(replace(other, steps=recipe.steps), variant.changes) == recipe
    assert recipes[table.base].seed != recipes[table.twin].seed


def test_variants_are_what_their_names_say() -> None:
    base = unets.TABLE.recipe()
    recipes = {of.name: unets.TABLE.recipe_of(of, base, 1500) for of in unets.TABLE.variants}
    assert [name for name, recipe in recipes.items() if recipe.init] == ["imagenet"]
    assert recipes["unet"].family == "unet" and recipes["classic"].model["variant"] == "classic"
    assert recipes["siamese-unet"].lr == recipes["siamese-unet"].encoder_lr

    base = agunets.TABLE.recipe()
    for name in ("topk-concat", "topk-replace", "xcorr-concat", "xcorr-replace"):
        (variant,) = (of for of in agunets.TABLE.variants if of.name == name)
        model = agunets.TABLE.recipe_of(variant, base, 1500).model
        assert f"{model['g']}-{model['fuse']}" == name


def test_what_two_seeds_differ_in_is_no_gain() -> None:
    table = unets.TABLE
    known = {of.name: of for of in table.variants}
    scores = {"siamese-unet": 0.30, "seed": 0.32, "unet": 0.25, "max": 0.315, "classic": 0.26}
    told = {name: table.gain(known[name], scores) for name in scores}
    assert told == {
        "siamese-unet": "",
        "seed": "(+0.020)",
        "unet": "-0.050",
        "max": "none (+0.015)",
        "classic": "none (+0.010)",
    }
    assert table.gain(known["max"], {"max": 0.3}) == ""
    assert table.gain(known["max"], {"max": 0.3, "siamese-unet": 0.25}) == "+0.050"


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
    small: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stage,) = small.stages
    clips = replace(stage.clips, size=64, frames=2, max_gap=2)
    base = replace(small, stages=(replace(stage, batch=2, multiple=0.0, clips=clips),))
    given = argparse.Namespace(
        data=tmp_path / "set", sequences=None, clips=4, out=tmp_path / "runs", only=None
    )
    wanted = ["siamese-unet", "seed", "max"]
    first = list(variants.rows(unets.TABLE, wanted, base, given))
    assert [row[0] for row in first] == wanted
    assert all(len(row) == len(variants.HEADINGS) and row[3] == "4" for row in first)
    told = [path.read_text() for path in tmp_path.glob("runs/*/*/masks/set/*/evaluate.json")]
    assert [json.loads(text)["settings"]["mirror"] for text in told] == [False] * 3
    folder = tmp_path / "runs" / "4-clips" / "max"
    assert not (folder / CHECKPOINT).exists()
    before = (folder / "weights.safetensors").stat().st_mtime_ns
    monkeypatch.setattr(variants, "train", None)
    assert list(variants.rows(unets.TABLE, wanted, base, given)) == first
    assert (folder / "weights.safetensors").stat().st_mtime_ns == before


def test_a_training_that_was_stopped_goes_on(
    small: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stage,) = small.stages
    clips = replace(stage.clips, size=64, frames=2, max_gap=2)
    stages = (replace(stage, batch=2, multiple=0.0, clips=clips),)
    recipe, real = replace(small, stages=stages, steps=3), variants.train

    with monkeypatch.context() as patch:
        patch.setattr(variants, "MINUTES", 1e-9)
        with pytest.raises(SystemExit, match="the same command goes on with out"):
            variants.trained(recipe, tmp_path / "out")
    assert (tmp_path / "out" / CHECKPOINT).is_file()
    resumed = []

    def train(*how: Any, resume: bool, overwrite: bool) -> Path:
        resumed.append(resume)
        return real(*how, resume=resume, overwrite=overwrite)

    monkeypatch.setattr(variants, "train", train)
    variants.trained(recipe, tmp_path / "out")
    assert resumed == [True] and not (tmp_path / "out" / CHECKPOINT).exists()
