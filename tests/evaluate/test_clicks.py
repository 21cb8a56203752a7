"""Masks from boxes and clicks, measured."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from masktrail.evaluate.clicks import from_box, over_clicks
from masktrail.prompts.kinds import Box

IMAGE = np.zeros((60, 80, 3), np.uint8)
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "prompts.py"


def square(x: int, y: int, width: int, height: int) -> np.ndarray:
    mask = np.zeros((60, 80), bool)
    mask[y : y + height, x : x + width] = True
    return mask


TRUTH = square(10, 10, 40, 20)


def test_the_tight_box_is_given():
    seen = []

    def prompter(image, prompt, previous):
        seen.append((prompt, previous))
        return square(10, 10, 20, 20)

    assert from_box(prompter, IMAGE, TRUTH) == 0.5
    assert seen == [(Box(10, 10, 50, 30), None)]


def test_clicks_are_added_where_it_is_wrong_and_masks_fed_back():
    """A prompter that knows the left half, then believes every click about 20 columns."""
    seen = []

    def prompter(image, prompt, previous):
        seen.append((prompt, previous))
        return square(10, 10, 20 if len(prompt.points) == 1 else 40, 20)

    assert over_clicks(prompter, IMAGE, TRUTH, 3) == [0.5, 1.0, 1.0, 1.0]
    (first, nothing), (second, before) = seen
    assert nothing is None and first.labels == [True] and TRUTH[19, 29]
    np.testing.assert_array_equal(before, square(10, 10, 20, 20))
    assert second.points[0] == first.points[0] and second.labels == [True, True]
    x, y = second.points[1]
    assert 35 < x < 45 and 15 < y < 25


def test_what_is_too_much_is_clicked_negatively():
    labels = []

    def prompter(image, prompt, previous):
        labels.append(prompt.labels[-1])
        return square(0, 0, 80, 60)

    scores = over_clicks(prompter, IMAGE, TRUTH, 2)
    assert labels == [True, False, False] and len(scores) == 3


def test_the_benchmark_prints_a_table_and_plots_it(data, tmp_path, monkeypatch, capsys):
    picture = tmp_path / "clicks.png"
    arguments = ["prompts.py", "--data", data, "--clicks", "2", "--plot", picture]
    monkeypatch.setattr(sys, "argv", list(map(str, arguments)))
    pytest.importorskip("matplotlib")
    runpy.run_path(str(SCRIPT), run_name="__main__")
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["object", "box", "1", "1+1", "1+2"]
    assert [row.split()[0] for row in rows] == ["late/1", "late/2", "still", "mean"]
    figures = np.array([[float(x) for x in row.split()[1:]] for row in rows])
    np.testing.assert_allclose(figures[:-1].mean(0), figures[-1], atol=1e-3)
    assert figures.min() > 0.5 and picture.stat().st_size > 1000
