"""The stored rows: a file per model and engine, valid for the weights whose SHA-256 it names."""

import json
from dataclasses import dataclass
from pathlib import Path

from golden.cases import CASES, Case
from golden.traces import Trace
from masktrail.zoo import PROMPTS, weights_hash, weights_path

FOLDER = Path(__file__).parent / "stored"
ENGINE = "torch"


@dataclass(frozen=True)
class Stored:
    """What a file holds.

    Attributes:
        weights: SHA-256 by name of the models that took part, None for those without weights.
        traces: by the name of their case.
    """

    weights: dict[str, str | None]
    traces: dict[str, Trace]


def path_of(model: str) -> Path:
    """Where the rows of a model are."""
    return FOLDER / f"{model}-{ENGINE}.json"


def cases_of(model: str) -> list[Case]:
    """All that are stored together."""
    return [case for case in CASES if case.model == model]


def weights_of(model: str) -> dict[str, str | None]:
    """SHA-256 of the shipped weights that decide a model's rows, by name of their model."""
    names = [model]
    if any(case.prompt != "mask" for case in cases_of(model)):
        names.append(PROMPTS)
    return {name: weights_hash(weights_path(name)) for name in names}


def read(path: Path) -> Stored:
    """What `write` wrote."""
    held = json.loads(path.read_text())
    return Stored(held["weights"], {k: Trace.from_row(row) for k, row in held["rows"].items()})


def write(path: Path, stored: Stored) -> None:
    """A line per list, so that a change of one is seen as one."""
    rows = ",\n".join(
        f'  {json.dumps(name)}: {{\n   "J": {json.dumps(row["J"])},\n'
        f'   "area": {json.dumps(row["area"])}\n  }}'
        for name, row in ((name, trace.row()) for name, trace in stored.traces.items())
    )
    weights = json.dumps(stored.weights, indent=2).replace("\n", "\n ")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{{\n "weights": {weights},\n "rows": {{\n{rows}\n }}\n}}\n')
