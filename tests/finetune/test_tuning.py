"""Training a weight further on painted videos."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from masktrail import cli
from masktrail.data.pack import open_pack
from masktrail.data.synth import ClipSettings
from masktrail.errors import InputError
from masktrail.families import training_of
from masktrail.finetune import fine_tune, further, tuning
from masktrail.recipe import Stage
from masktrail.zoo import load
from masktrail.zoo.weights import load_network
from painted_sets import paint_videos
from said import Said

STAGE = Stage(batch=1, real=1.0, clips=ClipSettings(size=48, frames=2, max_gap=1))
SETTINGS: dict[str, Any] = {"stages": (STAGE,), "seed": 1}


def test_a_weight_is_trained_further_and_measured(small_memory: Path, tmp_path: Path) -> None:
    root = paint_videos(tmp_path / "mine", ("a", "b", "left"), frames=4)
    rows: list[float] = []
    found = fine_tune(
        small_memory, root, 0.02, tmp_path / "out", device="cpu",
        progress=lambda share, row: rows.append(share), **SETTINGS,
    )  # fmt: skip
    assert len(found.trained) == 2 and len(found.held_out) == 1
    assert not set(found.trained) & set(found.held_out)
    packed = {s.name for s in open_pack(tmp_path / "out" / "pack").sequences}
    assert packed == set(found.trained), "what is measured on must not be trained on"
    assert 0 <= found.before <= 1 and 0 <= found.after <= 1
    written = json.loads((tmp_path / "out" / "finetune.json").read_text())
    assert written["before"] == found.before and written["after"] == found.after
    before, after = (load_network(path)[0] for path in (small_memory, found.weights))
    moved = {n for n, p in after.named_parameters() if not torch.equal(p, before.get_parameter(n))}
    assert moved and not any(n.startswith(("encoder.conv1", "encoder.layer1")) for n in moved)
    assert rows[-1] == 1.0
    assert load(tmp_path / "out", "cpu").size == load("memory-s", "cpu").size


def test_worse_weights_are_said_to_be(
    small_memory: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    root = paint_videos(tmp_path / "mine", ("only",), frames=3)
    figures = iter((0.8, 0.7))
    monkeypatch.setattr(tuning, "_score", lambda *arguments: next(figures))
    found = fine_tune(small_memory, root, 0.005, tmp_path / "out", device="cpu", **SETTINGS)
    assert (found.before, found.after) == (0.8, 0.7)
    assert found.trained == found.held_out == ("only",)
    assert "one sequence only" in caplog.text and "worse than those" in caplog.text


def test_resuming_packs_nothing_again(small_memory: Path, tmp_path: Path) -> None:
    root, out = paint_videos(tmp_path / "mine", ("a", "b"), frames=3), tmp_path / "out"
    fine_tune(small_memory, root, 0.005, out, device="cpu", **SETTINGS)
    stamp = (out / "pack" / "index.json").stat().st_mtime_ns
    fine_tune(small_memory, root, 0.01, out, resume=True, device="cpu", **SETTINGS)
    assert (out / "pack" / "index.json").stat().st_mtime_ns == stamp


def test_what_cannot_be_used_is_refused_before_anything_is_written(
    small_memory: Path, tmp_path: Path
) -> None:
    videos = paint_videos(tmp_path / "mine", ("a", "b"), frames=3)
    tainted = paint_videos(tmp_path / "tainted", ("dog", "b"), frames=3)
    for model, root, words in (
        ("copy", videos, "cannot be trained further; start from a model of agunet, lucid, memory"),
        ("labelprop", videos, r"labelprop \(labelprop\) cannot be trained further"),
        ("nothing", videos, "no model 'nothing'"),
        (small_memory, tmp_path / "nowhere", "no JPEGImages and Annotations"),
        (small_memory, tainted, "holds dog: DAVIS-2016 sequences"),
    ):
        with pytest.raises(InputError, match=words):
            fine_tune(model, root, 0.01, tmp_path / "out", device="cpu")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def nothing_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where anything is measured."""

    def measured(*arguments: object) -> float:
        raise AssertionError("measured before it was refused")

    monkeypatch.setattr(tuning, "_score", measured)


@pytest.mark.usefixtures("nothing_measured")
def test_refusals_come_before_anything_is_measured(small_memory: Path, tmp_path: Path) -> None:
    videos = paint_videos(tmp_path / "mine", ("a", "b"), frames=3)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "weights.safetensors").write_bytes(b"mine")
    (tmp_path / "file").write_bytes(b"mine")
    before = sorted(path for path in tmp_path.rglob("*"))
    zoomed = {"stages": (replace(STAGE, clips=replace(STAGE.clips, size=50)),)}
    for minutes, out, words, more in (
        (float("nan"), "out", "minutes; expected a number above 0", {}),
        (0.0, "out", "minutes; expected a number above 0", {}),
        (1.0, "taken", "holds a training already", {}),
        (1.0, "file", "is a file; name a folder", {}),
        (1.0, "out", r"holds no checkpoint\.pt to resume from", {"resume": True}),
        (1.0, "out", "clips of size 50; expected a multiple of 16", zoomed),
    ):
        with pytest.raises(InputError, match=words):
            fine_tune(small_memory, videos, minutes, tmp_path / out, device="cpu", **more)
    assert sorted(path for path in tmp_path.rglob("*")) == before


def test_a_training_is_not_gone_on_with_by_other_data(
    small_memory: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    root, out = paint_videos(tmp_path / "mine", ("a", "b", "c"), frames=3), tmp_path / "out"
    found = fine_tune(small_memory, root, 0.005, out, device="cpu", **SETTINGS)
    request.getfixturevalue("nothing_measured")
    changed = root / "JPEGImages/480p" / found.trained[0] / "00001.png"
    kept = changed.read_bytes()
    changed.write_bytes((changed.parent / "00002.png").read_bytes())
    with pytest.raises(InputError, match=f"what it trained on, {found.trained[0]} came, went or"):
        fine_tune(small_memory, root, 0.01, out, resume=True, device="cpu", **SETTINGS)
    changed.write_bytes(kept)
    other = paint_videos(tmp_path / "other", ("c", "d", "e"), frames=3)
    with pytest.raises(InputError, match=f"begun with other data than {other} holds"):
        fine_tune(small_memory, other, 0.01, out, resume=True, device="cpu", **SETTINGS)
    (out / "data.json").unlink()
    with pytest.raises(InputError, match="does not say what data its training was begun with"):
        fine_tune(small_memory, root, 0.01, out, resume=True, device="cpu", **SETTINGS)


@pytest.mark.usefixtures("nothing_measured")
def test_videos_of_too_few_masks_are_refused_before_anything_is_measured(
    small_memory: Path, tmp_path: Path
) -> None:
    root = paint_videos(tmp_path / "mine", ("a", "b", "c"), frames=3)
    stage = replace(STAGE, clips=replace(STAGE.clips, frames=4))
    with pytest.raises(InputError, match="has 4 frames with a mask, as memory learns from"):
        fine_tune(small_memory, root, 1, tmp_path / "out", device="cpu", stages=(stage,))
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("nothing_measured")
def test_a_pack_of_ones_own_is_not_replaced(small_memory: Path, tmp_path: Path) -> None:
    root, out = paint_videos(tmp_path / "mine", ("a", "b"), frames=3), tmp_path / "out"
    (out / "pack").mkdir(parents=True)
    with pytest.raises(InputError, match=r"holds a training already \(pack\)"):
        fine_tune(small_memory, root, 1, out, device="cpu", **SETTINGS)


def test_sequences_that_show_nothing_are_left_out_and_named(
    small_memory: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = paint_videos(tmp_path / "mine", ("a", "b", "bare", "unmarked"), frames=3)
    for path in (root / "Annotations/480p/bare").iterdir():
        Image.fromarray(np.zeros_like(np.asarray(Image.open(path)))).save(path)
    for path in (root / "Annotations/480p/unmarked").iterdir():
        path.unlink()
    found = fine_tune(small_memory, root, 0.005, tmp_path / "out", device="cpu", **SETTINGS)
    assert sorted((*found.trained, *found.held_out)) == ["a", "b"]
    assert "no mask shows an object, are bare, unmarked" in caplog.text


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
    small_memory: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: Callable[..., Said],
) -> None:
    root, out = paint_videos(tmp_path / "mine", ("a", "b"), frames=3), tmp_path / "out"
    quick = replace(further()["memory"], stages=(STAGE,))
    memory = replace(training_of("memory"), further=quick)
    monkeypatch.setattr(tuning, "training_of", lambda name: memory)
    train = "train", "--init", small_memory, "--data", root, "--minutes", "0.005", "--out", out
    said = command(*train)
    assert said.code == 0
    assert "J&F before 0." in said.out and f"--model {out}" in said.out
    refused = command(*train)
    assert refused.code == cli.REFUSED and "replace these by --overwrite" in refused.err
    assert command(*train, "--overwrite", "--quiet") == (0, "", "")
