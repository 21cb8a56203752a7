"""What training leaves to look at: a table of losses, their curves, a sheet of predictions."""

import csv
import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from masktrail.data.synth import Clips
from masktrail.files import replacing
from masktrail.masks.draw import overlay

log = logging.getLogger(__name__)

CLOCK = {"minutes", "step", "clips"}
"""Columns that say how far training is."""

FEW = 30
"""Points that are marked each."""

LOADING = "loading"
"""Column of the seconds that a step waits for its clips."""

HELD_OUT_PREFIX = "held_out_"
"""What the names of scores on videos that are not learned from begin with."""


class LossTable:
    """Appends rows to a table such as `log.csv`, continuing the one that is there; columns that it
    lacks are added, empty in the rows before.

    Rows are averaged over the steps since the row before. Values that are tensors are only read
    when a row is written, so that a GPU need not be waited for at every step.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sums: dict[str, float | torch.Tensor] = {}
        self._count = 0

    def add(self, values: Mapping[str, float | torch.Tensor]) -> None:
        """Adds the values of one step, numbers or scalar tensors."""
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count += 1

    def write(self, **extra: float) -> dict[str, float]:
        """Writes the means since the last row, with `extra` columns before them."""
        row = {**extra, **{k: float(v) / self._count for k, v in self._sums.items()}}
        texts = {k: f"{v:.6g}" for k, v in row.items()}
        rows = _rows(self.path) if self.path.exists() else []
        if not rows or list(rows[0]) != list(texts):  # begun by a version with other columns
            self._rewrite([*rows, texts])
        else:
            with self.path.open("a", newline="") as file:
                csv.DictWriter(file, list(texts)).writerow(texts)
        self._sums, self._count = {}, 0
        return row

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        columns = dict.fromkeys(name for row in rows for name in row)
        with replacing(self.path) as part, part.open("w", newline="") as file:
            table = csv.DictWriter(file, columns, restval="")
            table.writeheader()
            table.writerows(rows)


def total_loss(row: Mapping[str, float]) -> float:
    """What was minimised: the sum of the losses in a row."""
    return sum(value for name, value in row.items() if name not in {*CLOCK, LOADING})


def draw_curves(table: Path, out: Path, scores: Path | None = None) -> None:
    """Plots the columns of a loss table; says so where there is none, or matplotlib is missing.

    Args:
        table: of losses.
        out: PNG to be written.
        scores: a table of scores, if there is such a file; a loss of videos held out is plotted
            into the panel of the same loss in training, what is left beside them.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        log.warning("No curves are drawn: install matplotlib (the extra [plot]) to get them.")
        return
    if not table.is_file():
        log.warning("No curves are drawn: training ended before its first step.")
        return
    panels = {name: {"training": curve} for name, curve in _columns(table).items()}
    if scores is not None and scores.is_file():
        for name, curve in _columns(scores).items():
            loss = name.removeprefix(HELD_OUT_PREFIX)
            panels.setdefault(loss if loss in panels else name, {})["held out"] = curve
    figure = Figure(figsize=(4 * len(panels), 3), layout="constrained")
    for axes, (name, curves) in zip(
        np.atleast_1d(figure.subplots(1, len(panels))), panels.items(), strict=True
    ):
        for label, curve in curves.items():
            axes.plot(*curve, marker="." if len(curve[0]) < FEW else "", label=label)
        axes.set(title=name.replace("_", " "), xlabel="minutes")
        if len(curves) > 1:
            axes.legend(frameon=False)
    with replacing(out) as part:
        figure.savefig(part, dpi=110, format="png")


def _columns(table: Path) -> dict[str, tuple[list[float], list[float]]]:
    """Minutes and values of every column of a table but the clock's."""
    rows = _rows(table)
    curves = {}
    for name in rows[0]:
        filled = [row for row in rows if row[name]]
        minutes = [float(row["minutes"]) for row in filled]
        curves[name] = (minutes, [float(row[name]) for row in filled])
    return {name: curve for name, curve in curves.items() if name not in CLOCK}


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def draw_sheet(clips: Clips, masks: torch.Tensor, out: Path, rows: int = 8) -> None:
    """A picture of clips: frame 0 with its given masks, then every frame as predicted.

    A clip of one frame shows it once for every mask that was predicted for it.

    Args:
        clips: the batch.
        masks: predicted soft masks (B, T-1, N, S, S), or (B, R, N, S, S) of one frame.
        out: PNG to be written.
        rows: at most this many clips.
    """
    first_masks = clips.masks[:, :1].to(masks.dtype)
    labels = _labels(torch.cat([first_masks, masks], 1))[:rows]  # (B, T, S, S)
    frames = clips.images[:rows]
    if frames.shape[1] == 1:
        frames = frames.expand(-1, labels.shape[1], -1, -1, -1)
    images = (frames * 255).byte().permute(0, 1, 3, 4, 2).cpu().numpy()
    tiles = [
        np.concatenate([overlay(i, m) for i, m in zip(*clip, strict=True)], 1)
        for clip in zip(images, labels, strict=True)
    ]
    with replacing(out) as part:
        Image.fromarray(np.concatenate(tiles, 0)).save(part, "PNG")


def _labels(masks: torch.Tensor) -> np.ndarray:
    """Soft masks (..., N, S, S) as label maps (..., S, S): the likeliest slot from 1, 0 if none."""
    best, where = masks.float().max(-3)
    return torch.where(best > 0.5, where + 1, 0).byte().cpu().numpy()
