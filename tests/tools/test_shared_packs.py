"""Packs handed to other processes, as far as that can be seen without a GPU."""

import pickle
from dataclasses import replace
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import pytest
import torch

from gpu import shared_packs
from masktrail.data.pack import Pack, open_pack
from painted_sets import pack_stills


class OnGPU:
    """What stands in for a tensor in a GPU's memory; plain pickle does not know how to send it."""

    device = torch.device("cuda")

    def __getitem__(self, rows: slice) -> torch.Tensor:
        return torch.zeros(1)

    def __reduce__(self) -> None:
        raise TypeError("memory of a GPU is handed over, not copied")


def _handle(tensor: OnGPU) -> tuple[Any, tuple[()]]:
    return OnGPU, ()


ForkingPickler.register(OnGPU, _handle)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(pack_stills(tmp_path))


def on_gpu(folder: str) -> Pack:
    pixels: Any = OnGPU()
    return replace(open_pack(folder), images=pixels, labels=pixels)


def test_memory_maps_are_not_handed_over(folder: str) -> None:
    assert shared_packs.hand_over({folder: open_pack(folder)}) == b""
    assert shared_packs.take_over(b"") == {}


def test_what_lies_on_a_gpu_is(folder: str) -> None:
    there = on_gpu(folder)
    handed = shared_packs.hand_over({folder: there, "mapped": open_pack(folder)})
    taken = shared_packs.take_over(handed)
    assert list(taken) == [folder]
    assert taken[folder].sequences == there.sequences and taken[folder].objects == there.objects
    assert isinstance(taken[folder].images, OnGPU) and isinstance(taken[folder].labels, OnGPU)


def test_handing_over_takes_few_bytes(folder: str) -> None:
    """More than a pipe holds would keep the first process until the second has read it."""
    many = on_gpu(folder)
    many = replace(many, objects=many.objects * 20_000)
    assert len(pickle.dumps(many.objects)) > 2**16
    assert 0 < len(shared_packs.hand_over({folder: many})) < 2**12


def test_where_it_fails_packs_are_opened_anew(
    folder: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*how: object) -> None:
        raise RuntimeError("CUDA error: invalid resource handle")

    handed = shared_packs.hand_over({folder: on_gpu(folder)})
    monkeypatch.setattr(OnGPU, "__getitem__", refuse)
    assert shared_packs.take_over(handed) == {}
    assert shared_packs.take_over(b"garbage") == {}
    monkeypatch.setattr(shared_packs.ForkingPickler, "dumps", refuse)
    assert shared_packs.hand_over({folder: on_gpu(folder)}) == b""
    assert caplog.text.count("cannot be shared") == 3
    assert "invalid resource handle" in caplog.text
