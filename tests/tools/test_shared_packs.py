"""Packs handed to other processes, as far as that can be seen without a GPU."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import shared_packs
from masktrail.data.pack import Pack, open_pack
from painted_sets import pack_stills


class OnGPU(SimpleNamespace):
    """What stands in for a tensor in a GPU's memory, the same on both sides."""

    device = torch.device("cuda")

    def __getitem__(self, rows: slice) -> torch.Tensor:
        return torch.zeros(1)


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return open_pack(pack_stills(tmp_path))


def on_gpu(pack: Pack) -> Pack:
    images: Any = OnGPU()
    return replace(pack, images=images)


def test_memory_maps_are_not_handed_over(pack: Pack) -> None:
    assert shared_packs.hand_over({"stills": pack}) == b""
    assert shared_packs.take_over(b"") == {}


def test_what_lies_on_a_gpu_is(pack: Pack) -> None:
    handed = shared_packs.hand_over({"stills": on_gpu(pack), "mapped": pack})
    taken = shared_packs.take_over(handed)
    assert list(taken) == ["stills"]
    assert taken["stills"].sequences == pack.sequences and taken["stills"].objects == pack.objects


def test_where_it_fails_packs_are_opened_anew(
    pack: Pack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*how: object) -> None:
        raise RuntimeError("CUDA error: invalid resource handle")

    handed = shared_packs.hand_over({"stills": on_gpu(pack)})
    monkeypatch.setattr(OnGPU, "__getitem__", refuse)
    assert shared_packs.take_over(handed) == {}
    assert shared_packs.take_over(b"garbage") == {}
    monkeypatch.setattr(OnGPU, "__reduce__", refuse)
    assert shared_packs.hand_over({"stills": on_gpu(pack)}) == b""
    assert caplog.text.count("cannot be shared") == 3
    assert "invalid resource handle" in caplog.text
