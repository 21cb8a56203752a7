"""A plain installation, without torch and scipy, does all but train: in a venv that lacks them."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bare_venv import make_venv, needed, size_of
from masktrail.export import WRITERS
from masktrail.families import family
from masktrail.masks import read_labels
from masktrail.zoo import CARDS, WEIGHTS, settings_of, trackers
from painted_sets import paint_videos
from painted_videos import paint_clip, write_video
from visitor import Visitor, marked, wait_for

BOX = "62,22,86,44"
"""Around the first disc in frame 0."""

LARGEST = 460 - 31
"""MiB of a whole installation less pip, setuptools and the interpreter's links of a fresh venv."""

STOPPED = """
import masktrail
class Stopped(Exception): pass
def stop(done, expected):
    if done == 6: raise Stopped
try: masktrail.track({video!r}, {{1: masktrail.Box({box})}}, {out!r}, export="davis", progress=stop)
except Stopped: print("stopped")
"""

Run = Callable[..., str]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a venv as `make demo` makes one, which lacks what a plain installation lacks."""
    python = make_venv(tmp_path_factory.mktemp("plain") / "venv", "flow", "export", "web")
    asked = "import importlib.util as u; print([bool(u.find_spec(n)) for n in {}])"
    names = ["torch", "scipy", "onnx", "openvino"]
    answer = subprocess.check_output([python, "-c", asked.format(names)], text=True)
    assert answer.strip() == "[False, False, False, True]"
    return python


@pytest.fixture
def run(python: Path, tmp_path: Path) -> Run:
    """Function that runs `masktrail ARGUMENTS` there; gives what it says, errors last."""

    def run(*arguments: object, code: int = 0) -> str:
        command = [python, "-m", "masktrail.cli", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=250, cwd=tmp_path)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mp4", paint_clip(12, (96, 64)).images, tone=None)


def masks(folder: Path) -> list[np.ndarray]:
    return [read_labels(path)[0] for path in sorted((folder / "masks").iterdir())]


@pytest.mark.parametrize("model", trackers())
def test_every_model_tracks(run: Run, video: Path, tmp_path: Path, model: str) -> None:
    said = run("track", video, "--box", f"1:{BOX}", "-o", "out", "--model", model)
    learns = family(CARDS[model].family).traits.learns
    defaults = {setting.name: setting.default for setting in settings_of(model)}
    taught = bool(learns) and all(defaults[name] for name in learns)
    assert said.count("Warning") == ("It learns nothing now" in said) == taught, said
    record = json.loads((tmp_path / "out/run.json").read_text())
    assert record["arguments"]["engine"] == ("openvino" if CARDS[model].files else "none")
    assert "torch" not in record["versions"] and "openvino" in record["versions"]
    found = masks(tmp_path / "out")
    assert len(found) == 12 and found[0].any()


def test_a_run_goes_on_and_is_exported(run: Run, python: Path, video: Path, tmp_path: Path) -> None:
    code = STOPPED.format(video=str(video), box=BOX, out=str(tmp_path / "two"))
    assert subprocess.check_output([python, "-c", code], text=True) == "stopped\n"
    run("track", video, "--box", f"1:{BOX}", "-o", "two", "--export", "davis", "--resume")
    run("track", video, "--box", f"1:{BOX}", "-o", "one", "--export", "davis")
    np.testing.assert_array_equal(masks(tmp_path / "one"), masks(tmp_path / "two"))
    others = WRITERS.keys() - {"soft"}  # which a finished run has not kept
    said = run("convert", "one", "--export", ",".join(others), "--out", "others")
    assert "12 frames" in said and len(list((tmp_path / "others").iterdir())) >= len(others)


def test_clicks_by_the_network_and_edges_of_the_picture(run: Run, video: Path) -> None:
    marks = ("--point", "1:74,33", "--at", "6", "--point", "1:80,33", "--not-point", "1:5,5")
    run("track", video, *marks, "-o", "out", "--edges", "refined", "--export", "soft,green")


def test_many_videos_side_by_side(run: Run, video: Path, tmp_path: Path) -> None:
    table = tmp_path / "videos.csv"
    table.write_text(f"video;name;box\n{video};a;1:{BOX}\n{video};b;1:{BOX}\n")
    run("batch", table, "-o", "out", "--jobs", 2)
    assert len(masks(tmp_path / "out/a")) == len(masks(tmp_path / "out/b")) == 12


def test_models_are_measured(run: Run, tmp_path: Path) -> None:
    root = paint_videos(tmp_path / "data")
    run("check-data", root)
    run("evaluate", "memory-s", "--data", root, "--json", tmp_path / "found.json")
    found = json.loads((tmp_path / "found.json").read_text())
    assert 0 < found["J"]["mean"] <= 1 and 0 < found["F"]["mean"] <= 1
    assert found["versions"].keys() >= {"numpy", "openvino"} and "torch" not in found["versions"]


def test_the_page_tracks_and_corrects(python: Path, video: Path, tmp_path: Path) -> None:
    command = [python, "-m", "masktrail.cli", "web", video, "--no-browser", "--projects", tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            visitor = Visitor(process.stdout.readline().strip())
            first = marked(box=[int(x) for x in BOX.split(",")])
            assert versions_of(visitor, first) == 1
            again = {
                **first,
                "prompts": {**first["prompts"], **marked(6, points=[[80, 33, 1]])["prompts"]},
            }
            assert versions_of(visitor, again) == 2
        finally:
            process.terminate()


def versions_of(visitor: Visitor, mark: dict[str, Any]) -> int:
    visitor.ask("PUT", "mark", mark)
    visitor.ask("POST", "run")
    told = wait_for(visitor, "done", "failed")
    assert told["state"] == "done", told
    return told["version"]


def test_the_page_says_what_it_needs(tmp_path: Path) -> None:
    python = make_venv(tmp_path / "venv")
    command = [python, "-m", "masktrail.cli", "web", "--no-browser"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert "pip install 'masktrail[web]'" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "recipe.toml", "--minutes", "1", "-o", "out"),
        ("train", "--init", "memory-s", "--data", "data", "--minutes", "1", "-o", "out"),
        ("import-weights", "labelprop", "checkpoint.pth", "out.safetensors"),
        ("export-onnx", "memory-s", "out"),
        ("dream", "picture.png", "mask.png", "-o", "out"),
        ("track", "clip.mp4", "--box", f"1:{BOX}", "-o", "out", "--engine", "torch"),
        ("track", "clip.mp4", "--box", f"1:{BOX}", "-o", "out", "--adapt", "5"),
    ],
)
def test_what_needs_torch_says_so(run: Run, video: Path, tmp_path: Path, arguments: Any) -> None:
    said = run(*arguments, code=2)
    assert said.count("\n") == 1 and "pip install 'masktrail[" in said, said
    assert not list(tmp_path.glob("out*"))


@pytest.mark.skipif(os.name != "posix", reason="sizes were asked for on Linux")
def test_it_is_small() -> None:
    packages = needed()
    assert "torch" not in packages and "scipy" not in packages
    sizes = {name: size_of(name) / 2**20 for name in packages}
    weights = sum(path.stat().st_size for path in WEIGHTS.iterdir()) / 2**20
    assert sum(sizes.values()) + weights < LARGEST, sizes
