"""Models by name, by folder and by file."""

import hashlib

import numpy as np
import pytest

from fake import random_network
from masktrail.errors import InputError
from masktrail.models.weights import save_network
from masktrail.types import Mask
from masktrail.zoo import CARDS, DEFAULT, Card, load, weights_hash, weights_path
from painted_videos import paint_clip

shipped = pytest.mark.parametrize("name", [n for n, card in CARDS.items() if card.file])


@pytest.fixture
def folder(tmp_path):
    """What training leaves."""
    save_network(tmp_path / "weights.safetensors", random_network(), "memory", {})
    return tmp_path


def test_a_folder_and_a_file_are_models(folder):
    for model in (folder, str(folder), folder / "weights.safetensors"):
        tracker = load(model, "cpu", 128, capacity=2, top_k=7)
        assert (tracker.size, str(tracker.propagator.device)) == (128, "cpu")
        assert tracker.propagator.bank.capacity == 2 and tracker.propagator.bank.top_k == 7
    assert load(folder, "cpu").size == CARDS[DEFAULT].size


def test_an_unknown_model_is_refused_with_those_known(tmp_path):
    for model in ("memory-xxl", tmp_path, tmp_path / "none", "x" * 1000, "a\0b", ""):
        with pytest.raises(InputError, match=f"no model .*known are.*{DEFAULT}"):
            load(model)


@pytest.mark.parametrize("content", [b"", b"not weights", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_file_that_holds_no_network_is_refused(tmp_path, content):
    (tmp_path / "weights.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=r"weights\.safetensors"):
        load(tmp_path)


def test_a_cut_weights_file_is_refused(folder):
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(InputError, match="not a complete safetensors file"):
        load(folder)


@pytest.mark.parametrize("size", [10, 0, -5, 63])
def test_a_size_too_small_is_refused(folder, size):
    with pytest.raises(InputError, match=f"size of {size} is too small; use 64 or more"):
        load(folder, "cpu", size)


@pytest.mark.parametrize("device", ["banana", "", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(folder, device):
    with pytest.raises(InputError, match=f"The device '{device}' is not available here"):
        load(folder, device)


def named(monkeypatch, folder, sha256: str) -> str:
    """Gives the weights in a folder a name of the zoo."""
    card = Card("memory", "a test", size=96, file="weights.safetensors", sha256=sha256)
    monkeypatch.setitem(CARDS, "test", card)
    monkeypatch.setattr("masktrail.zoo.WEIGHTS", folder)
    return "test"


def test_weights_by_name_are_checked(folder, monkeypatch):
    right = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    name = named(monkeypatch, folder, right)
    assert load(name, "cpu").size == 96
    with (folder / "weights.safetensors").open("ab") as file:
        file.write(b"0")
    with pytest.raises(InputError, match="not those published; reinstall"):
        load(name, "cpu")


def test_missing_weights_are_told(folder, monkeypatch):
    name = named(monkeypatch, folder, "0" * 64)
    (folder / "weights.safetensors").unlink()
    with pytest.raises(InputError, match="are missing; reinstall"):
        load(name, "cpu")


@shipped
def test_shipped_weights_are_those_on_the_card(name):
    card = CARDS[name]
    path = weights_path(name)
    assert weights_hash(path) == card.sha256
    assert path.stat().st_size <= 16e6
    network = load(name, "cpu").propagator.network
    assert sum(p.numel() for p in network.parameters()) == card.parameters
    assert card.data and card.licence


def test_the_default_model_tracks_painted_discs():
    clip = paint_clip(10, (320, 240))
    tracker, scores = load(DEFAULT, "cpu"), []
    for t, (image, truth) in enumerate(zip(clip.images, clip.labels, strict=True)):
        masks = {i: Mask(truth == i) for i in (1, 2)} if t == 0 else None
        labels = tracker.step(image, masks).labels
        for i in (1, 2):
            one, two = labels == i, truth == i
            scores.append((one & two).sum() / (one | two).sum())
    assert np.mean(scores[2:]) > 0.8
