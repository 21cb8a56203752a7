"""Recipes: what is read, and what is refused with which words."""

import re
from dataclasses import fields, replace
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masktrail.data.synth import ClipSettings
from masktrail.errors import InputError
from masktrail.families.prompt.training import ClickSettings
from masktrail.families.unet.training import PairSettings
from masktrail.recipe import Recipe, Stage
from masktrail.train.reading import read_recipe
from masktrail.zoo import weights_path
from masktrail.zoo.headers import read_config

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "recipes").rglob("*.toml"))


UNET, PROMPT = (f'family = "{name}"\n[[stages]]\n' for name in ("unet", "prompt"))


def written(tmp_path: Path, text: str) -> Path:
    """A recipe's file; of the memory network, if it does not say."""
    if "family" not in text:
        text = f'family = "memory"\n{text}'
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    return path


def test_there_are_recipes() -> None:
    assert RECIPES


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_reads(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.stages[-1].until == 1
    assert recipe.stage(0) is recipe.stages[0]


def test_the_recipe_in_the_docs_reads_and_starts_from_what_there_is(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "training.md").read_text()
    block = page.split("with `mine.toml`", 1)[1].split("\n\n", 1)[1].split("\n`scores.csv`", 1)[0]
    recipe = read_recipe(written(tmp_path, dedent(block)))
    assert recipe.held_out == "packs/mine/held-out" and recipe.stages[0].batch == 4
    assert recipe.init == "memory-s"
    path = weights_path(recipe.init)
    assert path and read_config(path) == (recipe.family, recipe.model)


def test_the_recipe_in_the_readme_needs_nothing_but_what_the_readme_makes() -> None:
    page = (ROOT / "README.md").read_text()
    recipes = re.findall(r"masktrail train (recipes/\S+)", page)
    assert recipes
    for name in recipes:
        recipe = read_recipe(ROOT / name)
        made = re.findall(r"masktrail prepare \w+ \w+ (packs/\S+)", page)
        assert set(recipe.packs) <= set(made), name
        path = weights_path(recipe.init or "")
        assert path and read_config(path) == (recipe.family, recipe.model), name


@pytest.mark.parametrize("folder", ["relay", "gpu"])
def test_the_recipes_of_the_u_nets_differ_in_their_networks_alone(folder: str) -> None:
    found = {p.stem: read_recipe(p) for p in RECIPES if p.parent.name == folder}
    unet, siamese = found["unet"], found["siamese-unet"]
    assert (unet.family, siamese.family) == ("unet", "siamese-unet")
    own = {"family": "", "model": {}, "init": None, "encoder_lr": 0.0}
    assert replace(unet, **own) == replace(siamese, **own)


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("{ wdth = 4 }", "unknown field wdth; UNetConfig has"),
        ("{ width = 'wide' }", "width = 'wide'"),
    ],
)
def test_what_a_network_has_not_is_refused(tmp_path: Path, model: str, found: str) -> None:
    path = written(tmp_path, f"family = 'unet'\nmodel = {model}\n")
    with pytest.raises(InputError, match=found):
        read_recipe(path)


def test_an_empty_recipe_is_the_defaults(tmp_path: Path) -> None:
    assert read_recipe(written(tmp_path, "")) == Recipe(family="memory")


def test_a_recipe_knows_its_packs() -> None:
    recipe = Recipe(stills="s", videos=("a", "b"), held_out="h")
    assert (recipe.trained_on, recipe.packs) == (["s", "a", "b"], ["s", "a", "b", "h"])
    bare = replace(recipe, stills="", held_out="")
    assert bare.trained_on == bare.packs == ["a", "b"]


def test_fields_of_every_level_are_read(tmp_path: Path) -> None:
    text = """
    lr = 1
    model = { key = 32 }
    init = "w.safetensors"
    videos = ["a", "b"]
    frozen = ["encoder.conv1"]
    [[stages]]
    until = 0.5
    clips = { size = 128, frames = 4 }
    [[stages]]
    batch = 2
    """
    recipe = read_recipe(written(tmp_path, text))
    assert recipe == Recipe(
        family="memory",
        lr=1,
        model={"key": 32},
        init="w.safetensors",
        videos=("a", "b"),
        frozen=("encoder.conv1",),
        stages=(Stage(until=0.5, clips=ClipSettings(size=128, frames=4)), Stage(batch=2)),
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("learning_rate = 1.0", Recipe),
        ("[[stages]]\nlearning_rate = 1.0", Stage),
        ("[[stages]]\nclips = { learning_rate = 1.0 }", ClipSettings),
        (UNET + "pair = { learning_rate = 1.0 }", PairSettings),
        (PROMPT + "click = { learning_rate = 1.0 }", ClickSettings),
    ],
)
def test_unknown_fields_are_refused_with_those_there_are(
    tmp_path: Path, text: str, kind: type
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as refusal:
        read_recipe(path)
    known = ", ".join(field.name for field in fields(kind) if field.name != "own")
    expected = f"{path}: unknown field learning_rate; {kind.__name__} has {known}."
    assert str(refusal.value) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('lr = "fast"', "lr = 'fast'; expected such as 0.0003"),
        ("lr = true", "lr = True; expected such as 0.0003"),
        ("init = 3", "init = 3; expected such as None"),
        ('frozen = "encoder"', r"frozen = 'encoder'; expected such as \(\)"),
        ("[[stages]]\nbatch = 1.5", "batch = 1.5; expected such as 8"),
        ("stages = []", r"stages end \(`until`\) at \[\]"),
        ("[[stages]]\nuntil = 0.5", r"at \[0.5\]; expected ascending shares, the last 1"),
        ("[[stages]]\nuntil = 0.5\n[[stages]]\nuntil = 0.2\n[[stages]]", "expected ascending"),
        ("[[stages]]\nclips = { size = 100 }", "clips of size 100; expected a multiple of 16"),
        ("[[stages]]\nclips = { frames = 1 }", "8 clips of 1 frames"),
        ("[[stages]]\nbatch = 0", "0 clips of 3 frames"),
        ("videos = []", "wants real motion"),
        ('stills = ""', "wants photographs"),
        ('videos = ["a"]\nheld_out = "a"', "held_out = 'a', which is one of `videos` as well"),
        ("shares = [1.0]", r"shares = \[1.0\]; expected one above 0 for each"),
        ("shares = [1.0, 0.0]", r"expected one above 0 for each"),
        ('family = "telepathy"', "family = 'telepathy'; there are agunet, lucid, memory"),
        ('family = "siamese-unet"\n[[stages]]\nclips = { size = 144 }', "a multiple of 32"),
        (
            'family = "unet"\n[[stages]]\npair = { loss = "l1" }',
            "loss = 'l1', empty = 'bce'; expected one of dice",
        ),
        (
            'family = "unet"\n[[stages]]\npair = { empty = "no" }',
            "empty = 'no'; expected one of dice, bce",
        ),
        (PROMPT + "clips = { frames = 0 }", "0 frames; expected 1 of 1 or"),
        (
            'family = "prompt"\n[[stages]]\nclick = { box = 0.7, mask = 0.4 }',
            "box = 0.7, mask = 0.4; expected shares",
        ),
        (PROMPT + "click = { mask = -0.1 }", "mask = -0.1; expected such as"),
        (
            'family = "prompt"\n[[stages]]\nclick = { rounds = -1 }',
            "rounds = -1; expected such as 3",
        ),
        ("[[stages]]\npair = { corrupt = 0.1 }", "unknown field pair; Stage has .*lr, clips[.]"),
        (
            'family = "unet"\n[[stages]]\nown = 1',
            "unknown field own; Stage has .*lr, clips, pair[.]",
        ),
        ('family = "labelprop"', "family = 'labelprop'; there are agunet, lucid, memory"),
        ("# family", "no family is named; there are agunet, lucid, memory"),
        ("lr = -1e-4", "lr = -0.0001"),
        ("lr = nan", "lr = nan"),
        ("warmup = inf", "warmup = inf"),
        ("steps = -1", "steps = -1"),
        ("[[stages]]\nclips = { max_gap = 0 }", "max_gap = 0, objects = 1; expected 1 or more"),
        ("[[stages]]\nclips = { objects = 0 }", "max_gap = 12, objects = 0; expected 1 or more"),
        ("[[stages]]\nclips = { max_gap = -1 }", "max_gap = -1; expected such as 12"),
        ("[[stages]]\nclips = { room = [3.5] }", r"room = \(3.5,\); expected such as \(1.2, 2.6\)"),
        ("[[stages]]\nclips = { room = [3, 2] }", r"room = \[3, 2\]; expected two numbers of 1"),
        ("stages = 3", "stages = 3; expected tables"),
        ("stages = [3]", "found 3 where the fields of Stage belong"),
        ("[[stages]]\nclips = 3", "found 3 where the fields of ClipSettings belong"),
        ('shares = ["x", 1]', r"shares = \('x', 1\)"),
        ("shares = [nan, 1]", r"shares = \(nan, 1\)"),
        ("videos = [1]", r"videos = \(1,\)"),
        ("frozen = [[1]]", "frozen ="),
        ("seed = 99999999999999999999999", "seed = 9"),
        ("model = 1", "model = 1"),
        ('family = "unet"\nmodel = { width = 0 }', "width = 0; expected 1 or more"),
        ("ema = 2", "ema = 2; expected a share of 1"),
        ("warmup = 5.0", "warmup = 5; expected a share of 1"),
        ("[[stages]]\nreal = 7.0", "real = 7; expected a share of 1"),
        ("[[stages]]\nkeep = 0.0", "keep = 0; expected a share of 1"),
        (
            'family = "unet"\n[[stages]]\npair = { teacher = 4.0 }',
            "teacher = 4; expected a share of 1",
        ),
        ("clip_norm = 0.0", "clip_norm = 0, which would leave nothing"),
        ("a = = 1", "is not a TOML file"),
    ],
)
def test_values_without_sense_are_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_recipe(written(tmp_path, text))


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_recipe(tmp_path / "nowhere.toml")
    with pytest.raises(InputError, match="cannot be read"):
        read_recipe(tmp_path)
    (tmp_path / "picture.toml").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(InputError, match="is not a TOML file"):
        read_recipe(tmp_path / "picture.toml")


@given(st.floats(0, 1))
def test_a_stage_is_in_force_until_its_end(progress: float) -> None:
    stages = tuple(Stage(until=until) for until in (0.25, 0.5, 1.0))
    stage = Recipe(stages=stages).stage(progress)
    assert stage.until == (0.25 if progress < 0.25 else 0.5 if progress < 0.5 else 1.0)
