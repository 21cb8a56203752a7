"""Scoring a folder of masks: figures, protocols, refusals, and the official per-frame figures."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from masktrail.errors import InputError
from masktrail.evaluate.folders import measure_folder
from masktrail.evaluate.scores import ObjectMeasure, measure_sequence, summarise
from masktrail.masks import write_labels

SIZE = (40, 60)
DATA = Path(os.environ.get("MASKTRAIL_DATA", Path(__file__).parents[2] / "../shared/data"))


def square(x: int, object_id: int = 1, under: np.ndarray | None = None) -> np.ndarray:
    """Label map with a 10x10 square whose left edge is at `x`."""
    labels = np.zeros(SIZE, np.uint8) if under is None else under.copy()
    labels[15:25, x : x + 10] = object_id
    return labels


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """DAVIS-2016 layout: `one` (5 frames, 0/255) and `two` (4 frames, two objects)."""
    root = tmp_path / "data"
    for name, frames in (("one", 5), ("two", 4)):
        for kind in ("JPEGImages", "Annotations"):
            (root / kind / "480p" / name).mkdir(parents=True)
        for index in range(frames):
            image = root / f"JPEGImages/480p/{name}/{index:05d}.jpg"
            Image.new("RGB", SIZE[::-1]).save(image)
            mask = root / f"Annotations/480p/{name}/{index:05d}.png"
            if name == "one":
                Image.fromarray(square(10) * 255).save(mask)
            else:
                write_labels(mask, square(40, 2, square(10)))
    return root


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    """Right for `one` but for a shift by 5 in frame 2; object 2 of `two` is never found."""
    folder = tmp_path / "mine"
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
    for index in (1, 2, 3):
        write_labels(folder / f"one/{index:05d}.png", square(15 if index == 2 else 10))
    for index in (1, 2):
        write_labels(folder / f"two/{index:05d}.png", square(10))
    return folder


def test_figures_of_a_folder(predictions, data):
    found = measure_folder(predictions, data)
    assert (found["model"], found["data"], found["protocol"]) == ("mine", "data", "davis")
    one, two = found["sequences"]["one"], found["sequences"]["two"]
    assert one["1"]["per_frame"]["J"] == [1, pytest.approx(1 / 3), 1]
    assert one["1"]["J"] == pytest.approx({"mean": 7 / 9, "recall": 2 / 3, "decay": -1 / 3})
    assert two["1"]["per_frame"] == {"J": [1, 1], "F": [1, 1]}
    assert two["2"]["per_frame"] == {"J": [0, 0], "F": [0, 0]}
    assert found["J"]["mean"] == pytest.approx((7 / 9 + 1 + 0) / 3)  # over objects
    f = one["1"]["F"]["mean"]
    assert found["J&F"] == pytest.approx((found["J"]["mean"] + (f + 1 + 0) / 3) / 2)
    assert found["speed"]["tracking_fps"] is None and "numpy" in found["versions"]
    assert json.loads(json.dumps(found)) == found


def test_only_named_sequences(predictions, data):
    assert list(measure_folder(predictions, data, ["two"])["sequences"]) == ["two"]


def test_predictions_in_any_two_valued_mode(predictions, data):
    expected = measure_folder(predictions, data, ["one"])
    for mode in ("1", "L", "RGB"):
        for index in (1, 2, 3):
            picture = Image.fromarray(square(15 if index == 2 else 10) * 255)
            picture.convert(mode).save(predictions / f"one/{index:05d}.png")
        assert measure_folder(predictions, data, ["one"]) == expected


def test_last_frame_counts_in_the_report_only():
    truths = [square(10)] * 4
    moved = [square(10), square(10), square(10), square(30)]
    assert measure_sequence(truths, moved, [1])[1].j.tolist() == [1, 1]
    report = measure_sequence(truths, moved, [1], "report")[1]
    assert report.j.shape == (3,) and report.j[2] == 0


def test_report_grows_the_truth():
    labels = square(10)
    perfect = measure_sequence([labels] * 2, [labels] * 2, [1], "report")[1]
    assert 0.5 < perfect.j[0] < 0.95
    nothing = np.zeros(SIZE, np.uint8)
    gone = measure_sequence([labels, nothing], [labels, nothing], [1], "report")[1]
    assert (gone.j.tolist(), gone.f.tolist()) == ([0], [1])


def test_report_averages_over_frames():
    ones, zeros = np.ones(9), np.zeros(3)
    measures = {"a": {1: ObjectMeasure(ones, ones)}, "b": {1: ObjectMeasure(zeros, zeros)}}
    assert summarise(measures, "report")["J"]["mean"] == 0.75
    assert summarise(measures, "davis")["J"]["mean"] == 0.5


def test_late_objects_are_scored_after_their_first_frame():
    truths = [square(10), square(10), *[square(40, 2, square(10))] * 3]
    found = measure_sequence(truths, truths, [1, 2])
    assert found[1].j.size == 3
    assert found[2].j.tolist() == [1]


def test_objects_never_scored_are_left_out():
    some, none = np.ones(2), np.zeros(0)
    found = summarise({"a": {1: ObjectMeasure(some, some), 2: ObjectMeasure(none, none)}})
    assert list(found["sequences"]["a"]) == ["1"] and found["J"]["mean"] == 1
    with pytest.raises(InputError, match="three annotated frames"):
        summarise({"a": {1: ObjectMeasure(none, none)}})


def test_what_cannot_be_scored_gets_a_sentence(predictions, data):
    def refused(match: str, **options: object) -> None:
        with pytest.raises(InputError, match=match):
            measure_folder(predictions, data, **options)

    refused("No protocol 'seed'; there are davis, report", protocol="seed")
    refused("no sequence three", names=["three"])
    write_labels(predictions / "one/00009.png", square(10))
    refused(r"no frame of the sequence: 00009\.png")
    (predictions / "one/00009.png").unlink()
    (predictions / "one/00002.png").unlink()
    refused(r"lacks 1 of 3 frames to score: 00002\.png")
    write_labels(predictions / "one/00002.png", square(10)[:, :50])
    refused(r"00002\.png is 50x40; the ground truth is 60x40")
    write_labels(predictions / "one/00002.png", square(40, 3, square(10)))
    refused(r"00002\.png has objects 3 that the ground truth lacks; it has 1\.")
    write_labels(predictions / "one/00002.png", square(10))
    colours = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0]], np.uint8)
    Image.fromarray(colours[square(40, 2, square(10))]).save(predictions / "two/00001.png")
    refused("Expected palette PNGs")
    for path in (predictions / "two").iterdir():
        path.unlink()
    (predictions / "two").rmdir()
    refused("no folder for 1 of 2 sequences: two")


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("method", ["stm", "rgmp", "osvos", "siammask"])
def test_official_figures_of_every_frame(method):
    reference, data = DATA / "davis2016-dev10-reference", DATA / "davis2016-dev10"
    if not (reference.is_dir() and data.is_dir()):
        pytest.skip(f"no davis2016-dev10 and its reference masks under {DATA} (MASKTRAIL_DATA)")
    official = json.loads((reference / f"{method}_official_per_frame.json").read_text())
    found = measure_folder(reference / method, data)["sequences"]
    frames = 0
    for name, objects in found.items():
        figures = objects["1"]["per_frame"]
        frames += len(figures["J"])
        for measure in ("J", "F"):
            np.testing.assert_allclose(
                figures[measure], official[name][measure], rtol=0, atol=0.0005 + 1e-6
            )
    assert frames == 664
