"""Weights made again from the lines of the log."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

import relay
from masktrail.errors import InputError
from relay_log import Leg
from remake import remake


def run_git(*arguments: str) -> None:
    author = ["-c", "user.name=painter", "-c", "user.email=painter@example.org"]
    subprocess.run(["git", *author, *arguments], check=True, capture_output=True)


@pytest.fixture
def legs(tree: Path) -> list[Leg]:
    """Two legs; the recipe was changed between them, and git knows what it was."""
    recipe = tree / "recipes" / "relay" / "small.toml"
    run_git("init", "-q")
    run_git("add", "recipes")
    run_git("commit", "-qm", "recipe")
    first = relay.run_leg("small", 0.2, lambda: False)
    recipe.write_text(recipe.read_text().replace("batch = 2", "batch = 3"))
    return [first, relay.run_leg("small", 0.2, lambda: False)]


def steps_and_clips(folder: Path) -> tuple[int, int]:
    last = (folder / "log.csv").read_text().splitlines()[-1].split(",")
    return int(last[1]), int(last[2])


def test_a_chain_is_made_again_from_its_lines(legs: list[Leg], tmp_path: Path) -> None:
    out = tmp_path / "again"
    made = list(remake(legs, out))
    assert made == [(leg, out / leg.after[:12]) for leg in legs]
    for leg, folder in made:
        assert steps_and_clips(folder) == (leg.steps, leg.clips)
    assert [leg.clips // leg.steps for leg in legs] == [2, 3], "each by its own recipe"
    rows = (made[0][1] / "log.csv").read_text()
    assert list(remake(legs, out)) == made
    assert (made[0][1] / "log.csv").read_text() == rows, "what is finished is kept"


def test_a_recipe_that_nobody_has_is_refused(legs: list[Leg], tmp_path: Path) -> None:
    unknown = replace(legs[0], recipe_sha256="0" * 64)
    with pytest.raises(InputError, match="Neither the files here nor git's history"):
        list(remake([unknown], tmp_path / "again"))


def test_weights_that_no_leg_made_have_to_be_given(legs: list[Leg], tmp_path: Path) -> None:
    out = tmp_path / "again"
    with pytest.raises(InputError, match=f"begins with weights {legs[0].after}.*--start"):
        list(remake(legs[1:], out))
    start = Path("runs/relay/small/leg-1/weights.safetensors")
    other = Path("runs/relay/small/leg-2/weights.safetensors")
    with pytest.raises(InputError, match=r"leg-2/weights\.safetensors is none of them"):
        list(remake(legs[1:], out, other))
    assert len(list(remake(legs[1:], out, start))) == 1
