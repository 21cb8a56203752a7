"""Tables, curves and sheets that training leaves."""

import csv
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from masktrail.data.synth import Clips
from masktrail.train.log import LossTable, draw_curves, draw_sheet


def rows(path: Path) -> list[dict[str, float]]:
    with path.open(newline="") as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def test_rows_are_means_since_the_row_before(tmp_path: Path) -> None:
    table = LossTable(tmp_path / "log.csv")
    table.add({"loss": torch.tensor(1.0)})
    table.add({"loss": 2.0})
    assert table.write(minutes=0.5, step=2) == {"minutes": 0.5, "step": 2, "loss": 1.5}
    table.add({"loss": 5.0})
    table.write(minutes=1.0, step=3)
    assert rows(tmp_path / "log.csv") == [
        {"minutes": 0.5, "step": 2, "loss": 1.5},
        {"minutes": 1, "step": 3, "loss": 5},
    ]


def test_a_new_table_continues_the_file(tmp_path: Path) -> None:
    for step in (1, 2):
        table = LossTable(tmp_path / "log.csv")
        table.add({"loss": float(step)})
        table.write(step=step)
    assert [row["loss"] for row in rows(tmp_path / "log.csv")] == [1, 2]


def test_a_table_of_before_takes_in_new_columns(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("minutes,step,held_out_IoU\n0,0,0.5\n")
    for step in (1, 2):
        table = LossTable(path)
        table.add({"held_out_IoU": 0.6, "held_out_dice": 0.4})
        table.write(minutes=step, step=step)
    assert path.read_text().splitlines() == [
        "minutes,step,held_out_IoU,held_out_dice",
        "0,0,0.5,",
        "1,1,0.6,0.4",
        "2,2,0.6,0.4",
    ]
    draw_curves(path, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").is_file()


def test_curves_are_drawn_of_one_column_or_several(tmp_path: Path) -> None:
    for columns in (["loss"], ["loss", "dice", "loading"]):
        path = tmp_path / f"{len(columns)}.csv"
        path.write_text(f"minutes,step,clips,{','.join(columns)}\n" + "1,2,3" + ",4" * len(columns))
        draw_curves(path, path.with_suffix(".png"))
        with Image.open(path.with_suffix(".png")) as image:
            assert image.width > image.height * len(columns)


def test_scores_are_drawn_beside_losses(tmp_path: Path) -> None:
    table, scores = tmp_path / "log.csv", tmp_path / "scores.csv"
    table.write_text("minutes,step,clips,loss\n1,2,3,4\n2,3,4,5\n")
    draw_curves(table, tmp_path / "without.png", scores)
    scores.write_text("minutes,step,held_out_IoU\n0,0,0.5\n")
    draw_curves(table, tmp_path / "with.png", scores)
    sizes = []
    for name in ("without", "with"):
        with Image.open(tmp_path / f"{name}.png") as image:
            sizes.append(image.width)
    assert sizes[1] == pytest.approx(2 * sizes[0], abs=2)


def test_a_loss_of_what_is_held_out_is_drawn_into_the_panel_of_the_same_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, scores = tmp_path / "log.csv", tmp_path / "scores.csv"
    table.write_text("minutes,step,clips,dice,loading\n1,2,3,0.4,5\n2,3,4,0.3,5\n")
    scores.write_text("minutes,step,held_out_IoU,held_out_dice\n0,0,0.5,0.6\n2,3,0.7,0.5\n")
    figure = pytest.importorskip("matplotlib.figure", reason="matplotlib is not installed")
    drawn: dict[str, dict[str, list[float]]] = {}
    monkeypatch.setattr(
        figure.Figure,
        "savefig",
        lambda figure, path, **_: (
            path.touch(),
            drawn.update(
                {
                    axes.get_title(): {line.get_label(): [*line.get_ydata()] for line in axes.lines}
                    for axes in figure.axes
                }
            ),
        ),
    )
    draw_curves(table, tmp_path / "curves.png", scores)
    assert drawn == {
        "dice": {"training": [0.4, 0.3], "held out": [0.6, 0.5]},
        "loading": {"training": [5, 5]},
        "held out IoU": {"held out": [0.5, 0.7]},
    }


def test_no_curves_without_rows(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        draw_curves(tmp_path / "log.csv", tmp_path / "curves.png")
    assert "before its first step" in caplog.text
    assert not (tmp_path / "curves.png").exists()


def test_a_sheet_shows_frames_across_and_clips_down(tmp_path: Path) -> None:
    masks = torch.zeros(3, 2, 1, 32, 32)
    masks[:, :, 0, 8:24, 8:24] = 1
    clips = Clips(torch.full((3, 2, 3, 32, 32), 0.2), masks, torch.ones(3, 1, dtype=torch.bool))
    predicted = masks[:, 1:] * torch.tensor([0.9, 0.4, 0.0]).view(3, 1, 1, 1, 1)
    draw_sheet(clips, predicted, tmp_path / "sheet.png", rows=2)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (64, 64, 3)
    tinted = (sheet != 51).any(2)
    tiles = tinted.reshape(2, 32, 2, 32).mean((1, 3))
    assert tiles.tolist() == [[0.25, 0.25], [0.25, 0.0]]
