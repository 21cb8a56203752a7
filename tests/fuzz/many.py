"""Inputs tried for as many minutes as asked, and summed up: `make fuzz`.

What is wrong is kept as it was tried, in a folder each, with what has to be typed to see it again.
"""

import argparse
import shutil
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
        """Counts a case, and keeps it where something is wrong."""
        self.endings[case.kind, outcome.code] += 1
        if outcome.faults:
            kept = place.with_name(f"{place.name}-{self.endings.total():05}")
            shutil.move(place, kept)
            (kept / "case.txt").write_text(f"{case}\n{outcome}\n")
            self.faulty.append(f"{kept}: {case.kind}: {'; '.join(outcome.faults)}")


def try_until(end: float, seed: int, out: Path) -> Tally:
    """Tries cases of one seed after the other until `end`, a time as `time.time` gives it."""
    tally, place = Tally(), out / f"{seed:04}"

    @hypothesis.settings(
        max_examples=50,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(cases())
    def attempt(case: Case) -> None:
        if time.time() < end:
            tally.add(case, tried(case, place), place)

    while time.time() < end:
        hypothesis.seed(seed)(attempt)()
        seed += 1000
    shutil.rmtree(place, ignore_errors=True)
    return tally


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
    parser.add_argument("--seed", type=int, default=0, help="another one tries other inputs")
    parser.add_argument("--out", type=Path, default=Path("out/fuzz"), help="for what is wrong")
    given = parser.parse_args()
    end = time.time() + 60 * given.minutes
    with ProcessPoolExecutor(given.jobs, get_context("spawn")) as pool:
        seeds = range(given.seed, given.seed + given.jobs)
        parts = [pool.submit(try_until, end, seed, given.out.resolve()) for seed in seeds]
        tally = summed(part.result() for part in parts)
    print(table(tally))
    print(f"{tally.endings.total()} inputs, {len(tally.faulty)} with something wrong")
    print("\n".join(tally.faulty))
    return 1 if tally.faulty else 0
