"""Figures as rows of text, the same for terminal, Markdown and HTML."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Figures = Mapping[str, Any]
"""What `folders.measure_folder` or one entry of `run.evaluate` returns."""

PROTOCOL_NOTES = {
    "davis": "official DAVIS rules: first and last frame left out, mean over objects",
    "report": "every frame but the first at 256x256, mean over frames; "
    "its ground truth grows when it is resized, so figures are lower than by DAVIS rules",
}

MODEL_HEADINGS = (
    "model",
    "J&F",
    *(f"{measure} {what}" for measure in "JF" for what in ("mean", "recall", "decay")),
    "tracking frames/s",
    "overall frames/s",
    "peak MiB",
)


def model_row(figures: Figures) -> list[str]:
    """One model under `MODEL_HEADINGS`; what was not measured is empty."""
    shares = [figures[m][what] for m in "JF" for what in ("mean", "recall", "decay")]
    speeds = (figures["speed"][key] for key in ("tracking_fps", "end_to_end_fps"))
    return [
        figures["model"],
        *(f"{value:.3f}" for value in (figures["J&F"], *shares)),
        *(f"{speed:.1f}" if speed else "" for speed in speeds),
        f"{figures['peak_memory_mb']:.0f}" if figures["peak_memory_mb"] else "",
    ]


def model_table(results: Sequence[Figures]) -> tuple[list[str], list[list[str]]]:
    """Headings and one row per model, without columns that nobody has figures for."""
    rows = [model_row(figures) for figures in results]
    keep = [k for k in range(len(MODEL_HEADINGS)) if any(row[k] for row in rows)]
    return [MODEL_HEADINGS[k] for k in keep], [[row[k] for k in keep] for row in rows]


def caption(results: Sequence[Figures]) -> str:
    """What was measured on, by which protocol, from which prompt."""
    first = results[0]
    objects = sum(len(sequence) for sequence in first["sequences"].values())
    parts = [
        f"{data_name(first)}: {len(first['sequences'])} sequences, {objects} objects",
        f"protocol {first['protocol']}",
    ]
    return ", ".join(parts + ([f"prompt {first['prompt']}"] if "prompt" in first else []))


def data_name(figures: Figures) -> str:
    """Of the data set that was measured on, and its resolution, if it says one."""
    return f"{figures['data']} {figures['level']}".strip()


def sequence_scores(figures: Figures) -> dict[str, float]:
    """J&F of every sequence, mean over its objects."""
    return {
        name: float(np.mean([entry[m]["mean"] for entry in objects.values() for m in "JF"]))
        for name, objects in figures["sequences"].items()
    }


def sequence_rows(results: Sequence[Figures]) -> list[list[str]]:
    """Name of every sequence and its J&F by each model; the last row is over all objects."""
    by_model = [sequence_scores(figures) for figures in results]
    rows = [
        [name, *(f"{scores[name]:.3f}" if name in scores else "" for scores in by_model)]
        for name in results[0]["sequences"]
    ]
    return [*rows, ["all objects", *(f"{figures['J&F']:.3f}" for figures in results)]]


def object_rows(figures: Figures) -> list[list[str]]:
    """Sequence, object id, J, F and J&F of every object."""
    rows = []
    for name, objects in figures["sequences"].items():
        for object_id, entry in objects.items():
            j, f = entry["J"]["mean"], entry["F"]["mean"]
            rows.append([name, object_id, *(f"{value:.3f}" for value in (j, f, (j + f) / 2))])
    return rows


def over_time(objects: Mapping[str, Any], measure: str = "J") -> np.ndarray:
    """A sequence's values by scored frame, mean over objects, shape (N,).

    All objects are scored to the same last frame; those that appear later start later.
    """
    rows = [entry["per_frame"][measure] for entry in objects.values()]
    longest = max(map(len, rows))
    padded = np.full((len(rows), longest), np.nan)
    for row, values in zip(padded, rows, strict=True):
        row[longest - len(values) :] = values
    return np.nanmean(padded, axis=0)


def markdown(results: Sequence[Figures]) -> str:
    """Both tables as Markdown, the protocol above them."""
    sequences = _markdown_table(("J&F", *(f["model"] for f in results)), sequence_rows(results))
    note = PROTOCOL_NOTES[results[0]["protocol"]]
    models = _markdown_table(*model_table(results))
    return f"{caption(results)} ({note}).\n\n{models}\n{sequences}"


def _markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(headings) - 1)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (headings, rule, *rows))
