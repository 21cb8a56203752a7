"""The recipes for ten minutes of a GPU: they go on from what is published, and their networks come
back."""

from pathlib import Path

import pytest

import together
from gpu.results import expected_files
from masktrail.train.reading import read_recipe
from masktrail.train.trainer import schedule
from masktrail.zoo import CARDS, weights_path
from masktrail.zoo.headers import read_config
from travel import refuse_too_much

ROOT = Path(together.__file__).parents[1]
GPU, RELAY = ROOT / "recipes" / "gpu", ROOT / "recipes" / "relay"
NAMES = ("agunet", "lucid", "memory-s", "prompt", "siamese-unet", "siammask", "unet")


def test_every_network_we_train_has_one() -> None:
    assert sorted(path.stem for path in GPU.glob("*.toml")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_goes_on_from_the_published_weights(name: str) -> None:
    recipe = read_recipe(GPU / f"{name}.toml")
    assert recipe.init and ROOT / recipe.init == weights_path(name)
    assert read_config(ROOT / recipe.init) == (recipe.family, recipe.model)
    assert CARDS[name].family == recipe.family


@pytest.mark.parametrize("name", NAMES)
def test_its_rate_rises_for_a_fiftieth_and_falls_to_nothing(name: str) -> None:
    recipe = read_recipe(GPU / f"{name}.toml")
    assert recipe.warmup == 0.02 and not any(stage.lr for stage in recipe.stages)
    assert schedule(1, recipe.warmup) == pytest.approx(0, abs=1e-12)
    assert all(stage.batch >= 16 for stage in recipe.stages)
    assert 256 <= recipe.stages[-1].clips.size <= 384


@pytest.mark.parametrize("name", ["lucid", "memory-s", "siamese-unet", "siammask", "unet"])
def test_gaps_are_half_of_the_relays(name: str) -> None:
    """A bundle has every second frame of DAVIS."""
    there, here = (read_recipe(of / f"{name}.toml").stages for of in (GPU, RELAY))
    for setting in ("max_gap", "far"):
        most = [max(getattr(stage.clips, setting) for stage in stages) for stages in (there, here)]
        assert most[0] == -(-most[1] // 2), setting


@pytest.mark.parametrize("u_net", ["siamese-unet", "unet"])
def test_memory_s_and_a_u_net_come_back(u_net: str) -> None:
    files = expected_files({n: read_recipe(GPU / f"{n}.toml") for n in ("memory-s", u_net)})
    refuse_too_much(files)
