"""Weights on disk: what is saved comes back, what is not ours is refused."""

import json
import stat
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from masktrail.errors import InputError
from masktrail.families.memory.network import MemoryConfig, MemoryNetwork
from masktrail.families.siamese_unet.network import SiameseConfig, SiameseUNet
from masktrail.zoo.headers import FORMAT
from masktrail.zoo.weights import initialise, load_network, save_network

SMALL = {"key": 8, "value": 12, "hidden": 16, "stride8": 12, "stride4": 8}


def make(seed: int = 0) -> MemoryNetwork:
    torch.manual_seed(seed)
    return MemoryNetwork(MemoryConfig(**SMALL))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "weights.safetensors"
    save_network(path, make(), "memory", SMALL)
    return path


def test_round_trip(saved: Path) -> None:
    network, family = load_network(saved)
    assert family == "memory"
    assert isinstance(network, MemoryNetwork)
    assert network.config == MemoryConfig(**SMALL)
    assert not network.training
    expected = make().state_dict()
    assert network.state_dict().keys() == expected.keys()
    for name, tensor in network.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, expected[name].half().float()), name


def test_the_file_is_float16_readable_and_alone(saved: Path) -> None:
    with safe_open(saved, "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
        assert json.loads(file.metadata()["config"]) == SMALL
    assert saved.stat().st_mode & stat.S_IRUSR
    (saved.parent / "other").touch()
    assert saved.stat().st_mode == (saved.parent / "other").stat().st_mode
    assert sorted(path.name for path in saved.parent.iterdir()) == ["other", saved.name]


def test_a_failed_save_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="could not be written"):
        save_network(tmp_path / "no" / "folder.safetensors", make(), "memory", SMALL)
    assert not list(tmp_path.iterdir())


def test_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    with pytest.raises(InputError, match="no weights file"):
        load_network(path)
    for content in (b"", b"PK\x03\x04 a pickle in a zip file"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a complete safetensors file"):
            load_network(path)
    with pytest.raises(InputError, match="not a complete safetensors file"):
        load_network(tmp_path)
    save_file({"a": torch.ones(3)}, path)
    with pytest.raises(InputError, match=f"lacks format={FORMAT}"):
        load_network(path)


def test_truncated_files_are_refused(saved: Path) -> None:
    whole = saved.read_bytes()
    for length in (5, 100, len(whole) // 2, len(whole) - 1):
        saved.write_bytes(whole[:length])
        with pytest.raises(InputError, match="not a complete safetensors file"):
            load_network(saved)


@pytest.mark.parametrize(
    ("family", "config"),
    [
        ("telepathy", "{}"),
        ("memory", '{"no_such_width": 3}'),
        ("memory", '{"key": 16}'),
        ("memory", "no json"),
    ],
)
def test_networks_of_other_versions_are_refused(tmp_path: Path, family: str, config: str) -> None:
    path = tmp_path / "x.safetensors"
    tensors = {k: v.contiguous() for k, v in make().state_dict().items()}
    save_file(tensors, path, {"format": FORMAT, "family": family, "config": config})
    with pytest.raises(InputError, match="does not know"):
        load_network(path)


def test_initialise_fills_a_whole_network_or_its_encoder(saved: Path, tmp_path: Path) -> None:
    network = make(1)
    assert initialise(network, saved) == sorted(network.state_dict())
    assert torch.equal(network.keys.key.weight, make().keys.key.weight.half().float())
    encoder = tmp_path / "encoder.safetensors"
    save_file({k: v.contiguous() for k, v in make(2).encoder.state_dict().items()}, encoder)
    filled = initialise(network, encoder)
    assert filled == sorted(f"encoder.{name}" for name in network.encoder.state_dict())
    assert torch.equal(network.encoder.conv1.weight, make(2).encoder.conv1.weight)
    assert torch.equal(network.keys.key.weight, make().keys.key.weight.half().float())


def test_initialise_leaves_out_what_is_to_begin_anew(saved: Path) -> None:
    network, left_out = make(), "encoder."
    before = {name: value.clone() for name, value in network.state_dict().items()}
    filled = initialise(network, saved, (left_out,))
    assert filled == sorted(name for name in before if not name.startswith(left_out))
    for name, value in network.state_dict().items():
        assert not name.startswith(left_out) or torch.equal(value, before[name])


def test_initialise_refuses_what_does_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"conv1.weight": torch.ones(2, 2), "fc.weight": torch.ones(5)}, path)
    with pytest.raises(InputError, match=r"fills 0 of the \d+ tensors .*; expected weights of the"):
        initialise(make(), path)
    with pytest.raises(InputError, match="no weights file"):
        initialise(make(), tmp_path / "nowhere")


def test_initialise_says_what_begins_at_random(
    saved: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    initialise(make(), saved)
    assert not caplog.text
    initialise(make(), saved, ("keys.",))
    assert "begin at random, some or all of keys." in caplog.text
    tensors = {k: v.contiguous() for k, v in make().state_dict().items()}
    few = {name: tensors[name] for name in sorted(tensors)[: len(tensors) // 3]}
    other = {f"other.{name}": tensors[name] for name in set(tensors) - set(few)}
    save_file({**few, **other}, tmp_path / "x.safetensors")
    with pytest.raises(InputError, match=rf"fills {len(few)} of the {len(tensors)} tensors"):
        initialise(make(), tmp_path / "x.safetensors")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_finite_numbers_are_refused(tmp_path: Path, value: float) -> None:
    network, path = make(), tmp_path / "x.safetensors"
    network.state_dict()["keys.key.bias"][0] = value
    save_network(path, network, "memory", SMALL)
    for use in (load_network, lambda path: initialise(make(), path)):
        with pytest.raises(InputError, match=r"no finite numbers \(keys\.key\.bias\)"):
            use(path)


def test_a_vgg_starts_a_siamese_u_net(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    vgg = {
        "conv1_1.weight": torch.rand(4, 3, 3, 3, generator=generator),
        "conv2_1.weight": torch.rand(8, 4, 3, 3, generator=generator),
    }
    save_file(vgg, tmp_path / "vgg.safetensors")
    network = SiameseUNet(SiameseConfig(width=4))
    assert initialise(network, tmp_path / "vgg.safetensors") == ["encoder.1.0.0.weight"]
    own = network.state_dict()
    assert torch.equal(own["encoder.1.0.0.weight"], vgg["conv2_1.weight"])
