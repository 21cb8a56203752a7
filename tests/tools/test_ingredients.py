"""What the recipes of the relay and of the GPU name is there to be made."""

from dataclasses import replace
from pathlib import Path

import pytest

import ingredients
from ingredients import CLIPS_SPLIT, DATA, PACKS, ROOT
from masktrail.data.pack import open_pack
from masktrail.data.split import SplitSettings, split_videos
from masktrail.errors import InputError
from masktrail.recipe import Recipe
from masktrail.train.reading import read_recipe
from painted_sets import paint_videos

RECIPES = sorted(path for room in ("relay", "gpu") for path in ROOT.glob(f"recipes/{room}/*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_recipe_names_packs_that_are_made_and_one_that_it_is_scored_on(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.held_out
    assert set(recipe.packs) <= set(PACKS)


def test_both_packs_of_a_split_are_made_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paint_videos(tmp_path / "clips", ("hall-1", "hall-2", "birds-1"), 2)
    monkeypatch.setattr(ingredients, "DATA", tmp_path)
    monkeypatch.chdir(tmp_path)
    recipe = Recipe(
        stills="", videos=("packs/clips-apart/train",), held_out="packs/clips-apart/held-out"
    )
    ingredients.make_missing(recipe)
    packs = [open_pack(name) for name in recipe.packs]
    assert [{s.name for s in pack.sequences} for pack in packs] == [
        {"hall-1", "hall-2"},
        {"birds-1"},
    ]
    assert packs[0].images.shape[1:] == (240, 427, 3)
    for name in ("packs/mine/train", "packs/stills/train"):
        with pytest.raises(InputError, match=f"no pack {name}; known are packs/stills"):
            ingredients.make_missing(replace(recipe, stills=name))


@pytest.mark.data
def test_no_recording_of_the_clips_is_on_both_sides() -> None:
    clips = DATA / "clips" / "JPEGImages"
    if not clips.is_dir():
        pytest.skip(f"needs the data set {clips.parent}; set MASKTRAIL_DATA")
    names = {path.name for path in clips.iterdir()}
    held_out = split_videos(names, SplitSettings(**CLIPS_SPLIT))
    assert len(names) == 27 and len(held_out) == 5

    def recordings(of: set[str]) -> set[str]:
        return {name.rpartition("-")[0] or name for name in of}

    assert not recordings(held_out) & recordings(names - held_out)
