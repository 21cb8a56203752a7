"""Models by name, by folder and by file."""

import hashlib
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from fake import random_network
from masktrail.errors import InputError
from masktrail.families import create
from masktrail.prompts.colour import mask_by_colour
from masktrail.prompts.kinds import Box, Mask, Points
from masktrail.zoo import (
    CARDS,
    DEFAULT,
    NAMELESS_SIZE,
    PROMPTS,
    Card,
    load,
    load_prompter,
    weights_hash,
    weights_path,
)
from masktrail.zoo.fetch import sha256
from masktrail.zoo.files import siblings
from masktrail.zoo.headers import read_origin
from masktrail.zoo.weights import load_network, publish, save_network
from painted_videos import paint_clip

shipped = pytest.mark.parametrize("name", [n for n, card in CARDS.items() if card.files])


@pytest.fixture(scope="module")
def network():
    """One that nobody trained."""
    return random_network()


@pytest.fixture
def folder(tmp_path, network):
    """What training leaves."""
    save_network(tmp_path / "weights.safetensors", network, "memory", {})
    return tmp_path


def test_a_folder_and_a_file_are_models(folder):
    for model in (folder, str(folder), folder / "weights.safetensors"):
        tracker = load(model, "cpu", 128, settings={"capacity": 2, "top_k": 7})
        assert (tracker.size, str(tracker.propagator.device)) == (128, "cpu")
        assert tracker.propagator.bank.capacity == 2 and tracker.propagator.top_k == 7
    assert load(folder, "cpu").size == CARDS[DEFAULT].size


def test_a_network_of_another_version_is_told_so(tmp_path, network, monkeypatch):
    path = tmp_path / "later.safetensors"
    save_network(path, network, "transformer", {})
    with pytest.raises(InputError, match=r"network that this version does not know \(transformer"):
        load(path)


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


def test_a_precision_that_is_not_possible_is_refused(folder):
    with pytest.raises(InputError, match=r"int8 is not possible with the engine auto: write 8-bit"):
        load(folder, "cpu", precision="int8")
    with pytest.raises(
        InputError, match="No precision 'half'; there are auto, float, bfloat16, int8"
    ):
        load(folder, "cpu", precision="half")


@pytest.mark.parametrize("size", [10, 0, -5, 63, 10**6])
def test_a_size_that_cannot_be_meant_is_refused(folder, size):
    with pytest.raises(InputError, match=f"size of {size} is not possible; use 64 to 8192"):
        load(folder, "cpu", size)


@pytest.mark.parametrize("size", [288.5, "288", True])
def test_a_size_is_a_whole_number(folder, size):
    with pytest.raises(InputError, match=r"The working size .* is no integer; give one, as 1\."):
        load(folder, "cpu", size)
    made = load(folder, "cpu", np.int64(288))
    assert made.size == 288 and type(made.size) is int


@pytest.mark.parametrize("device", ["banana", "", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(folder, device):
    with pytest.raises(InputError, match=f"The device '{device}' is not available here"):
        load(folder, device)


def named(monkeypatch, folder, sha256: str) -> str:
    """Gives the weights in a folder a name of the zoo."""
    card = Card("a test", size=96, files={"weights.safetensors": sha256}, family="memory")
    monkeypatch.setitem(CARDS, "test", card)
    monkeypatch.setattr("masktrail.zoo.WEIGHTS", folder)
    return "test"


def test_weights_by_name_are_checked(folder, monkeypatch):
    right = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    name = named(monkeypatch, folder, right)
    assert load(name, "cpu").size == 96
    with (folder / "weights.safetensors").open("ab") as file:
        file.write(b"0")
    with pytest.raises(InputError, match=r"damaged or not the file published .*reinstall"):
        load(name, "cpu")


def test_missing_weights_are_told(folder, monkeypatch):
    name = named(monkeypatch, folder, "0" * 64)
    (folder / "weights.safetensors").unlink()
    with pytest.raises(InputError, match=r"weights\.safetensors are missing; looked in"):
        load(name, "cpu")


@pytest.fixture
def sharded(tmp_path, monkeypatch, network):
    """A named model in two shards, and their folder; those of the machine are out of the way."""
    monkeypatch.setattr("masktrail.zoo.WEIGHTS", tmp_path / "src" / "masktrail" / "weights")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MASKTRAIL_WEIGHTS", str(tmp_path / "weights"))
    (tmp_path / "weights").mkdir()
    files = publish(network, "memory", {}, tmp_path / "weights", "big", 3_000_000)
    card = Card("a test", size=96, files=files, settings={"capacity": 3}, family="memory")
    monkeypatch.setitem(CARDS, "big", card)
    return tmp_path / "weights"


def test_a_model_in_shards_is_loaded_by_name_and_by_file(sharded, network):
    first, second = sorted(sharded.iterdir())
    for model, size in (("big", 96), (first, CARDS[DEFAULT].size), (second, CARDS[DEFAULT].size)):
        tracker = load(model, "cpu")
        assert tracker.size == size
        weight = tracker.propagator.engine.network.keys.key.weight
        assert torch.allclose(weight, network.keys.key.weight, atol=2e-3)
    assert weights_path("big") == first


def test_the_hash_of_shards_tells_any_change(sharded):
    first, second = sorted(sharded.iterdir())
    hashes = "".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in (first, second))
    assert weights_hash(weights_path("big")) == hashlib.sha256(hashes.encode()).hexdigest()
    with second.open("ab") as file:
        file.write(b"0")
    assert weights_hash(first) != hashlib.sha256(hashes.encode()).hexdigest()
    with pytest.raises(InputError, match=r"big-00002-of-00002\.safetensors is damaged"):
        load("big", "cpu")
    second.unlink()
    with pytest.raises(InputError, match=r"big-00002-of-00002\.safetensors are missing"):
        load("big", "cpu")
    assert weights_hash(None) is None


def test_a_model_without_a_name_works_as_the_first_of_its_family(folder, monkeypatch):
    save_network(folder / "features.safetensors", create("labelprop"), "labelprop", {})
    assert load(folder / "features.safetensors", "cpu").size == CARDS["labelprop"].size
    cards = {size: Card("", size, settings={"capacity": 3}, family="memory") for size in (96, 160)}
    monkeypatch.setattr("masktrail.zoo.CARDS", {DEFAULT: Card("", 320, family="copy"), **cards})
    tracker = load(folder, "cpu")
    assert (tracker.size, tracker.propagator.bank.capacity) == (96, 3)
    tracker = load(folder, "cpu", 128, settings={"capacity": 2})
    assert (tracker.size, tracker.propagator.bank.capacity) == (128, 2)
    monkeypatch.setattr("masktrail.zoo.CARDS", {DEFAULT: Card("", 320, family="copy")})
    assert load(folder, "cpu").size == NAMELESS_SIZE, "no card of the family"


def test_a_trained_folder_is_published(folder, network):
    script = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "publish.py"))
    said = script["publish_model"](str(folder), "new", folder / "deep" / "weights")
    (file,) = (folder / "deep" / "weights").iterdir()
    assert file.name == "new-00001-of-00001.safetensors"
    assert f'"{file.name}": (\n        "{sha256(file)}"' in said
    assert f"parameters={CARDS['memory-s'].parameters:_}," in said
    assert load(file, "cpu").propagator.engine.network.config == network.config
    assert read_origin(file) == sha256(folder / "weights.safetensors"), "where it came from is told"
    assert read_origin(folder / "weights.safetensors") is None


@shipped
def test_shipped_weights_are_those_on_the_card(name):
    card = CARDS[name]
    path = weights_path(name)
    assert {file.name: sha256(file) for file in siblings(path)} == dict(card.files)
    assert all(file.stat().st_size <= 16e6 for file in siblings(path))
    network, _ = load_network(path)
    assert sum(p.numel() for p in network.parameters()) == card.parameters
    assert card.data and card.licence and (card.training or card.family == "labelprop")


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


PAINTED = paint_clip(1, (96, 64)).images[0]
MARKS = [Box(20, 10, 60, 50), Points([(40, 30), (5, 5)], [True, False])]


@pytest.fixture
def prompt_folder(tmp_path):
    """What training a prompt network leaves, before it learned anything."""
    torch.manual_seed(0)
    network = create(PROMPTS)
    with torch.no_grad():
        network.decoder.head.bias.fill_(5)  # all it sees is object
    (tmp_path / "prompt").mkdir()
    save_network(tmp_path / "prompt" / "weights.safetensors", network, PROMPTS, {})
    return tmp_path / "prompt"


def test_a_prompt_network_in_the_zoo_is_handed_to_the_tracker(folder, prompt_folder, monkeypatch):
    file = prompt_folder / "weights.safetensors"
    card = Card("a test", size=256, files={file.name: sha256(file)}, family=PROMPTS)
    monkeypatch.setitem(CARDS, PROMPTS, card)
    monkeypatch.setattr("masktrail.zoo.WEIGHTS", prompt_folder)
    tracker = load(folder, "cpu", 64)
    for object_id, mark in enumerate(MARKS, start=1):
        labels = tracker.step(PAINTED, {object_id: mark}).labels
        expected = load_prompter(prompt_folder, "cpu")(PAINTED, mark, None)
        np.testing.assert_array_equal(labels == object_id, expected)
        assert (expected != mask_by_colour(PAINTED, mark)).any()


def test_a_model_without_weights_makes_no_masks():
    with pytest.raises(
        InputError, match="'flow' is of the family 'flow', which makes no masks of boxes"
    ):
        load_prompter("flow", "cpu")(PAINTED, MARKS[0], None)


def test_prompt_weights_are_looked_for_when_the_first_box_or_click_comes(
    folder, tmp_path, monkeypatch
):
    card = Card("a test", size=256, files={"gone.safetensors": "0" * 64}, family=PROMPTS)
    monkeypatch.setitem(CARDS, PROMPTS, card)
    tracker = load(folder, "cpu", 64)
    tracker.step(PAINTED, {1: Mask(np.ones((64, 96), bool))})
    with pytest.raises(InputError, match=r"gone\.safetensors are missing"):
        tracker.step(PAINTED, {1: MARKS[1]})


def test_a_model_of_prompts_cannot_track_and_the_other_way_round(folder, prompt_folder):
    with pytest.raises(InputError, match=f"cannot track; name one that does, as {DEFAULT}"):
        load(prompt_folder, "cpu")
    with pytest.raises(
        InputError, match="family 'memory', which makes no masks of boxes and clicks; name one"
    ):
        load_prompter(folder, "cpu")(PAINTED, MARKS[0], None)
    with pytest.raises(InputError, match="There is no model 'nowhere'"):
        load_prompter("nowhere", "cpu")(PAINTED, MARKS[0], None)
