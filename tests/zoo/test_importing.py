"""Checkpoints of others as models: what they compute stays, what they are not is said."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.errors import InputError
from masktrail.families.labelprop.importing import from_resnet18
from masktrail.models.backbones import Normalise
from masktrail.prompts.kinds import Mask
from masktrail.zoo import load
from masktrail.zoo.importing import import_weights, read_checkpoint
from painted_videos import paint_clip


class Block(nn.Module):
    """Residual block of ResNet-18 as torchvision has it, batch norms and all."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = None
        if channels != channels_in:
            shortcut = nn.Conv2d(channels_in, channels, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(shortcut + self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))


class Published(nn.Module):
    """ResNet-18 up to its third stage, at stride 8."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(Block(64, 64, 1), Block(64, 64, 1))
        self.layer2 = nn.Sequential(Block(64, 128, 2), Block(128, 128, 1))
        self.layer3 = nn.Sequential(Block(128, 256, 1), Block(256, 256, 1))
        self.fc = nn.Linear(512, 1000)

    def forward(self, images: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(images))), 3, 2, 1)
        return F.normalize(self.layer3(self.layer2(self.layer1(x))), dim=1)


@pytest.fixture(scope="module")
def published() -> Published:
    torch.manual_seed(0)
    network = Published().train()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_()
        for _ in range(3):
            network(torch.randn(2, 3, 64, 64) * 2 + 1)  # running statistics unlike those at first
    return network.eval()


@pytest.fixture
def checkpoint(published: Published, tmp_path: Path) -> Path:
    path = tmp_path / "resnet18.pth"
    torch.save(published.state_dict(), path)
    return path


def test_imported_features_are_those_of_the_checkpoint(published: Published) -> None:
    network, config = from_resnet18(published.state_dict())
    assert config == {}
    images = torch.rand(1, 3, 48, 64)
    with torch.no_grad():
        expected = published(Normalise()(images))
        torch.testing.assert_close(network.eval()(images), expected, rtol=1e-4, atol=1e-5)


def test_an_imported_checkpoint_tracks(checkpoint: Path, tmp_path: Path, command) -> None:
    out = tmp_path / "mine.safetensors"
    said = command("import-weights", "labelprop", checkpoint, out)
    assert (said.code, said.out.strip()) == (0, f"Weights: {out}, for --model {out}")
    clip = paint_clip(3, (64, 48))
    tracker = load(out, "cpu", 64)
    for index, image in enumerate(clip.images):
        prompts = {} if index else {1: Mask(clip.labels[0] == 1)}
        assert set(tracker.step(image, prompts).objects) == {1}


@pytest.mark.parametrize("wrapped", ["plain", "state_dict", "safetensors", "parallel"])
def test_tensors_are_found_however_they_are_wrapped(
    published: Published, tmp_path: Path, wrapped: str
) -> None:
    state = {name: tensor.contiguous() for name, tensor in published.state_dict().items()}
    path = tmp_path / ("x.safetensors" if wrapped == "safetensors" else "x.pt")
    if wrapped == "safetensors":
        save_file(state, path)
    elif wrapped == "parallel":
        torch.save(
            {"model": {"state_dict": {f"module.{k}": v for k, v in state.items()}}, "epoch": 3},
            path,
        )
    else:
        torch.save({"state_dict": state, "epoch": 3} if wrapped == "state_dict" else state, path)
    found = read_checkpoint(path)
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)


def test_what_cannot_be_imported_is_refused_and_nothing_is_written(
    checkpoint: Path, published: Published, tmp_path: Path, command
) -> None:
    state = published.state_dict()
    missing, narrow, numbers = (tmp_path / f"{name}.pth" for name in ("few", "narrow", "numbers"))
    deep, flat, nan = (tmp_path / f"{name}.pth" for name in ("deep", "flat", "nan"))
    torch.save({**state, "layer1.2.conv1.weight": state["layer1.1.conv1.weight"]}, deep)
    torch.save({**state, "layer2.0.bn1.bias": torch.zeros(1)}, flat)
    torch.save({**state, "bn1.weight": state["bn1.weight"] * torch.nan}, nan)
    torch.save({k: v for k, v in state.items() if "layer3" not in k}, missing)
    torch.save({**state, "conv1.weight": state["conv1.weight"][:, :1]}, narrow)
    torch.save({"lr": 0.1}, numbers)
    picture = tmp_path / "picture.pth"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    there = tmp_path / "there.safetensors"
    there.write_bytes(b"mine")
    out = tmp_path / "out.safetensors"
    for family, path, to, sentence in (
        (
            "memory",
            checkpoint,
            out,
            "nothing to import for the family 'memory'; there is for la",
        ),
        ("none", checkpoint, out, "nothing to import for the family 'none'"),
        ("labelprop", missing, out, "is of another network than the family 'labelprop' imports"),
        ("labelprop", missing, out, r"imports: layer3.0.conv1.weight is missing\.$"),
        ("labelprop", deep, out, "it has layer1.2, which ResNet-18 has not"),
        ("labelprop", flat, out, r"layer2.0.bn1.bias is \(1,\), not \(128,\)"),
        ("labelprop", nan, out, "bn1.weight holds values that are no finite numbers"),
        ("labelprop", narrow, out, r"conv1.weight is \(64, 1, 7, 7\), not \(64, 3, 7, 7\)"),
        ("labelprop", numbers, out, "holds no tensors by name"),
        ("labelprop", picture, out, "is no checkpoint: neither safetensors nor"),
        ("labelprop", tmp_path / "gone.pth", out, "There is no checkpoint"),
        ("labelprop", tmp_path / "gone.safetensors", out, "There is no checkpoint"),
        ("labelprop", tmp_path, out, "There is no checkpoint"),
        ("labelprop", checkpoint, tmp_path / f"{'x' * 300}.safetensors", "could not be written"),
        ("labelprop", checkpoint, there, "is there already; move it away"),
        ("labelprop", checkpoint, tmp_path / "out.pth", "give a name ending in .safetensors"),
    ):
        with pytest.raises(InputError, match=sentence):
            import_weights(family, path, to)
    assert not out.exists() and there.read_bytes() == b"mine"
    said = command("import-weights", "labelprop", numbers, out)
    assert said.code == 2 and said.err.count("\n") == 1


class Harm:
    """What a pickle can do."""

    def __reduce__(self):
        return (Path.write_text, (Path("harm.txt"), "done"))


@pytest.mark.parametrize("content", [b"hello", b"RIFF0000WEBP", b"", b"PK\x03\x04", b"\x80\x02."])
def test_damaged_checkpoints_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.pth"
    path.write_bytes(content * 40)
    with pytest.raises(InputError, match="is no checkpoint"):
        read_checkpoint(path)


def test_nothing_in_a_checkpoint_is_executed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"conv1.weight": Harm()}, "harmful.pth")
    with pytest.raises(InputError, match="is no checkpoint"):
        read_checkpoint(Path("harmful.pth"))
    assert not Path("harm.txt").exists()
