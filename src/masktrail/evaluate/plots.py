"""Pictures of J and F. Needs matplotlib; no state is left in it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from masktrail.evaluate.tables import Figures, over_time, sequence_scores
from masktrail.types import Image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = (
    "#2563eb", "#ea580c", "#0d9488", "#9333ea", "#ca8a04", "#db2777", "#4b5563", "#65a30d",
)  # fmt: skip
INK, MUTED, GRID = "#1e293b", "#64748b", "#e2e8f0"
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.frameon": False,
}


def colour(index: int) -> str:
    """Of the model at a place in the table."""
    return COLOURS[index % len(COLOURS)]


def sequence_bars(results: Sequence[Figures]) -> bytes:
    """PNG: J&F of every sequence, hardest on top, one bar per model."""
    scores = [sequence_scores(figures) for figures in results]
    names = sorted(scores[0], key=lambda name: np.mean([s[name] for s in scores if name in s]))
    thickness = 0.8 / len(results)
    with _figure(9, 0.8 + len(names) * max(0.34, 0.17 * len(results) + 0.12)) as figure:
        axes = figure.add_subplot()
        for k, model_scores in enumerate(scores):
            places = np.arange(len(names)) + (k - (len(results) - 1) / 2) * thickness
            values = [model_scores.get(name, 0.0) for name in names]
            axes.barh(places, values, thickness * 0.9, color=colour(k), label=results[k]["model"])
            for place, value in zip(places, values, strict=True):
                axes.text(value + 0.005, place, f"{value:.2f}", va="center", size=7.5, color=MUTED)
        axes.set(xlim=(0, 1.04), ylim=(len(names) - 0.45, -0.55), xlabel="J&F")
        axes.set_yticks(range(len(names)), names, color=INK)
        axes.grid(False, axis="y")
        axes.tick_params(length=0)
        _legend(figure, axes, len(results))
        return _png(figure)


def curves(results: Sequence[Figures]) -> bytes:
    """PNG: J over time, one panel per sequence, one line per model."""
    names = list(results[0]["sequences"])
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    with _figure(4.2 * columns if columns > 1 else 9, 0.6 + 1.9 * rows) as figure:
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for axes, name in zip(grid.flat, names, strict=False):
            for k, figures in enumerate(results):
                values = over_time(figures["sequences"][name])
                frames = np.arange(1, len(values) + 1)
                axes.plot(frames, values, color=colour(k), lw=1.6, label=figures["model"])
            axes.set(ylim=(-0.03, 1.03), xlim=(1, max(len(values), 2)))
            axes.set_title(name, loc="left", size=10, weight="bold")
            axes.tick_params(length=0)
            axes.xaxis.get_major_locator().set_params(integer=True, nbins=6)
        for axes in grid.flat[len(names) :]:
            axes.remove()
        for axes in grid[:, 0]:
            axes.set_ylabel("J")
        figure.supxlabel("scored frame", size=9, color=MUTED)
        _legend(figure, grid[0, 0], len(results))
        return _png(figure)


def speed_against_quality(results: Sequence[Figures]) -> bytes | None:
    """PNG: J&F over tracking speed, one dot per model; None where speeds are not known."""
    points = [(f["speed"]["tracking_fps"], f["J&F"], f["model"]) for f in results]
    if len(points) < 2 or not all(speed for speed, _, _ in points):
        return None
    with _figure(9, 3.6) as figure:
        from matplotlib.ticker import LogLocator, NullLocator

        axes = figure.add_subplot()
        for k, (speed, score, name) in enumerate(points):
            axes.scatter(speed, score, s=90, color=colour(k), zorder=3)
            axes.annotate(
                name, (speed, score), (8, 6), textcoords="offset points", weight="bold", color=INK
            )
        axes.set(xscale="log", xlabel="frames/s, tracking alone", ylabel="J&F")
        axes.margins(0.15, 0.2)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
        axes.tick_params(length=0)
        return _png(figure)


def sheet(pictures: Sequence[tuple[str, Image]], columns: int) -> bytes:
    """PNG: pictures (H, W, 3) with a line above each, in rows of `columns`."""
    rows = -(-len(pictures) // columns)
    height, width = pictures[0][1].shape[:2]
    with _figure(4.4 * columns, rows * (4.4 * height / width + 0.35)) as figure:
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for axes, (title, picture) in zip(grid.flat, pictures, strict=False):
            axes.imshow(picture)
            axes.set_title(title, loc="left", size=10)
        return _png(figure)


@contextmanager
def _figure(width: float, height: float) -> Iterator["Figure"]:
    """An empty figure, sides in inches, in the style of the report."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        yield Figure((width, height), layout="constrained", facecolor="white")


def _legend(figure: "Figure", axes: "Axes", models: int) -> None:
    if models > 1:
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=min(models, 5))


def _png(figure: "Figure") -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()
