"""Painted packs and a recipe so small that training on them takes a second."""

from pathlib import Path

import pytest

from masktrail.data.synth import ClipSettings
from masktrail.recipe import Recipe, Stage
from painted_sets import pack_stills, pack_videos

SMALL = {"key": 8, "value": 12, "hidden": 16, "stride8": 12, "stride4": 8}


@pytest.fixture(scope="session")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with `stills/pack` and `videos/pack`."""
    root = tmp_path_factory.mktemp("packs")
    pack_stills(root / "stills")
    pack_videos(root / "videos", frames=6)
    return root


@pytest.fixture
def recipe(packs: Path) -> Recipe:
    """A narrow memory network on clips of two frames of 64x64."""
    clips = ClipSettings(size=64, frames=2, max_gap=2)
    return Recipe(
        family="memory",
        model=SMALL,
        stills=str(packs / "stills" / "pack"),
        videos=(str(packs / "videos" / "pack"),),
        stages=(Stage(batch=1, clips=clips),),
        lr=1e-3,
        seed=3,
    )
