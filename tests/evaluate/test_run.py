"""Evaluation of models: prompts, figures, masks on disk, and what is taken up again."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fake import random_network
from masktrail.errors import InputError
from masktrail.evaluate import run
from masktrail.evaluate.run import evaluate, name_of
from masktrail.evaluate.tracking import prompt_from, track_to_folder
from masktrail.masks import read_labels, write_labels
from masktrail.prompts.kinds import Box, Mask
from masktrail.settings import ModelOptions
from masktrail.zoo.weights import save_network

from .conftest import add_sequence, label_map

KEYS = [
    *("model", "protocol", "data", "level", "J", "F", "J&F", "sequences", "speed"),
    "peak_memory_mb",
]


def test_figures_have_the_published_shape(data):
    (found,) = evaluate(["copy"], data)
    assert list(found)[: len(KEYS) + 1] == [*KEYS, "versions"]
    assert (found["model"], found["data"], found["prompt"]) == ("copy", "painted", "mask")
    assert list(found["J"]) == list(found["F"]) == ["mean", "recall", "decay"]
    late = found["sequences"]["late"]
    assert list(late["1"]) == ["J", "F", "per_frame"] and list(late["1"]["per_frame"]) == ["J", "F"]
    assert found["J&F"] == 1
    assert set(found["speed"]) == {"tracking_fps", "end_to_end_fps"}
    assert found["speed"]["tracking_fps"] > found["speed"]["end_to_end_fps"] > 0
    assert found["peak_memory_mb"] is None or found["peak_memory_mb"] > 10
    assert found["weights_sha256"] is None and "torch" in found["versions"]
    assert json.loads(json.dumps(found)) == found


def test_objects_are_prompted_where_they_first_appear(data, tmp_path):
    (found,) = evaluate(["copy"], data, ["late"], masks=tmp_path / "masks")
    seen = [
        set(np.unique(read_labels(tmp_path / f"masks/copy/late/{i:05d}.png")[0]).tolist()) - {0}
        for i in range(6)
    ]
    assert seen == [{1}] * 2 + [{1, 2}] * 4
    per_frame = {i: len(of["per_frame"]["J"]) for i, of in found["sequences"]["late"].items()}
    assert per_frame == {"1": 4, "2": 2}


def test_a_box_prompt_is_the_tight_box():
    mask = label_map((1, 30)) == 1
    assert prompt_from(mask, "box") == Box(30, 20, 50, 40)
    prompt = prompt_from(mask, "mask")
    assert isinstance(prompt, Mask) and prompt.mask is mask
    with pytest.raises(InputError, match="no"):
        prompt_from(mask, "no")


def test_box_prompts_give_masks(data):
    (found,) = evaluate(["copy"], data, ["still"], prompt="box")
    assert found["prompt"] == "box" and found["J"]["mean"] > 0.6


def test_several_models_and_protocols(data):
    pytest.importorskip("cv2")
    found = evaluate(["copy", "flow"], data, ["still"], protocol="report")
    assert [f["model"] for f in found] == ["copy", "flow"]
    assert {f["protocol"] for f in found} == {"report"}
    assert all(0.7 < f["J"]["mean"] < 1 for f in found)  # the protocol's grown truth


@pytest.mark.parametrize("level", ["480p", "1080p", "Full-Resolution", ""])
def test_layouts_of_the_known_data_sets(tmp_path, level):
    root = tmp_path / "set"
    add_sequence(root, "moves", [label_map((1, x)) for x in (10, 10, 10, 10)], level, level != "")
    (found,) = evaluate(["copy"], root)
    assert found["J&F"] == 1 and list(found["sequences"]["moves"]) == ["1"]
    assert found["level"] == level


def test_masks_on_some_frames_only(tmp_path):
    labels = label_map((3, 10), (7, 60))
    frames = [labels if i % 5 == 0 else None for i in range(16)]
    add_sequence(tmp_path / "set", "0043f083b5", frames)
    (found,) = evaluate(["copy"], tmp_path / "set", masks=tmp_path / "masks")
    scored = found["sequences"]["0043f083b5"]
    assert {i: len(of["per_frame"]["J"]) for i, of in scored.items()} == {"3": 2, "7": 2}
    assert len(list((tmp_path / "masks/copy/0043f083b5").iterdir())) == 16


@pytest.fixture
def tracked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the sequences that are tracked from now on; clear it between runs."""
    names: list[str] = []

    def watched(tracker: Any, sequence: Any, *rest: Any) -> Any:
        names.append(sequence.name)
        return track_to_folder(tracker, sequence, *rest)

    monkeypatch.setattr(run, "track_to_folder", watched)
    return names


def test_what_is_finished_is_not_tracked_again(data, tmp_path, tracked, monkeypatch):
    def again(**options: Any) -> list[str]:
        tracked.clear()
        evaluate(["copy"], data, masks=tmp_path / "masks", **options)
        return list(tracked)

    assert again() == ["late", "still"]
    assert again() == []
    assert again(protocol="report") == []  # masks do not depend on how they are scored
    (tmp_path / "masks/copy/late/00003.png").unlink()
    assert again() == ["late"]
    Image.new("RGB", (96, 72)).save(data / "JPEGImages/still/00002.jpg")
    assert again() == ["still"]
    write_labels(data / "Annotations/late/00000.png", label_map((1, 12)))
    assert again() == ["late"]
    assert again(options=ModelOptions(size=72)) == ["late", "still"]
    assert again(options=ModelOptions(size=72, edges="refined")) == ["late", "still"]
    assert again(options=ModelOptions(size=72), prompt="box") == ["late", "still"]
    of_model = run.of_model
    others = {"weights": "of other weights"}
    monkeypatch.setattr(run, "of_model", lambda *asked: of_model(*asked) | others)
    assert again(options=ModelOptions(size=72), prompt="box") == ["late", "still"]
    (tmp_path / "masks/copy/evaluate.json").write_text("{broken")
    assert again(options=ModelOptions(size=72), prompt="box") == ["late", "still"]


def test_settings_stand_in_the_name_and_the_identity(data, tmp_path):
    save_network(tmp_path / "small.safetensors", random_network(), "memory", {})
    model, masks = tmp_path / "small.safetensors", tmp_path / "masks"
    found = [
        evaluate(
            [model], data, ["still"], masks=masks, options=ModelOptions(size=64, settings=settings)
        )[0]
        for settings in ({"every": 3}, {"every": "01", "capacity": 2})
    ]
    assert [f["model"] for f in found] == ["small", "small capacity=2 every=1"]
    assert [(f["settings"]["every"], f["settings"]["capacity"]) for f in found] == [(3, 4), (1, 2)]
    assert sorted(path.name for path in masks.iterdir()) == [f["model"] for f in found]
    with pytest.raises(InputError, match="The model copy has no setting 'every'; it has none"):
        evaluate([model, "copy"], data, options=ModelOptions(settings={"every": "1"}))
    with pytest.raises(InputError, match="Several of the models are called copy"):
        evaluate(["copy", "copy"], data)


def test_an_interruption_loses_one_sequence_at_most(data, tmp_path, tracked):
    def stop(name: str, done: int, total: int) -> None:
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(["copy"], data, masks=tmp_path, progress=stop)
    assert tracked == ["late", "still"]
    tracked.clear()
    (found,) = evaluate(["copy"], data, masks=tmp_path)
    assert tracked == ["still"]
    assert found["J&F"] == 1 and found["speed"]["tracking_fps"] > 0


def test_names_of_models(tmp_path):
    folder = tmp_path / "better"
    folder.mkdir()
    (folder / "weights.safetensors").touch()
    (tmp_path / "half.safetensors").touch()
    assert name_of("memory-s") == "memory-s"
    assert name_of(folder) == name_of(folder / "weights.safetensors") == "better"
    assert name_of(tmp_path / "half.safetensors") == "half"


def test_what_cannot_be_evaluated_is_refused_before_any_work(data, tmp_path, tracked):
    def refused(match: str, models: tuple[str, ...] = ("copy",), **options: Any) -> None:
        with pytest.raises(InputError, match=match):
            evaluate(models, data, **options)
        assert not tracked

    refused("no model 'nothing'", ("copy", "nothing"))
    refused("Several of the models are called copy", ("copy", "copy"))
    refused("No prompt 'scribble'; there are mask, box", prompt="scribble")
    refused("No protocol 'seed'", protocol="seed")
    refused("no sequence absent", names=["absent"])
    extra = data / "Annotations/still/00009.png"
    write_labels(extra, label_map((1, 30)))
    refused(r"masks without a picture: still/00009\.png")
    extra.unlink()
    write_labels(data / "Annotations/still/00003.png", label_map((1, 30))[:, :90])
    refused(r"masks of another size than their picture: still/00003\.png")
    write_labels(data / "Annotations/still/00003.png", label_map((1, 30)))
    picture = data / "JPEGImages/still/00002.jpg"
    whole = picture.read_bytes()
    picture.write_bytes(b"no picture")
    refused(r"pictures damaged or cut off: still/00002\.jpg")
    picture.write_bytes(whole)
    for path in (data / "Annotations/still").iterdir():
        path.unlink()
    refused("still has no mask")


def test_a_data_set_without_masks_to_score_against(tmp_path):
    add_sequence(tmp_path / "mose", "a", [label_map((1, 30)), None, None, None])
    with pytest.raises(InputError, match="Nothing to score"):
        evaluate(["copy"], tmp_path / "mose")


def test_a_folder_without_data(tmp_path: Path):
    with pytest.raises(InputError, match="JPEGImages and Annotations"):
        evaluate(["copy"], tmp_path)
