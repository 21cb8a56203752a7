"""Trains several networks at once on one GPU, or one after the other on a CPU.

    PYTHONPATH=src python3 tools/together.py RECIPE ... --minutes 8 --out DIR
        [--bundle FILE] [--device cuda] [--dry-run] [--unlimited]

Every network has a process of its own: a small one leaves most of a GPU idle. One that fails stops
only itself. Packs, and weights that recipes start from, come out of the bundle (`tools/bundle.py`)
where it holds them; packs lie in the GPU's memory once. Every 30 seconds a table is printed. Every
two minutes, and at the end, `--out` gets what is to come back: weights, and `logs.zip` with tables,
curves and a preview sheet of each network. What could not come back, see `travel.py`, is refused
beforehand, unless it is `--unlimited`.

`--dry-run` does three steps of every network, on a CPU of two clips each, writes the very same
files, and prints how many minutes a full run would take.

Ctrl-C or SIGTERM ends all networks: their learning rates fall to zero within 20 seconds, then they
write.

It needs torch, NumPy, SciPy, Pillow, safetensors and, for curves, matplotlib; nothing else.
"""

import argparse
import logging
import math
import signal
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import torch

from bundles.file import Unpacked, read_index, unpack_bundle
from gpu.gauge import gauge
from gpu.job import Job, make_stop
from gpu.learner import Task
from gpu.progress_table import forecast, table
from gpu.results import Harvest, expected_files
from ingredients import ROOT
from masktrail.data.pack import Pack
from masktrail.devices import choose_device
from masktrail.errors import InputError
from masktrail.files import cannot_write
from masktrail.recipe import Recipe
from masktrail.train.drawing import open_packs
from masktrail.train.loop import Pace
from masktrail.train.reading import read_recipe
from travel import MIB, refuse_too_much, refuse_too_much_to_take

logger = logging.getLogger("masktrail.tools")

RUNS = Path("runs")

TABLE = 30.0
"""Seconds between tables."""

TICK = 0.5
"""Seconds between looks at all networks."""

PACE = Pace(log=10.0, save=120.0, score=120.0, wind_down=20.0)

REHEARSAL = Pace(log=0.0)

STEPS = 3
"""Of every network in a dry run."""

FEW = 2
"""Clips of these steps on a CPU, which has neither memory nor time for what a GPU takes at once."""


def main() -> None:
    """Trains, and prints how it goes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", type=Path, nargs="+", metavar="RECIPE")
    parser.add_argument("--minutes", type=float, required=True, help="of training, each network")
    parser.add_argument("--out", type=Path, required=True, help="folder for what comes back")
    parser.add_argument("--bundle", type=Path, help="packs and weights to start from")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dry-run", action="store_true", help="three steps of every network")
    parser.add_argument("--unlimited", action="store_true", help="whatever there is may come back")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    told_to_end = _listen()
    try:
        failed = run(arguments, told_to_end)
    except InputError as error:
        raise SystemExit(str(error)) from error
    if failed:
        raise SystemExit(f"Not trained to the end: {', '.join(failed)}.")


def run(arguments: argparse.Namespace, told_to_end: Callable[[], bool]) -> list[str]:
    """Does what the command line says; the names of the networks that failed.

    Raises:
        InputError: a recipe, the bundle, a pack or weights cannot be used, more would travel than
            can, or `--out` cannot be written or holds what would be replaced.
    """
    begun = time.monotonic()
    if not 0 < arguments.minutes < math.inf:
        raise InputError(f"--minutes is {arguments.minutes:g}; expected a number above 0.")
    recipes, device = read_recipes(arguments.recipes), choose_device(arguments.device)
    _plan(recipes, arguments)
    with _workplace(arguments.dry_run) as place:
        unpacked = (
            unpack_bundle(arguments.bundle, place / "packs") if arguments.bundle else Unpacked()
        )
        recipes = {name: located(recipe, name, unpacked) for name, recipe in recipes.items()}
        packs = open_packs({f: None for r in recipes.values() for f in r.packs}, device)
        preparing = time.monotonic() - begun
        if arguments.dry_run:
            recipes = {name: rehearsed(recipe, device) for name, recipe in recipes.items()}
        pace = REHEARSAL if arguments.dry_run else PACE
        tasks = [
            Task(name, recipe, arguments.minutes, place / "networks" / name, str(device), pace)
            for name, recipe in recipes.items()
        ]
        jobs = train_together(tasks, packs, device, arguments.out, told_to_end)
    if arguments.dry_run:
        print(forecast(jobs, arguments.minutes, preparing, _all_at_once(device)))
    _print_files((path, path.stat().st_size) for path in sorted(arguments.out.iterdir()))
    return [job.task.name for job in jobs if job.failure]


def read_recipes(paths: Sequence[Path]) -> dict[str, Recipe]:
    """Recipes by the names of their networks, which are the files'.

    Raises:
        InputError: one cannot be read, or two are called the same.
    """
    recipes = {path.stem: read_recipe(path) for path in paths}
    if len(recipes) < len(paths):
        raise InputError(
            f"{len(paths)} recipes are called {', '.join(recipes)}; expected a name for each."
        )
    return recipes


def located(recipe: Recipe, name: str, unpacked: Unpacked) -> Recipe:
    """A recipe with the packs and the start that came out of a bundle, if there is one.

    Raises:
        InputError: a pack is not in it, or the weights it starts from are missing.
    """

    def found(folder: str) -> str:
        ends = ["/".join(Path(folder).parts[-length:]) for length in (2, 1)]
        there = next((unpacked.packs[end] for end in ends if end in unpacked.packs), None)
        if folder and unpacked.packs and there is None:
            raise InputError(f"{name} is to learn from {folder}, which is not in the bundle.")
        return str(there or folder)

    init = str(unpacked.starts[name]) if name in unpacked.starts else recipe.init
    if init and not Path(init).is_file():
        raise InputError(f"{name} is to start from {init}, which is neither there nor in a bundle.")
    return replace(
        recipe,
        stills=found(recipe.stills),
        videos=tuple(map(found, recipe.videos)),
        held_out=found(recipe.held_out),
        init=init,
    )


def rehearsed(recipe: Recipe, device: torch.device) -> Recipe:
    """A few steps of a recipe, so that each of its last stages has one."""
    last = recipe.stages[-STEPS:]
    most = FEW if device.type == "cpu" else max(stage.batch for stage in last)
    stages = tuple(
        replace(stage, batch=min(stage.batch, most), until=number / len(last))
        for number, stage in enumerate(last, start=1)
    )
    return replace(recipe, steps=STEPS, stages=stages)


def train_together(
    tasks: Sequence[Task],
    packs: Mapping[str, Pack],
    device: torch.device,
    out: Path,
    told_to_end: Callable[[], bool],
) -> list[Job]:
    """Trains networks, prints tables, and brings what comes of them to `out`.

    Args:
        tasks: one for each network.
        packs: all that they learn from, by folder.
        device: on a CPU one is trained after the other.
        out: folder for what comes back.
        told_to_end: asked all the time whether all are to end before their time.

    Returns:
        What became of each that was begun.
    """
    stop, measure = make_stop(), gauge(device)
    at_once = len(tasks) if _all_at_once(device) else 1
    waiting, running, jobs = deque(tasks), list[Job](), list[Job]()
    harvest = Harvest({task.name: task.folder for task in tasks}, out)
    last_table = time.monotonic()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                running.append(Job(waiting.popleft(), packs, stop))
                jobs.append(running[-1])
            running = [job for job in running if job.follow(TICK / len(running))]
            harvest.bring()
            if told_to_end():
                stop.value = 1
                waiting.clear()
            if time.monotonic() - last_table > TABLE:
                last_table = time.monotonic()
                print(table(jobs, measure()), flush=True)
    finally:  # whatever happens here, what the networks have learned is brought
        stop.value = 1
        while any([job.follow(TICK) for job in running]):
            pass
        harvest.finish()
    print(table(jobs, measure()), flush=True)
    return jobs


def _all_at_once(device: torch.device) -> bool:
    return device.type != "cpu"


def _plan(recipes: Mapping[str, Recipe], arguments: argparse.Namespace) -> None:
    """Prints what is to come back and refuses what cannot; makes the folder for it."""
    if arguments.bundle:
        read_index(arguments.bundle)
    files = expected_files(recipes)
    print("To come back, at most:")
    _print_files((arguments.out / name, size) for name, size in files.items())
    if not arguments.unlimited:
        refuse_too_much(files)
        if arguments.dry_run and arguments.bundle:
            refuse_too_much_to_take(ROOT, arguments.bundle)
    there = [name for name in files if (arguments.out / name).exists()]
    if there:
        raise InputError(
            f"{arguments.out} holds {there[0]}, which would be replaced; name another."
        )
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(arguments.out, error) from error


def _print_files(files: Iterable[tuple[Path, int]]) -> None:
    for path, size in files:
        print(f"{size / MIB:7.2f} MiB  {path}")


@contextmanager
def _workplace(dry: bool) -> Iterator[Path]:
    """A folder for packs and for what training writes, checkpoints among them; a dry run's goes."""
    if dry:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    else:
        place = next(p for n in count(1) if not (p := RUNS / f"together-{n}").exists())
        try:
            place.mkdir(parents=True)
        except OSError as error:
            raise cannot_write(place, error) from error
        yield place


def _listen() -> Callable[[], bool]:
    """From now on signals to end are heard, not obeyed: whether one has come."""
    heard: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: heard.append(number))
    return lambda: bool(heard)


if __name__ == "__main__":
    main()
