"""The stored rows: a file per model and engine, valid for the weights whose SHA-256 it names."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from golden.cases import CASES, Case
from golden.traces import Trace
from masktrail.zoo import CARDS, PROMPTS, weights_hash, weights_path

FOLDER = Path(__file__).parent / "stored"


@dataclass(frozen=True)
class Stored:
    """What a file holds.

    Attributes:
        weights: SHA-256 by name of the models that took part, None for those without weights, and
            of their graphs.
        traces: by the name of their case.
    """

    weights: dict[str, str | None]
    traces: dict[str, Trace]


def path_of(subject: str) -> Path:
    """Where the rows of a model and an engine are."""
    return FOLDER / f"{subject}.json"


def cases_of(subject: str) -> list[Case]:
    """All that are stored together."""
    return [case for case in CASES if case.subject == subject]


def weights_of(subject: str) -> dict[str, str | None]:
    """SHA-256 of the shipped files that decide a subject's rows, by what they are of."""
    cases = cases_of(subject)
    names = [cases[0].model]
    if any(case.prompt != "mask" for case in cases):
        names.append(PROMPTS)
    weights = {name: weights_hash(weights_path(name)) for name in names}
    if cases[0].engine != "torch":
        for name in names:
            digests = "".join(CARDS[name].graphs.values()).encode()
            weights[f"{name}, graphs"] = hashlib.sha256(digests).hexdigest()
    return weights


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
