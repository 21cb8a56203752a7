"""Training a weight further on painted videos."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from masktrail import cli, finetune
from masktrail.data.davis import Sequence
from masktrail.data.pack import open_pack
from masktrail.data.synth import ClipSettings
from masktrail.errors import InputError
from masktrail.families import training_of
from masktrail.families.memory.network import MemoryConfig, MemoryNetwork
from masktrail.finetune import fine_tune, further, split
from masktrail.recipe import Stage
from masktrail.zoo import load
from masktrail.zoo.weights import load_network, save_network
from painted_sets import paint_videos

SMALL = {"key": 8, "value": 12, "hidden": 16, "stride8": 12, "stride4": 8}
STAGE = Stage(batch=1, real=1.0, clips=ClipSettings(size=48, frames=2, max_gap=1))
SETTINGS: dict[str, Any] = {"stages": (STAGE,), "seed": 1}


@pytest.fixture(scope="module")
def init(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("init") / "small.safetensors"
    save_network(path, MemoryNetwork(MemoryConfig(**SMALL)), "memory", SMALL)
    return path


def named(count: int) -> list[Sequence]:
    return [Sequence(f"v{k}", (), ()) for k in range(count)]


@pytest.mark.parametrize(("count", "kept"), [(2, 1), (9, 1), (10, 1), (24, 2), (40, 4)])
def test_a_tenth_is_kept_whatever_the_order(count: int, kept: int) -> None:
    sequences = named(count)
    trained, held_out = split(sequences)
    assert len(held_out) == kept
    assert sorted([*trained, *held_out], key=lambda s: s.name) == sorted(
        sequences, key=lambda s: s.name
    )
    assert {s.name for s in split(sequences[::-1])[1]} == {s.name for s in held_out}


def test_of_one_sequence_nothing_is_kept() -> None:
    assert split(named(1)) == (named(1), [])


def test_a_weight_is_trained_further_and_measured(init: Path, tmp_path: Path) -> None:
    root = paint_videos(tmp_path / "mine", ("a", "b", "left"), frames=4)
    rows: list[float] = []
    found = fine_tune(
        init, root, 0.02, tmp_path / "out", device="cpu",
        progress=lambda share, row: rows.append(share), **SETTINGS,
    )  # fmt: skip
    assert len(found.trained) == 2 and len(found.held_out) == 1
    assert not set(found.trained) & set(found.held_out)
    packed = {s.name for s in open_pack(tmp_path / "out" / "pack").sequences}
    assert packed == set(found.trained), "what is measured on must not be trained on"
    assert 0 <= found.before <= 1 and 0 <= found.after <= 1
    written = json.loads((tmp_path / "out" / "finetune.json").read_text())
    assert written["before"] == found.before and written["after"] == found.after
    before, after = (load_network(path)[0] for path in (init, found.weights))
    moved = {n for n, p in after.named_parameters() if not torch.equal(p, before.get_parameter(n))}
    assert moved and not any(n.startswith(("encoder.conv1", "encoder.layer1")) for n in moved)
    assert rows[-1] == 1.0
    assert load(tmp_path / "out", "cpu").size == load("memory-s", "cpu").size


def test_worse_weights_are_said_to_be(
    init: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    root = paint_videos(tmp_path / "mine", ("only",), frames=3)
    figures = iter((0.8, 0.7))
    monkeypatch.setattr(finetune, "_score", lambda *arguments: next(figures))
    found = fine_tune(init, root, 0.005, tmp_path / "out", device="cpu", **SETTINGS)
    assert (found.before, found.after) == (0.8, 0.7)
    assert found.trained == found.held_out == ("only",)
    assert "one sequence only" in caplog.text and "worse than those" in caplog.text


def test_resuming_packs_nothing_again(init: Path, tmp_path: Path) -> None:
    root, out = paint_videos(tmp_path / "mine", ("a", "b"), frames=3), tmp_path / "out"
    fine_tune(init, root, 0.005, out, device="cpu", **SETTINGS)
    stamp = (out / "pack" / "index.json").stat().st_mtime_ns
    fine_tune(init, root, 0.01, out, resume=True, device="cpu", **SETTINGS)
    assert (out / "pack" / "index.json").stat().st_mtime_ns == stamp


def test_what_cannot_be_used_is_refused_before_anything_is_written(
    init: Path, tmp_path: Path
) -> None:
    videos = paint_videos(tmp_path / "mine", ("a", "b"), frames=3)
    tainted = paint_videos(tmp_path / "tainted", ("dog", "b"), frames=3)
    for model, root, words in (
        ("copy", videos, "cannot be trained further; start from a model of agunet, lucid, memory"),
        ("labelprop", videos, r"labelprop \(labelprop\) cannot be trained further"),
        ("nothing", videos, "no model 'nothing'"),
        (init, tmp_path / "nowhere", "no JPEGImages and Annotations"),
        (init, tainted, "holds dog: DAVIS-2016 sequences"),
    ):
        with pytest.raises(InputError, match=words):
            fine_tune(model, root, 0.01, tmp_path / "out", device="cpu")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("family", further())
def test_recipes_are_of_networks_that_fit_their_clips(family: str) -> None:
    from masktrail.train.reading import problems

    recipe = replace(further()[family], family=family, videos=("pack",))
    assert list(problems(recipe)) == []


def test_the_command_wants_a_recipe_or_a_model_and_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--minutes", "1", "--out", str(tmp_path / "out")]
    for words in ([], ["--init", "memory-s"], ["r.toml", "--init", "memory-s", "--data", "x"]):
        monkeypatch.setattr("sys.argv", ["masktrail", "train", *words, *out])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        assert exit_.value.code == cli.REFUSED
        assert "Give either a recipe" in capsys.readouterr().err


def test_the_command_says_what_came_of_it(
    init: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = paint_videos(tmp_path / "mine", ("a", "b"), frames=3)
    quick = replace(further()["memory"], stages=(STAGE,))
    memory = replace(training_of("memory"), further=quick)
    monkeypatch.setattr(finetune, "training_of", lambda name: memory)
    arguments = ["--init", init, "--data", root, "--minutes", "0.005", "--out", tmp_path / "out"]
    monkeypatch.setattr("sys.argv", ["masktrail", "train", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert exit_.value.code == 0
    said = capsys.readouterr().out
    assert "J&F before 0." in said and f"--model {tmp_path / 'out'}" in said
