"""The report holds everything it shows, and says what is missing."""

import json
import re
from importlib import util
from pathlib import Path

import numpy as np
import pytest

from masktrail.errors import InputError
from masktrail.evaluate import gallery, report, tables
from masktrail.masks.draw import contour

from .conftest import label_map


def test_report_is_one_page_with_everything_inside(command, data, tmp_path):
    pytest.importorskip("matplotlib")
    out = tmp_path / "report"
    said = command("evaluate", "copy", "--data", data, "--report", out, "-q")
    assert said.code == 0
    page = (out / "report.html").read_text()
    assert not re.findall(r"(?:src|href)=[\"'](?!data:)", page) and "://" not in page
    assert page.count("data:image/jpeg") == 4  # worst and best of two sequences
    assert "Protocol davis" in page or "protocol davis" in page
    for name in ("sequences", "over-time", "frames-copy"):
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((out / "scores.json").read_text())[0]["model"] == "copy"
    assert "| copy | 1.000 |" in (out / "scores.md").read_text()
    assert (out / "masks/copy/still/00004.png").is_file()


def test_names_cannot_break_the_page(data, tmp_path):
    pytest.importorskip("matplotlib")
    from masktrail.evaluate.folders import measure_folder

    figures = measure_folder(data / "Annotations", data)
    figures["model"] = "<script>"
    scored = report.Scored(figures, data / "Annotations")
    page = report.write_report([scored], data, tmp_path / "out").read_text()
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_without_matplotlib_a_sentence_before_any_work(command, data, tmp_path, monkeypatch):
    there = util.find_spec
    missing = lambda name: None if name == "matplotlib" else there(name)  # noqa: E731
    monkeypatch.setattr(report, "find_spec", missing)
    said = command("evaluate", "copy", "--data", data, "--report", tmp_path / "out", "-q")
    assert said.code == 2 and "pip install 'masktrail[plot]'" in said.err
    with pytest.raises(InputError, match="matplotlib"):
        report.write_report([], data, tmp_path)


def test_late_objects_join_the_curve_at_its_end():
    objects = {
        "1": {"per_frame": {"J": [1.0, 1.0, 0.0]}},
        "2": {"per_frame": {"J": [0.5]}},
    }
    assert tables.over_time(objects).tolist() == [1, 1, 0.25]


def figures_of(model: str, speed: float | None) -> dict:
    stats = {"mean": 0.5, "recall": 0.25, "decay": -0.125}
    of = {"J": stats, "F": stats, "per_frame": {"J": [0.5], "F": [0.5]}}
    return {
        "model": model, "protocol": "report", "data": "set", "level": "",
        "J": stats, "F": stats, "J&F": 0.5,
        "sequences": {"a": {"1": of}}, "peak_memory_mb": None, "versions": {},
        "speed": {"tracking_fps": speed, "end_to_end_fps": speed},
    }  # fmt: skip


def test_tables_say_the_protocol_and_leave_out_what_nobody_measured():
    text = tables.markdown([figures_of("one", None), figures_of("two", None)])
    assert "protocol report" in text and "256x256" in text and "frames/s" not in text
    assert "| two | 0.500 | 0.500 | 0.250 | -0.125 | 0.500 | 0.250 | -0.125 |" in text
    assert "| a | 0.500 | 0.500 |" in text
    text = tables.markdown([figures_of("one", 12.34), figures_of("two", None)])
    assert "tracking frames/s" in text and "| 12.3 |" in text


def test_frames_shown_are_those_that_were_scored(data: Path, tmp_path):
    from masktrail.data.davis import find_sequences
    from masktrail.evaluate.folders import measure_folder
    from masktrail.masks import write_labels

    folder = tmp_path / "mine"
    for path in sorted((data / "Annotations/still").iterdir()):
        (folder / "still").mkdir(parents=True, exist_ok=True)
        shift = 10 if path.stem == "00002" else 0
        write_labels(folder / "still" / path.name, label_map((1, 30 + shift)))
    figures = measure_folder(folder, data, ["still"])
    worst, best = gallery.shots(figures, find_sequences(data, ["still"]), folder)
    assert worst.worst and worst.title == "still 00002: J 0.33"
    assert not best.worst and best.title == "still 00001: J 1.00"


def test_true_outline_is_white_on_top():
    image = np.zeros((72, 96, 3), np.uint8)
    shown = gallery.picture(image, label_map((1, 40)), label_map((1, 30)))
    assert (shown[contour(label_map((1, 30)))] == 255).all()
    assert shown[30, 55].any() and not shown[5, 5].any()  # tinted where predicted
