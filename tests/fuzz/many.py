"""Inputs tried for as many minutes as asked, and summed up: `make fuzz`.

What is wrong is kept as it was given and as it was left, with what has to be typed to see it again.
"""

import argparse
import math
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import hypothesis

from fuzz.kinds import cases
from fuzz.trial import GOOD, Case, Outcome, tried

STEP = 1000
"""From one seed of a process to its next."""


@dataclass
class Tally:
    """How often what was tried ended how.

    Attributes:
        endings: by kind and exit code.
        faulty: the folders with what is wrong, and what that is.
    """

    endings: Counter[tuple[str, int | None]] = field(default_factory=Counter)
    faulty: list[str] = field(default_factory=list)

    def add(self, case: Case, outcome: Outcome, place: Path) -> None:
        """Counts a case, and keeps it beside its place where something is wrong."""
        self.endings[case.kind, outcome.code] += 1
        if outcome.faults:
            name = case.kind.replace(" ", "-")
            kept = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=place.parent))
            shutil.move(place, kept / "left")
            case.lay_out(kept / "given")
            (kept / "case.txt").write_text(f"In a copy of `given`: {case.typed()}\n{outcome}\n")
            self.faulty.append(f"{kept}: {'; '.join(outcome.faults)}")


def try_some(seed: int, count: int, out: Path, end: float = math.inf) -> Tally:
    """Tries `count` cases of a seed, or, where `end` (of `time.time`) is before that, at least one.

    Args:
        seed: gives the same cases every time.
        count: of cases.
        out: folder for what is wrong.
        end: when no further one is begun.
    """
    out.mkdir(parents=True, exist_ok=True)
    tally, place = Tally(), Path(tempfile.mkdtemp(prefix=".trying-", dir=out))

    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.seed(seed)
    @hypothesis.given(cases())
    def attempt(case: Case) -> None:
        if time.time() < end or not tally.endings:
            tally.add(case, tried(case, place), place)

    attempt()
    shutil.rmtree(place, ignore_errors=True)
    return tally


def try_for(minutes: float, seed: int, out: Path) -> Tally:
    """Tries cases until minutes have passed, fifty of each seed."""
    end = time.time() + 60 * minutes
    tallies = [try_some(seed, 50, out, end)]
    while time.time() < end:
        seed += STEP
        tallies.append(try_some(seed, 50, out, end))
    return summed(tallies)


def summed(tallies: Iterable[Tally]) -> Tally:
    """All of them in one."""
    total = Tally()
    for tally in tallies:
        total.endings += tally.endings
        total.faulty += tally.faulty
    return total


def table(tally: Tally) -> str:
    """A row for every kind: inputs, and how many of them ended with which exit code."""
    kinds = sorted({kind for kind, _ in tally.endings})
    rows = [("kind", "inputs", *(f"exit {code}" for code in GOOD), "other")]
    for kind in kinds:
        counts = {code: count for (of, code), count in tally.endings.items() if of == kind}
        good = [counts.pop(code, 0) for code in GOOD]
        found = (sum(good) + sum(counts.values()), *good, sum(counts.values()))
        rows.append((kind, *map(str, found)))
    return "\n".join(f"{row[0]:<14}" + "".join(f"{cell:>8}" for cell in row[1:]) for row in rows)


def main() -> int:
    """The command; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--jobs", type=int, default=2, help="inputs tried at the same time")
    parser.add_argument(
        "--seed", type=int, default=0, help="for the same inputs again; of the clock where it is 0"
    )
    parser.add_argument("--out", type=Path, default=Path("out/fuzz"), help="for what is wrong")
    given = parser.parse_args()
    seed, out = given.seed or int(time.time()), given.out.resolve()
    with ProcessPoolExecutor(given.jobs, get_context("spawn")) as pool:
        seeds = range(seed, seed + given.jobs)
        parts = [pool.submit(try_for, given.minutes, one, out) for one in seeds]
        tally = summed(part.result() for part in parts)
    print(table(tally))
    print(
        f"{tally.endings.total()} inputs of seed {seed}, {len(tally.faulty)} with something wrong"
    )
    print("\n".join(tally.faulty))
    return 1 if tally.faulty else 0
