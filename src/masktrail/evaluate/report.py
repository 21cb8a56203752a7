"""The report: one HTML page that needs nothing else, its pictures as PNG, tables as Markdown."""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from masktrail.data import davis
from masktrail.errors import InputError
from masktrail.evaluate import plots, tables
from masktrail.evaluate.gallery import Shot, shots
from masktrail.evaluate.tables import Figures
from masktrail.files import replacing
from masktrail.types import Image

TEMPLATE = Path(__file__).with_name("report.html")


@dataclass(frozen=True)
class Scored:
    """A model's figures and the folder `<sequence>/<frame>.png` of the masks they are of."""

    figures: Figures
    masks: Path


def require_plotting() -> None:
    """Makes sure, before any work is done, that a report can be drawn.

    Raises:
        InputError: matplotlib or Jinja2 is not installed.
    """
    missing = [name for name in ("matplotlib", "jinja2") if find_spec(name) is None]
    if missing:
        raise InputError(
            f"The report needs {' and '.join(missing)}, not installed here; "
            "install with: pip install 'masktrail[plot]'"
        )


def write_report(scored: Sequence[Scored], root: Path | str, out: Path) -> Path:
    """Writes `report.html`, `scores.md`, `scores.json` and the pictures as PNG into a folder.

    Args:
        scored: figures of one model or several over the same sequences, and their masks.
        root: the data set they are about.
        out: folder, made where it is missing.

    Returns:
        Path of `report.html`, which holds everything and can be sent around alone.

    Raises:
        InputError: a package for plotting is missing, a mask or picture cannot be read, or a file
            cannot be written.
    """
    require_plotting()
    results = [model.figures for model in scored]
    out.mkdir(parents=True, exist_ok=True)
    galleries = [_gallery(model, root) for model in scored]
    charts = {
        "sequences": plots.sequence_bars(results),
        "over-time": plots.curves(results),
        "speed": plots.speed_against_quality(results),
    }
    sheets = {
        f"frames-{model.figures['model']}": _sheet(gallery)
        for model, gallery in zip(scored, galleries, strict=True)
    }
    for name, png in {**charts, **sheets}.items():
        if png is not None:
            _write(out / f"{name}.png", png)
    _write(out / "scores.md", tables.markdown(results).encode())
    _write(out / "scores.json", (json.dumps(results, indent=2) + "\n").encode())
    _write(out / "report.html", _page(results, charts, galleries).encode())
    return out / "report.html"


def _sheet(gallery: Sequence[Shot]) -> bytes:
    """PNG: the worst frames in the first row, the best in the second."""
    titled = [(f"{'worst' if s.worst else 'best'}: {s.title}", s.picture) for s in gallery]
    return plots.sheet(titled, columns=len(gallery) // 2)


def _gallery(scored: Scored, root: Path | str) -> list[Shot]:
    figures = scored.figures
    sequences = davis.find_sequences(root, list(figures["sequences"]), figures["level"] or None)
    return shots(figures, sequences, scored.masks)


def _page(
    results: Sequence[Figures],
    charts: dict[str, bytes | None],
    galleries: Sequence[Sequence[Shot]],
) -> str:
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    headings, rows = tables.model_table(results)
    best = max(figures["J&F"] for figures in results)
    return environment.from_string(TEMPLATE.read_text()).render(
        caption=tables.caption(results),
        data=tables.data_name(results[0]),
        note=tables.PROTOCOL_NOTES[results[0]["protocol"]],
        headings=headings[1:],
        models=[
            _model(figures, row, plots.colour(k), figures["J&F"] == best)
            for k, (figures, row) in enumerate(zip(results, rows, strict=True))
        ],
        charts={name: _uri(png, "png") for name, png in charts.items() if png is not None},
        galleries=[[_tile(shot) for shot in gallery] for gallery in galleries],
        sequences=_heat(results),
        versions=results[0]["versions"],
    )


def _model(figures: Figures, row: list[str], colour: str, best: bool) -> dict[str, Any]:
    return {
        "name": row[0],
        "cells": row[1:],
        "share": 100 * figures["J&F"],
        "colour": colour,
        "best": best,
        "settings": figures.get("settings", {}),
        "sha256": figures.get("weights_sha256"),
    }


def _heat(results: Sequence[Figures]) -> list[dict[str, Any]]:
    """Rows of the table of sequences: name, and (text, share of 100) by model."""
    scores = [tables.sequence_scores(figures) for figures in results]
    return [
        {"name": name, "cells": [(f"{column[name]:.3f}", 100 * column[name]) for column in scores]}
        for name in scores[0]
    ]


def _tile(shot: Shot) -> dict[str, Any]:
    return {"title": shot.title, "worst": shot.worst, "picture": _uri(_jpeg(shot.picture), "jpeg")}


def _jpeg(picture: Image) -> bytes:
    from PIL import Image as Pictures

    buffer = BytesIO()
    Pictures.fromarray(picture).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{b64encode(content).decode()}"


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as part:
        part.write_bytes(content)
