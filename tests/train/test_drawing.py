"""What a recipe draws from, and where that lies."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from masktrail.data.pack import Pack
from masktrail.errors import InputError
from masktrail.recipe import Recipe
from masktrail.train.drawing import open_packs, open_sampler

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A GPU that has the bytes free that are put here, and whose memory is `meta`."""
    has = {"free": 0}
    move = Pack.to
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (has["free"], has["free"]))
    monkeypatch.setattr(Pack, "to", lambda pack, device: move(pack, torch.device("meta")))
    return has


def homes(recipe: Recipe, device: torch.device) -> set[str]:
    sampler = open_sampler(recipe, device, 0)
    assert sampler.stills is not None
    return {pack.images.device.type for pack in (sampler.stills, *sampler.videos)}


def test_packs_are_moved_to_a_gpu_that_has_room_for_all(
    recipe: Recipe, gpu: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    assert homes(recipe, CPU) == {"cpu"}
    sampler = open_sampler(recipe, CPU, 0)
    assert sampler.stills is not None
    needed = sum(pack.nbytes for pack in (sampler.stills, *sampler.videos))
    assert needed == 4 * 60 * 96 * (6 + 12)
    gpu["free"] = 2 * needed
    assert homes(recipe, CUDA) == {"meta"} and not caplog.text
    gpu["free"] = needed
    with caplog.at_level(logging.WARNING):
        assert homes(recipe, CUDA) == {"cpu"}
    assert "clips are drawn on the CPU" in caplog.text


def test_photographs_and_videos_are_told_apart(recipe: Recipe) -> None:
    only = open_sampler(replace(recipe, stills=""), CPU, 0)
    assert only.stills is None and len(only.videos) == 1
    both = open_sampler(recipe, CPU, 0)
    assert both.stills is not None and len(both.stills.images) == 6
    assert [len(pack.images) for pack in both.videos] == [12]


def test_packs_that_are_open_are_not_opened_again(recipe: Recipe, gpu: dict[str, int]) -> None:
    """They stay where they are; what is missing is opened beside them."""
    gpu["free"] = 10**9
    ready = open_packs([recipe.stills], CUDA)
    sampler = open_sampler(recipe, CPU, 0, ready)
    assert sampler.stills is ready[recipe.stills]
    assert [pack.images.device.type for pack in sampler.videos] == ["cpu"]
    assert list(ready) == [recipe.stills], "what was handed in stays as it is"
    elsewhere = replace(recipe, stills="nowhere", videos=())
    assert open_sampler(elsewhere, CPU, 0, {"nowhere": ready[recipe.stills]}).stills


def test_what_is_no_pack_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a complete packed data set"):
        open_sampler(replace(recipe, videos=(str(tmp_path),)), CPU, 0)
