"""Runs of a model that takes boxes as they are and gives rotated ones, resumed and converted."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from masktrail import Box, track
from masktrail.families import create
from masktrail.masks import read_labels
from masktrail.masks.rotated import rotated_box
from masktrail.run.convert import convert
from masktrail.zoo.weights import save_network
from watched_runs import Stopped, stop_after

PROMPTS = {0: {1: Box(6, 6, 30, 30)}, 7: {2: Box(30, 20, 60, 44)}}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "weights.safetensors"
    save_network(path, create("siammask", width=8), "siammask", {"width": 8})
    return path


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "objects.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("edges", ["plain", "refined"])
def test_rotated_boxes_are_those_of_the_masks(video, model, tmp_path, edges) -> None:
    how = {"export": "csv,davis,json", "size": 64, "edges": edges}
    track(video, PROMPTS, tmp_path / "whole", model, **how)
    rows, shown = rows_of(tmp_path / "whole"), 0
    for row in rows:
        labels, _ = read_labels(tmp_path / f"whole/masks/{int(row['frame']):05d}.png")
        expected = np.ravel(rotated_box(labels == int(row["id"])))
        found = [row[f"rotated_{axis}{n}"] for n in range(4) for axis in "xy"]
        shown += len(expected) > 0
        np.testing.assert_allclose(
            [float(value) for value in found if value], expected, rtol=0, atol=0.006
        )
    assert shown >= 2 and {row["id"] for row in rows} == {"1", "2"}, "those that were marked"
    with pytest.raises(Stopped):
        track(video, PROMPTS, tmp_path / "cut", model, progress=stop_after(10), **how)
    track(video, PROMPTS, tmp_path / "cut", model, resume=True, **how)
    convert(tmp_path / "whole", "csv", tmp_path / "again")
    for other in ("cut", "again"):
        assert rows_of(tmp_path / other) == rows


def test_a_box_at_a_later_frame_is_tracked_both_ways(video, model, tmp_path) -> None:
    """Where two passes are joined, boxes are those of what came of it."""
    track(video, {7: PROMPTS[7]}, tmp_path / "out", model, "csv,davis", size=64, direction="both")
    rows = rows_of(tmp_path / "out")
    assert len(rows) == 16 and rows[7]["state"] == "present"
    for row in rows:
        labels, _ = read_labels(tmp_path / f"out/masks/{int(row['frame']):05d}.png")
        corners = rotated_box(labels == 2)
        assert (row["rotated_x0"] != "") == bool(corners) == (row["state"] == "present")
