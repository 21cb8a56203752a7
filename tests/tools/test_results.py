"""What comes back of networks in training."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gpu import results
from gpu.results import LOGS, Harvest, expected_files
from masktrail.families import create
from masktrail.recipe import Recipe
from masktrail.zoo.fetch import sha256
from masktrail.zoo.headers import read_origin
from masktrail.zoo.weights import load_network, save_network

CONFIG = {"width": 8}
"""Of a network of half a million weights."""

NAMES = ["unet-00001-of-00002.safetensors", "unet-00002-of-00002.safetensors"]


def trained(run: Path, seed: int = 0) -> Path:
    """A run as training leaves it in the midst of it."""
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    save_network(run / "weights.safetensors", create("unet", **CONFIG), "unet", CONFIG)
    (run / "log.csv").write_text(f"minutes\n{seed}\n")
    Image.fromarray(np.full((3000, 2000, 3), 90, np.uint8)).save(run / "sheet.png")
    return run


def files(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir())


def test_small_weights_come_back_as_they_are(tmp_path: Path) -> None:
    run, out = trained(tmp_path / "run"), tmp_path / "out"
    out.mkdir()
    Harvest({"unet": run}, out).bring()
    assert files(out) == [LOGS, "unet.safetensors"]
    assert (out / "unet.safetensors").read_bytes() == (run / "weights.safetensors").read_bytes()
    with zipfile.ZipFile(out / LOGS) as logs:
        assert sorted(logs.namelist()) == ["unet/log.csv", "unet/sheet.jpg"]
        assert logs.read("unet/log.csv") == (run / "log.csv").read_bytes()
        with logs.open("unet/sheet.jpg") as file, Image.open(file) as sheet:
            assert sheet.size == (1067, 1600)
    expected = expected_files({"unet": Recipe(family="unet", model=CONFIG)})
    for path in out.iterdir():
        assert 0 < path.stat().st_size <= expected[path.name]


def test_large_weights_come_back_as_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, out = trained(tmp_path / "run"), tmp_path / "out"
    out.mkdir()
    shards = results.int8_shards
    monkeypatch.setattr(results, "FILE", 500_000)
    monkeypatch.setattr(results, "int8_shards", lambda *a, **k: shards(*a, **k, limit=300_000))
    Harvest({"unet": run}, out).bring()
    assert files(out) == [LOGS, *NAMES]
    expected = expected_files({"unet": Recipe(family="unet", model=CONFIG)})
    assert expected.keys() == {LOGS, *NAMES}
    for name in NAMES:
        assert (out / name).stat().st_size == expected[name]
        assert read_origin(out / name) == sha256(run / "weights.safetensors")
    (back, _), (there, _) = (load_network(p) for p in (out / NAMES[0], run / "weights.safetensors"))
    for name, weight in there.state_dict().items():
        assert torch.allclose(back.state_dict()[name].float(), weight.float(), atol=0.01)


def test_only_what_is_new_is_brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = {"one": tmp_path / "one", "two": tmp_path / "two"}
    brought: list[str] = []
    monkeypatch.setattr(results, "bring_weights", lambda weights, name, out: brought.append(name))
    harvest = Harvest(runs, tmp_path)
    harvest.bring()
    assert brought == [] and not (tmp_path / LOGS).exists()
    trained(runs["two"])
    harvest.bring()
    harvest.bring()
    assert brought == ["two"]
    trained(runs["one"])
    trained(runs["two"], seed=1)
    harvest.bring()
    assert brought == ["two", "one", "two"]
    with zipfile.ZipFile(tmp_path / LOGS) as logs:
        assert logs.read("two/log.csv") == b"minutes\n1\n"
    (runs["one"] / "curves.png").write_bytes(b"drawn last")
    harvest.finish()
    assert brought == ["two", "one", "two"]
    with zipfile.ZipFile(tmp_path / LOGS) as logs:
        assert "one/curves.png" in logs.namelist()


def test_what_is_not_there_yet_is_left_out(tmp_path: Path) -> None:
    run, out = trained(tmp_path / "run"), tmp_path / "out"
    out.mkdir()
    (run / "sheet.png").unlink()
    results.bring_logs({"unet": run, "other": tmp_path / "not begun"}, out)
    with zipfile.ZipFile(out / LOGS) as logs:
        assert logs.namelist() == ["unet/log.csv"]


def test_what_cannot_be_brought_is_said_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run, out = trained(tmp_path / "run"), tmp_path / "out"
    harvest = Harvest({"unet": run}, out)
    for _ in range(3):
        harvest.bring()
    assert caplog.text.count("could not be written") == 2, "weights and logs, once"
    out.mkdir()
    (run / "sheet.png").write_bytes(b"damaged")
    harvest.finish()
    assert files(out) == ["unet.safetensors"]
    assert caplog.text.count("Not brought") == 4
    trained(run, seed=1)
    harvest.finish()
    assert files(out) == [LOGS, "unet.safetensors"]
    assert caplog.text.count("Not brought") == 4


def test_shards_are_replaced_all_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(results, "_files_of", lambda weights, name: {"a": b"1", "b": b"1"})
    weights = trained(tmp_path / "run") / "weights.safetensors"
    results.bring_weights(weights, "unet", out)
    full: dict[str, object] = {"a": b"2", "b": "no bytes"}
    monkeypatch.setattr(results, "_files_of", lambda weights, name: full)
    with pytest.raises(TypeError):
        results.bring_weights(weights, "unet", out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {"a": b"1", "b": b"1"}
