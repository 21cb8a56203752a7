"""int8 and shards: what comes back is near, what must be exact is exact, no shard is too large."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import nn

from masktrail.errors import InputError
from masktrail.families import KNOWN, create
from masktrail.tracking.family import Family
from masktrail.zoo.files import siblings
from masktrail.zoo.headers import read_config
from masktrail.zoo.storage import SCALE, compact, quantise, restore, split
from masktrail.zoo.weights import initialise, load_network, publish, save_network


@dataclass(frozen=True)
class TinyConfig:
    width: int = 24


class Tiny(nn.Module):
    """A bit of everything that is stored in a way of its own."""

    def __init__(self, config: TinyConfig) -> None:
        super().__init__()
        w = config.width
        self.conv = nn.Conv2d(3, w, 7)
        self.norm = nn.BatchNorm2d(w)
        self.up = nn.ConvTranspose2d(w, 2 * w, 3)
        self.linear = nn.Linear(2 * w, w)
        self.small = nn.Conv2d(w, 2, 1)
        self.register_buffer("table", torch.arange(4096.0).view(64, 64) / 4096)
        self.register_buffer("flags", torch.tensor([True, False]))


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Tiny:
    """A network whose channels differ much in size, with a batch norm that has seen batches."""
    tiny = Family("tiny", network=lambda: Tiny, config=lambda: TinyConfig)
    monkeypatch.setitem(KNOWN, "tiny", tiny)
    torch.manual_seed(0)
    network = Tiny(TinyConfig(32))
    with torch.no_grad():
        network.conv.weight *= torch.logspace(-4, 2, 32).view(-1, 1, 1, 1)
        network.up.weight *= torch.logspace(-4, 2, 64).view(1, -1, 1, 1)
        network.norm.num_batches_tracked.fill_(2**40 + 1)
        network.norm.running_var.uniform_(0.1, 9)
    return network


LIMIT = 25_000
"""Bytes of a shard; the network takes two."""


def publish_tiny(network: Tiny, folder: Path) -> list[Path]:
    files = publish(network, "tiny", {"width": 32}, folder, "tiny-s", LIMIT)
    return [folder / name for name in files]


def channels(tensor: torch.Tensor, axis: int) -> torch.Tensor:
    return tensor.movedim(axis, 0).flatten(1)


@pytest.mark.parametrize(("name", "axis"), [("conv", 0), ("up", 1), ("linear", 0)])
def test_each_output_channel_has_its_own_scale(network: Tiny, name: str, axis: int) -> None:
    state = quantise(network)
    stored, weight = state[f"{name}.weight"], getattr(network, name).weight.detach()
    assert stored.dtype == torch.int8 and state[f"{name}.weight{SCALE}"].dtype == torch.float32
    largest = channels(weight, axis).abs().amax(1)
    assert torch.allclose(state[f"{name}.weight{SCALE}"].flatten(), largest / 127)
    assert (channels(stored, axis).abs().amax(1) == 127).all()
    off = channels(restore(state)[f"{name}.weight"] - weight, axis).abs().amax(1)
    assert (off <= largest / 127 * 0.5001).all()


def test_what_is_small_or_no_weight_is_not_quantised(network: Tiny) -> None:
    state = quantise(network)
    kept = {name: tensor for name, tensor in compact(network).items() if name + SCALE not in state}
    assert {"small.weight", "table", "conv.bias", "norm.running_var", "flags"} <= kept.keys()
    for name, tensor in kept.items():
        assert torch.equal(state[name], tensor) and state[name].dtype == tensor.dtype, name
    assert state["table"].dtype == torch.float16
    assert state["flags"].dtype == torch.bool


def test_the_smallest_weights_stay_fine_up_to_their_share() -> None:
    """Whatever the size of a network: sides of 2, 4, ... 256, of 87,380 parameters in all."""
    network = nn.ModuleList(nn.Linear(2**k, 2**k, bias=False) for k in range(1, 9))
    state = quantise(network)
    fine = [name for name in network.state_dict() if name + SCALE not in state]
    assert fine == [f"{i}.weight" for i in range(4)]  # 340; with the next 1,364, over 1.5 %
    for name in fine:
        assert torch.equal(restore(state)[name], network.state_dict()[name].half().float())


def test_a_channel_of_zeros_stays_zero(network: Tiny) -> None:
    nn.init.zeros_(network.conv.weight[3])
    state = quantise(network)
    assert (state[f"conv.weight{SCALE}"] > 0).all(), "nothing is divided by it"
    restored = restore(state)["conv.weight"]
    assert restored.isfinite().all() and not restored[3].any() and restored[4].any()


def test_what_float16_cannot_hold_stays_float32(network: Tiny) -> None:
    network.norm.running_var[0] = 1e6
    assert restore(compact(network))["norm.running_var"][0] == 1e6
    assert restore(quantise(network))["norm.running_var"][0] == 1e6


def test_weights_that_are_no_numbers_are_not_published(network: Tiny, tmp_path: Path) -> None:
    nn.init.constant_(network.small.weight, float("nan"))
    with pytest.raises(InputError, match=r"small\.weight holds .* no finite numbers"):
        publish_tiny(network, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_batch_norm_survives_saving(network: Tiny, tmp_path: Path) -> None:
    save_network(tmp_path / "w.safetensors", network, "tiny", {"width": 32})
    for path in (tmp_path / "w.safetensors", publish_tiny(network, tmp_path)[0]):
        loaded, family = load_network(path)
        assert family == "tiny" and not loaded.training
        assert loaded.norm.num_batches_tracked.dtype == torch.int64
        assert loaded.norm.num_batches_tracked == 2**40 + 1
        assert loaded.flags.dtype == torch.bool and loaded.flags.tolist() == [True, False]
        expected = network.norm.running_var.half().float()
        assert torch.equal(loaded.norm.running_var, expected)


def test_shards_make_the_network_again(network: Tiny, tmp_path: Path) -> None:
    paths = publish_tiny(network, tmp_path)
    assert [p.name for p in paths] == [f"tiny-s-{i:05d}-of-00002.safetensors" for i in (1, 2)]
    assert sorted(tmp_path.iterdir()) == paths, "nothing else is left"
    assert all(path.stat().st_size <= LIMIT for path in paths)
    expected = restore(quantise(network))
    for path in paths:
        assert siblings(path) == paths
        assert read_config(path) == ("tiny", {"width": 32})
        state = load_network(path)[0].state_dict()
        assert state.keys() == expected.keys()
        assert all(torch.equal(state[name], expected[name]) for name in state)
    fresh = Tiny(TinyConfig(32))
    assert initialise(fresh, paths[1]) == sorted(expected)
    assert torch.equal(fresh.up.weight, expected["up.weight"])


def test_a_missing_shard_and_a_foreign_one_are_told(network: Tiny, tmp_path: Path) -> None:
    first, second = publish_tiny(network, tmp_path)
    kept = second.read_bytes()
    second.unlink()
    with pytest.raises(InputError, match=r"no weights file .*tiny-s-00002-of-00002"):
        load_network(first)
    nn.init.zeros_(network.small.bias)
    (tmp_path / "other").mkdir()
    second.write_bytes(publish_tiny(network, tmp_path / "other")[1].read_bytes())
    with pytest.raises(InputError, match=r"00002-of-00002.* different networks"):
        load_network(first)
    second.write_bytes(kept)
    load_network(first)


def test_splitting_loses_nothing_and_refuses_giants() -> None:
    torch.manual_seed(0)
    tensors = {f"t{i}": torch.zeros(int(n)) for i, n in enumerate(torch.randint(1, 9000, (40,)))}
    shards = split(tensors, 50_000)
    assert sorted(name for shard in shards for name in shard) == sorted(tensors)
    sizes = [sum(tensor.nbytes for tensor in shard.values()) for shard in shards]
    assert max(sizes) <= 50_000
    assert len(shards) <= sum(sizes) / 40_000 + 1, "hardly fuller than they could be"
    with pytest.raises(InputError, match="big alone takes 80,"):
        split({"big": torch.zeros(20_000)}, 50_000)


def test_int8_shards_weigh_a_byte_a_parameter(tmp_path: Path) -> None:
    network = create("labelprop")
    (name,) = publish(network, "labelprop", {}, tmp_path, "features")
    parameters = sum(p.numel() for p in network.parameters())
    assert (tmp_path / name).stat().st_size < 1.05 * parameters
    with safe_open(tmp_path / name, "pt") as file:
        assert file.metadata()["family"] == "labelprop"
