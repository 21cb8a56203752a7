"""`make golden`: tracks the clips again and stores what is new, unless it is worse."""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

from golden import stored
from golden.cases import CASES, Case
from golden.stored import Stored
from golden.traces import Trace, differences, follow
from masktrail.errors import InputError

WORST_DROP = 0.02
"""How much mean J of a row may fall with new weights."""


def main() -> int:
    """Renews every model's file, or those named; 1 if one was refused."""
    parser = argparse.ArgumentParser(prog="python -m golden", description=__doc__)
    known = list(dict.fromkeys(case.model for case in CASES))
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(known)}")
    models = parser.parse_args().models or known
    for model in models:
        if model not in known:
            parser.error(f"there are no clips for {model!r}; known are {', '.join(known)}")
    try:
        subjects = dict.fromkeys(case.subject for case in CASES if case.model in models)
        return max([renew(stored.path_of(subject), subject) for subject in subjects])
    except InputError as error:
        raise SystemExit(str(error)) from error


def renew(path: Path, subject: str, follow: Callable[[Case], Trace] = follow) -> int:
    """Tracks a subject's clips, prints what changed, and writes it unless a row fell too far.

    Where nothing has moved beyond what `differences` allows, and the weights are the same, the
    file stays as it is: small steps would add up to a large one.

    Returns:
        1 if a row's mean J fell by `WORST_DROP` or more, and nothing was written; else 0.
    """
    before = stored.read(path) if path.exists() else Stored({}, {})
    weights = stored.weights_of(subject)
    now = {case.name: follow(case) for case in stored.cases_of(subject)}
    drops = [_told(subject, name, before.traces.get(name), trace) for name, trace in now.items()]
    if max(drops) >= WORST_DROP:
        print(
            f"{path.name} is not written: J fell by {WORST_DROP} or more. Where that is meant, "
            "remove the file first."
        )
        return 1
    if weights == before.weights and not _moved(before.traces, now):
        print(f"{path.name} stays as it is.")
        return 0
    stored.write(path, Stored(weights, now))
    print(f"{path.name} is written.")
    return 0


def _told(subject: str, name: str, before: Trace | None, now: Trace) -> float:
    """Prints a row; how much its mean J fell."""
    if before is None:
        print(f"{subject}, {name}: J {now.mean:.4f}, new", flush=True)
        return 0.0
    moved = [abs(a - b) for a, b in zip(before.similarities, now.similarities, strict=False)]
    print(
        f"{subject}, {name}: J {before.mean:.4f} -> {now.mean:.4f}, "
        f"by up to {max(moved):.4f} in a frame",
        flush=True,
    )
    return before.mean - now.mean


def _moved(before: dict[str, Trace], now: dict[str, Trace]) -> bool:
    if before.keys() != now.keys():
        return True
    pairs: Iterable[tuple[Trace, Trace]] = ((before[name], now[name]) for name in now)
    return any(len(a.areas) != len(b.areas) or differences(a, b) for a, b in pairs)
