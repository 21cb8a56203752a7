"""`masktrail measure` and `masktrail evaluate` from outside: output, files, exit codes."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fake import random_network
from masktrail.masks import write_labels
from masktrail.zoo.weights import save_network

from .conftest import add_sequence, label_map

PAINTED = Path(__file__).with_name("painted")


def same(found: object, expected: object) -> bool:
    """Whether nested figures agree to rounding."""
    if isinstance(expected, dict):
        assert isinstance(found, dict)
        return found.keys() == expected.keys() and all(same(found[k], expected[k]) for k in found)
    return bool(np.allclose(found, expected, rtol=0, atol=1e-12))


def test_measure_agrees_with_figures_worked_out_by_hand(command, tmp_path):
    figures = tmp_path / "figures.json"
    said = command("measure", PAINTED / "masks", "--data", PAINTED / "data", "--json", figures)
    assert (said.code, said.err.strip()) == (0, "")
    expected = json.loads((PAINTED / "expected.json").read_text())
    found = json.loads(figures.read_text())
    assert same(found["sequences"], expected)
    objects = [of for sequence in expected.values() for of in sequence.values()]
    for measure in "JF":
        for what, value in found[measure].items():
            assert value == pytest.approx(np.mean([of[measure][what] for of in objects]))
    assert found["J&F"] == pytest.approx((found["J"]["mean"] + found["F"]["mean"]) / 2)
    assert found["speed"] == {"tracking_fps": None, "end_to_end_fps": None}
    assert "protocol davis" in said.out and f"{found['J&F']:.3f}" in said.out


def test_evaluate_prints_one_table_for_several_models(command, data, tmp_path):
    pytest.importorskip("cv2")
    figures, masks = tmp_path / "new/figures.json", tmp_path / "masks"
    said = command(
        "evaluate", "copy", "flow", "--data", data, "--json", figures, "--masks", masks,
        "--protocol", "report",
    )  # fmt: skip
    assert said.code == 0 and "protocol report" in said.out
    assert "copy" in said.out and "flow" in said.out and "still" in said.out
    assert [f["model"] for f in json.loads(figures.read_text())] == ["copy", "flow"]
    assert (masks / "flow/still/00004.png").is_file()


def test_settings_stand_in_every_table(command, data, tmp_path):
    save_network(tmp_path / "small.safetensors", random_network(), "memory", {})
    report = tmp_path / "report"
    said = command(
        "evaluate", tmp_path / "small.safetensors", "--data", data, "--size", 64, "--set",
        "every=2", "--set", "top_k=8", "--report", report, "--sequences", "still",
    )  # fmt: skip
    assert said.code == 0 and "every=2" in said.out
    name = "small every=2 top_k=8"
    assert (report / "scores.md").read_text().count(name) == 2
    assert name in (report / "report.html").read_text()
    assert (report / "masks" / name / "still").is_dir()
    said = command("evaluate", "copy", "--data", data, "--set", "every")
    assert said.code == 2 and "--set 'every' is no NAME=VALUE" in said.err


def test_evaluate_and_measure_read_the_level_that_is_asked_for(command, tmp_path):
    root, report = tmp_path / "set", tmp_path / "report"
    add_sequence(root, "moves", [label_map((1, x)) for x in (10, 10, 10, 10)], "480p")
    add_sequence(root, "moves", [label_map((1, x)) for x in (10, 20, 30, 30)], "1080p")
    large = ("--data", root, "--level", "1080p")
    said = command("evaluate", "copy", *large, "--report", report)
    assert said.code == 0 and "set 1080p: 1 sequences" in said.out
    assert "set 1080p" in (report / "report.html").read_text()
    (found,) = json.loads((report / "scores.json").read_text())
    assert (found["model"], found["level"]) == ("copy 1080p", "1080p")
    assert found["sequences"]["moves"]["1"]["per_frame"]["J"] == [pytest.approx(1 / 3), 0]
    said = command("measure", report / "masks/copy 1080p", *large, "-q", "--json", tmp_path / "j")
    assert json.loads((tmp_path / "j").read_text())["J&F"] == found["J&F"]
    said = command("evaluate", "copy", "--data", root, "--level", "480p", "--report", report)
    assert said.code == 0 and {path.name for path in (report / "masks").iterdir()} == {
        *("copy", "copy 1080p")
    }, "one beside the other"
    said = command("evaluate", "copy", "--data", root, "--level", "720p")
    assert said.code == 2 and "it has 480p, 1080p" in said.err


def test_one_model_is_no_list(command, data, tmp_path):
    figures = tmp_path / "figures.json"
    said = command(
        "evaluate", "copy", "--data", data, "--sequences", "still", "--prompt", "mask", "--json",
        figures, "--quiet",
    )  # fmt: skip
    assert said == (0, "", "")
    assert json.loads(figures.read_text())["J&F"] == 1


@pytest.fixture
def predictions(data: Path, tmp_path: Path) -> Path:
    """Perfect masks of the painted data set."""
    folder = tmp_path / "mine"
    for sequence in (data / "Annotations").iterdir():
        (folder / sequence.name).mkdir(parents=True)
        for path in sequence.iterdir():
            (folder / sequence.name / path.name).write_bytes(path.read_bytes())
    return folder


def rgb(path: Path) -> None:
    colours = np.array([[0, 0, 0], [200, 0, 0], [0, 0, 200]], np.uint8)
    Image.fromarray(colours[label_map((1, 10), (2, 60))]).save(path)


def sorted_palette(path: Path) -> None:
    """Indices whose colours were sorted by some tool: 0 is not black, no index means an object."""
    picture = Image.fromarray(np.array([1, 2, 0], np.uint8)[label_map((1, 10), (2, 60))])
    picture.putpalette([0, 128, 0, 0, 0, 0, 128, 0, 0])
    picture.save(path)


def black_and_white(path: Path) -> None:
    Image.fromarray(label_map((1, 10), (1, 60)) * 255).save(path)


BAD_MASKS = {
    "missing frame": (lambda path: path.unlink(), "lacks 1 of 4 frames to score: 00003.png"),
    "extra frame": (
        lambda path: write_labels(path.with_name("00042.png"), label_map((1, 10))),
        "no frame of the sequence: 00042.png",
    ),
    "wrong size": (
        lambda path: write_labels(path, label_map((1, 10))[:60]),
        "00003.png is 96x60; the ground truth is 96x72",
    ),
    "palette without index": (sorted_palette, "Expected palette PNGs whose indices"),
    "RGB": (rgb, "late: one object per colour"),
    "black and white": (black_and_white, "00003.png has two colours"),
    "unknown label": (
        lambda path: write_labels(path, label_map((1, 10), (5, 60))),
        "00003.png has objects 5 that the ground truth lacks; it has 1, 2",
    ),
    "not a picture": (
        lambda path: path.write_bytes(b"mask"),
        "00003.png cannot be read as a mask: it is not a picture",
    ),
}


@pytest.mark.parametrize("what", BAD_MASKS)
def test_bad_masks_get_a_sentence_and_no_figures(command, data, predictions, tmp_path, what):
    spoil, sentence = BAD_MASKS[what]
    spoil(predictions / "late/00003.png")
    figures = tmp_path / "figures.json"
    said = command("measure", predictions, "--data", data, "--json", figures, "--quiet")
    assert said.code == 2 and not figures.exists()
    assert sentence in said.err and said.err.startswith("Error: ") and "late" in said.err


def test_an_empty_data_root(command, predictions, tmp_path):
    (tmp_path / "empty/JPEGImages").mkdir(parents=True)
    (tmp_path / "empty/Annotations").mkdir()
    for root in ("empty", "nowhere"):
        for words in (("measure", predictions), ("evaluate", "copy")):
            said = command(*words, "--data", tmp_path / root, "--json", tmp_path / "f.json", "-q")
            assert said.code == 2 and root in said.err and not (tmp_path / "f.json").exists()


def test_no_partial_figures_of_several_models(command, data, tmp_path):
    figures = tmp_path / "figures.json"
    said = command("evaluate", "copy", "nothing", "--data", data, "--json", figures, "-q")
    assert said.code == 2 and "nothing" in said.err and not figures.exists()
