"""What AGUNet looks at, as a sheet of pictures."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import draw_scores
from masktrail.data.davis import find_sequences
from masktrail.families import create
from masktrail.zoo.weights import save_network
from painted_sets import paint_videos


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a narrow AGUNet nobody trained."""
    folder, config = tmp_path_factory.mktemp("model"), {"width": 2, "key": 8}
    torch.manual_seed(0)
    save_network(folder / "weights.safetensors", create("agunet", **config), "agunet", config)
    return folder


def test_scores_are_colours_over_the_picture() -> None:
    grey = np.full((32, 32, 3), 100, np.uint8)
    scores = np.array([[0.0, 1.0]], np.float32)
    found = draw_scores.heated(grey, scores).astype(int)
    assert found.shape == grey.shape
    assert found[16, 0, 2] > found[16, 0, 0] and found[16, -1, 0] > found[16, -1, 2]


def test_two_rows_for_each_sequence(model: Path, tmp_path: Path) -> None:
    data = paint_videos(tmp_path / "set", ("a", "b"), 5)
    sequences = find_sequences(data)
    picture = draw_scores.sheet(model, sequences, 2)
    lines = picture.reshape(4, draw_scores.HEIGHT + 4, -1, 3)
    assert (lines[:, -4:] == 255).all() and not (lines[:, :-4] == 255).all((1, 2, 3)).any()
    assert not np.array_equal(lines[0], lines[1])


def test_the_command_writes_a_picture(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = paint_videos(tmp_path / "set", ("a",), 3), tmp_path / "sheet.jpg"
    words = [str(out), "--data", str(data), "--sequences", "a", "--frames", "9"]
    monkeypatch.setattr(sys, "argv", ["", *words, "--model", str(model)])
    draw_scores.main()
    with Image.open(out) as picture:
        assert picture.format == "JPEG" and picture.height == 2 * (draw_scores.HEIGHT + 4)
    for changed, said in (
        (["--model", "copy"], "of the family agunet"),
        (["--sequences", "z"], "no sequence z"),
        (["--frames", "0"], "1 frame or more"),
    ):
        monkeypatch.setattr(sys, "argv", ["", *words, "--model", str(model), *changed])
        with pytest.raises(SystemExit) as stop:
            draw_scores.main()
        assert said in f"{stop.value.code}{capsys.readouterr().err}"
