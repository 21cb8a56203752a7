"""What is of another kind than the library takes is told in a sentence that says what to write."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from masktrail import Box, InputError, load, open_video, track
from masktrail.export import make_writers
from masktrail.masks.edges import check_edges

ENGINES = "there are auto, openvino, onnxruntime, torch."
PRECISIONS = "there are auto, float, bfloat16, int8."
EDGES, DIRECTIONS = "there are plain, refined.", "there are both, forward, backward."
MODEL, DEVICE = ' is no text; write model="memory-s".', ' is no text; write device="cpu".'
EXPORT = "Exports are named, as 'davis,csv' or ['davis', 'csv'], not"
OUT = ' is no text; write out="results".'
SETTINGS = ' gives no values by name; write settings={"view": "square"}.'
RANGE = (
    " is no range; expected the value that is black below the one that is white, as "
    "values=(0, 4095)."
)

OF_MODELS = [
    ("model", None, f"model=None{MODEL}"),
    ("model", 3, f"model=3{MODEL}"),
    ("model", b"copy", f"model=b'copy'{MODEL}"),
    ("device", None, f"device=None{DEVICE}"),
    ("device", 0, f"device=0{DEVICE}"),
    ("precision", None, f"No precision None; {PRECISIONS}"),
    ("precision", 16, f"No precision 16; {PRECISIONS}"),
    ("precision", ["float"], f"No precision ['float']; {PRECISIONS}"),
    ("engine", None, f"No engine None; {ENGINES}"),
    ("engine", np.array(["torch", "auto"]), ENGINES),
    ("settings", None, f"settings=None{SETTINGS}"),
    ("settings", "view=square", f"settings='view=square'{SETTINGS}"),
    ("settings", ["view=square"], f"settings=['view=square']{SETTINGS}"),
    ("settings", 5, f"settings=5{SETTINGS}"),
    ("settings", {1: 2}, "The model copy has no setting 1; it has none."),
    ("size", "big", "The working size 'big' is no integer; give one, as 1."),
    ("size", 288.5, "The working size 288.5 is no integer; give one, as 1."),
]

OF_RUNS = [
    ("values", (9, 3), f"values=(9, 3){RANGE}"),
    ("values", (5, 5), f"values=(5, 5){RANGE}"),
    ("values", (math.nan, 3), f"values=(nan, 3){RANGE}"),
    ("values", (0, math.inf), f"values=(0, inf){RANGE}"),
    ("values", "0,4095", f"values='0,4095'{RANGE}"),
    ("values", "05", f"values='05'{RANGE}"),
    ("values", 5, f"values=5{RANGE}"),
    ("values", (1, 2, 3), f"values=(1, 2, 3){RANGE}"),
    ("values", (None, 4), f"values=(None, 4){RANGE}"),
    ("values", (0, 10**400), RANGE),
    ("values", {0: 1, 2: 3}, f"values={{0: 1, 2: 3}}{RANGE}"),
    ("edges", None, f"No edges None; {EDGES}"),
    ("edges", 1, f"No edges 1; {EDGES}"),
    ("edges", np.array(["plain", "plain"]), EDGES),
    ("direction", None, f"No direction None; {DIRECTIONS}"),
    ("direction", True, f"No direction True; {DIRECTIONS}"),
    ("direction", ["both"], f"No direction ['both']; {DIRECTIONS}"),
    ("export", None, f"{EXPORT} None; there are davis"),
    ("export", ["davis", 5], f"{EXPORT} ['davis', 5]; there are davis"),
    ("export", 7, f"{EXPORT} 7; there are davis"),
    ("out", None, f"out=None{OUT}"),
    ("out", 7, f"out=7{OUT}"),
    ("start", "x", "The start 'x' is no integer; give one, as 1."),
    ("end", 2.5, "The end 2.5 is no integer; give one, as 1."),
    ("progress", 5, "Progress is told to a function or to None, not to 5."),
]


@pytest.mark.parametrize(("name", "value", "told"), OF_MODELS)
def test_a_model_is_not_loaded_by_what_is_none(name: str, value: Any, told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        load(**{"model": "copy", name: value})


@pytest.mark.parametrize(("name", "value", "told"), OF_MODELS + OF_RUNS)
def test_nothing_is_tracked_by_what_is_none(
    video_file: Path, tmp_path: Path, name: str, value: Any, told: str
) -> None:
    given = {"out": tmp_path / "out", "model": "copy", "export": "csv", name: value}
    with pytest.raises(InputError, match=re.escape(told)):
        track(video_file, {1: Box(4, 4, 30, 30)}, **given)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("name", "value", "told"), [row for row in OF_RUNS if row[0] == "values"])
def test_no_video_is_shown_by_what_is_no_range(
    video_file: Path, name: str, value: Any, told: str
) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        open_video(video_file, values=value)


@pytest.mark.parametrize(
    "values", [(0, 4095), [0.0, 4095], np.array([0, 4095]), np.float32([0, 4095])]
)
def test_a_range_is_of_any_library(video_file: Path, tmp_path: Path, values: Any) -> None:
    prompts, out = {1: Box(4, 4, 30, 30)}, tmp_path / "out"
    track(video_file, prompts, out, "copy", "csv", values=(0, 4095))
    assert track(video_file, prompts, out, "copy", "csv", values=values, resume=True).frames


def test_what_is_long_is_told_in_short() -> None:
    with pytest.raises(InputError) as told:
        load(settings=list(range(10_000)))  # type: ignore[arg-type]
    assert len(str(told.value)) < 200


def test_what_is_right_is_taken(tmp_path: Path) -> None:
    make_writers("davis, CSV", str(tmp_path))
    check_edges("refined")
    assert load(Path("copy"), settings={}, device="cpu").provenance.engine == "none"
