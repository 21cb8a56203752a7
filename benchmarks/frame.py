"""Where the milliseconds of a frame go, from a 480p video file to files on disk, thread by thread.

    python benchmarks/frame.py [--size 288] [--objects 1] [--frames 300] [--export davis]

Three threads share the work: one reads frames and looks at them, one tracks, one writes. For each
part of it: milliseconds of a frame that pass, and that a processor works on it in this thread,
without parts that stand in rows of their own. What threads of the network and of the codecs work
besides is one row; what passes before the tenth frame does not count.
"""

import argparse
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from masktrail.demo import render_demo
from masktrail.engines.arrays import ArrayEngine
from masktrail.export import WRITERS
from masktrail.geometry import Stretch
from masktrail.run import track
from masktrail.run.job import DEFAULT_EXPORTS
from masktrail.run.journal import Journal
from masktrail.tracking import tracker
from masktrail.tracking.competition import Settled
from masktrail.tracking.tracker import Tracker
from masktrail.video import cuts
from masktrail.video.container import ContainerSource
from speed import BOXES

SKIPPED = 10
"""Frames before which networks are prepared and memory fills."""

PARTS: tuple[tuple[Any, str, str], ...] = (
    (ContainerSource, "_decode", "decoding"),
    (ContainerSource, "image", "to RGB"),
    (cuts, "look_at", "cuts"),
    (Stretch, "image_in", "to working size"),
    (Tracker, "look", "looking"),
    (Tracker, "step", "tracking"),
    (tracker, "without_strays", "strays"),
    (Settled, "labels", "labels at full size"),
    (ArrayEngine, "run", "network: {1}"),
    (ArrayEngine, "attend", "network: attend"),
    (Journal, "add", "journal"),
    *((WRITERS[name], "write", f"export: {name}") for name in WRITERS),
)
"""Where a function lies, its name, and what its part is called; arguments stand for {0}, {1}."""


class Clock:
    """Seconds that parts take, each without those inside it, by thread and name."""

    def __init__(self) -> None:
        self.begun, self._local = 0.0, threading.local()
        self.wall: dict[tuple[str, str], float] = defaultdict(float)
        self.busy: dict[tuple[str, str], float] = defaultdict(float)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        inside = self._local.__dict__.setdefault("inside", [])
        inside.append([0.0, 0.0])
        begun = time.perf_counter(), time.thread_time()
        try:
            yield
        finally:
            spent = time.perf_counter() - begun[0], time.thread_time() - begun[1]
            within = inside.pop()
            if self.begun:
                key = threading.current_thread().name.partition("_")[0], name
                self.wall[key] += spent[0] - within[0]
                self.busy[key] += spent[1] - within[1]
            if inside:
                inside[-1][0] += spent[0]
                inside[-1][1] += spent[1]

    def around(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The function, timed; where it gives one value after the other, each is."""

        def timed(*given: Any, **named: Any) -> Any:
            label = name.format(*given) if "{" in name else name
            with self.part(label):
                result = function(*given, **named)
            return self._each(result, label) if isinstance(result, Iterator) else result

        return timed

    def _each(self, values: Iterator[Any], name: str) -> Iterator[Any]:
        end = object()
        while True:
            with self.part(name):
                value = next(values, end)
            if value is end:
                return
            yield value


def measured(clip: Path, out: Path, options: dict[str, Any], objects: int) -> tuple[Clock, Any]:
    """The clock, and per frame that counts: milliseconds that pass and that all threads work."""
    clock, totals = Clock(), {}

    def progress(done: int, expected: int | None) -> None:
        if done == SKIPPED:
            clock.begun = time.perf_counter()
            totals["from"] = clock.begun, time.process_time()
        totals["to"], totals["frames"] = (time.perf_counter(), time.process_time()), done - SKIPPED

    with ExitStack() as stack:
        for place, name, label in PARTS:
            timed = clock.around(getattr(place, name), label)
            stack.enter_context(patch.object(place, name, timed))
        boxes = {i: BOXES[i] for i in range(1, objects + 1)}
        track(clip, boxes, out, progress=progress, overwrite=True, **options)
    per_frame = 1e3 / totals["frames"]
    spent = [(b - a) * per_frame for a, b in zip(totals["from"], totals["to"], strict=True)]
    for times in (clock.wall, clock.busy):
        times.update({key: seconds * per_frame for key, seconds in times.items()})
    return clock, spent


def main() -> None:
    """Parses the arguments, tracks and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="memory-s")
    parser.add_argument("--size", type=int, default=None)
    parser.add_argument("--objects", type=int, default=1)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--export", default=DEFAULT_EXPORTS)
    arguments = parser.parse_args()
    if arguments.frames <= SKIPPED:
        parser.error(f"the first {SKIPPED} frames do not count; give more")
    options = {"model": arguments.model, "size": arguments.size, "export": arguments.export}
    with TemporaryDirectory() as scratch:
        clip = render_demo(Path(scratch), frames=arguments.frames)
        clock, (wall, busy) = measured(clip, Path(scratch) / "out", options, arguments.objects)
    print(f"{'thread':<12}{'part':<24}{'passes':>8}{'works':>8}   ms per frame")
    for thread in ("reader", "MainThread", "writer"):
        rows = [
            (name, clock.wall[t, name], clock.busy[t, name])
            for t, name in clock.wall
            if t == thread
        ]
        for name, passed, worked in sorted(rows, key=lambda row: -row[1]):
            print(f"{thread:<12}{name:<24}{passed:8.2f}{worked:8.2f}")
        print(
            f"{thread:<12}{'all':<24}{sum(r[1] for r in rows):8.2f}{sum(r[2] for r in rows):8.2f}"
        )
    others = busy - sum(clock.busy.values())
    print(f"{'others':<12}{'network, codecs, rest':<24}{'':8}{others:8.2f}")
    print(f"{'a frame':<36}{wall:8.2f}{busy:8.2f}   {1e3 / wall:.1f} frames/s")


if __name__ == "__main__":
    main()
