"""Networks that are trained together: from a bundle, in processes of their own, with nothing but
what a bare machine has."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
import zipfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import bundle
import together
from bundles.file import Unpacked, unpack_bundle
from bundles.plan import Source
from gpu import learner
from gpu.job import PROCESSES
from gpu.learner import Task
from masktrail.data.synth import ClipSettings
from masktrail.errors import InputError
from masktrail.families import create
from masktrail.recipe import Recipe, Stage
from masktrail.train.loop import Pace
from masktrail.train.reading import read_recipe
from masktrail.train.trainer import read_clock
from masktrail.zoo.weights import load_network, save_network
from painted_sets import paint_stills, paint_videos

ROOT = Path(together.__file__).parents[1]

BARE = ("torch", "numpy", "scipy", "pillow", "safetensors", "matplotlib")
"""Packages of the machine that networks are trained on."""

CPU = torch.device("cpu")

FULL: list[Exception] = [
    torch.OutOfMemoryError("too large"),
    RuntimeError("CUDA error: out of memory"),
    RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
]
"""How a GPU says that its memory is full."""

MODELS = {
    "memory": {"key": 8, "value": 12, "hidden": 16, "stride8": 12, "stride4": 8},
    "siamese-unet": {"width": 4},
}

RECIPE = """
family = "{family}"
model = {{ {model} }}
init = "{init}"
stills = "packs/stills"
videos = ["packs/davis2016-train"]

[[stages]]
until = 0.5
batch = 4
multiple = 0.0
clips = {{ size = 64, frames = 2, max_gap = 2 }}

[[stages]]
batch = 3
multiple = 0.0
clips = {{ size = 64, frames = 2, max_gap = 2 }}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recipes, the weights they start from, and a bundle of these and of painted data."""
    place = tmp_path_factory.mktemp("place")
    paint_stills(place / "data" / "stills")
    paint_videos(place / "data" / "davis2016-train", ("left", "right"), 4)
    for family, model in MODELS.items():
        torch.manual_seed(5)
        init = place / f"{family}-start.safetensors"
        save_network(init, create(family, **model), family, model)
        fields = ", ".join(f"{name} = {value}" for name, value in model.items())
        text = RECIPE.format(family=family, model=fields, init=init)
        (place / f"{family}.toml").write_text(text)
    wanted = [
        Source("davis2016-train", "davis", place / "data" / "davis2016-train", 8, (60,)),
        Source("stills", "stills", place / "data" / "stills", 6, (60,)),
    ]
    starts = bundle.starts_of([place / f"{family}.toml" for family in MODELS])
    bundle.write_bundle(place / "data.zip", wanted, 2**24, 40, starts)
    return place


def recipe(unpacked: Path) -> Recipe:
    """Of a network that learns in no time; without weights to start from."""
    clips = ClipSettings(size=64, frames=2, max_gap=2)
    return Recipe(
        family="siamese-unet",
        model=MODELS["siamese-unet"],
        stills=str(unpacked / "stills"),
        videos=(str(unpacked / "davis2016-train"),),
        stages=(Stage(batch=2, multiple=0.0, clips=clips),),
        steps=2,
    )


@pytest.fixture(scope="module")
def packs(place: Path) -> Path:
    return unpack_bundle(place / "data.zip", place / "unpacked").packs["stills"].parent


def task(name: str, recipe: Recipe, folder: Path, minutes: float = 5.0) -> Task:
    return Task(name, recipe, minutes, folder / name, "cpu", Pace(log=0.0, wind_down=0.1))


@contextmanager
def bare_python(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of a Python, and of all that it starts, in which nothing that is installed
    can be imported but this package, `BARE`, and what these need."""
    known, closure = metadata.packages_distributions(), set[str]()
    asked = list(BARE)
    while asked:
        name = asked.pop().lower().replace("_", "-")
        if name not in closure:
            closure.add(name)
            with_needs = metadata.requires(name) or [] if _installed(name) else []
            asked += [_name(need) for need in with_needs if "extra ==" not in need]
    blocked = {
        module
        for module, made in known.items()
        if not any(one.lower().replace("_", "-") in closure for one in made)
    }
    site = folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import sys\n"
        "from importlib.machinery import PathFinder\n"
        f"BLOCKED = {blocked - {'masktrail'}!r}\n"
        "class Bare:\n"
        "    @staticmethod\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        blocked = name.partition('.')[0] in BLOCKED\n"
        "        return None if blocked else PathFinder.find_spec(name, path, target)\n"
        "sys.meta_path[:] = [Bare if f is PathFinder else f for f in sys.meta_path]\n"
    )
    yield {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT / 'src'}"}


def _installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _name(requirement: str) -> str:
    for mark in " ;<>=!~[(":
        requirement = requirement.partition(mark)[0]
    return requirement


def command(place: Path, *more: str) -> list[str]:
    recipes = [str(place / f"{family}.toml") for family in MODELS]
    given = ["--bundle", str(place / "data.zip"), "--device", "cpu", *more]
    return [sys.executable, str(ROOT / "tools" / "together.py"), *recipes, *given]


def test_a_bare_machine_rehearses_and_writes_what_would_come_back(
    place: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with bare_python(tmp_path) as environment:
        for module in ("av", "typer", "rich"):
            tried = [sys.executable, "-c", f"import {module}"]
            assert subprocess.run(tried, env=environment, capture_output=True).returncode == 1
        ran = subprocess.run(
            command(place, "--minutes", "8", "--dry-run", "--out", str(out)),
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=250,
        )
    assert ran.returncode == 0, ran.stderr
    assert sorted(path.name for path in out.iterdir()) == [
        "logs.zip",
        "memory.safetensors",
        "siamese-unet.safetensors",
    ]
    for family in MODELS:
        _, found = load_network(out / f"{family}.safetensors")
        assert found == family
        assert f"{out / family}.safetensors" in ran.stdout
        line = next(line for line in ran.stdout.splitlines() if line.startswith(f"{family}: "))
        assert "s to begin" in line and "GiB" in line
    with zipfile.ZipFile(out / "logs.zip") as logs:
        told = ("curves.png", "log.csv", "recipe.json", "sheet.jpg")
        assert sorted(logs.namelist()) == [f"{family}/{file}" for family in MODELS for file in told]
        rows = logs.read("memory/log.csv").decode().splitlines()
        assert [row.split(",")[1:3] for row in rows[1:]] == [["1", "2"], ["2", "4"], ["3", "6"]]
    assert "minutes: 0." in ran.stdout and "16.0 of training" in ran.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "site"], "no trace is left"


def test_a_run_told_to_end_brings_what_there_is(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _, _, *given = command(place, "--minutes", "60", "--out", str(out))
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'tools')!r}); import together\n"
        "together.PACE = together.Pace(log=0.1, wind_down=1.0)\n"
        "together.main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, *given],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + 150
        while not (out / "memory.safetensors").is_file():
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                pytest.fail(process.communicate()[1])
            time.sleep(0.1)
        os.kill(process.pid, signal.SIGTERM)
        _, wrong = process.communicate(timeout=100)
    finally:
        process.kill()
    assert process.returncode == 0, wrong
    assert sorted(path.name for path in out.iterdir()) == ["logs.zip", "memory.safetensors"]
    run = tmp_path / "runs" / "together-1" / "networks" / "memory"
    assert (out / "memory.safetensors").read_bytes() == (run / "weights.safetensors").read_bytes()
    assert 0 < read_clock(run).seconds < 600
    assert [path.name for path in run.parent.iterdir()] == ["memory"], "the next did not begin"


@pytest.mark.parametrize("at_once", [False, True])
def test_a_network_that_fails_stops_only_itself(
    packs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    monkeypatch.setattr(together, "_all_at_once", lambda device: at_once)
    good, out = recipe(packs), tmp_path / "out"
    out.mkdir()
    tasks = [
        task("strange", replace(good, frozen=("nothing",)), tmp_path),
        task("good", good, tmp_path),
        task("broken", replace(good, model={"width": "wide"}), tmp_path),
    ]
    jobs = together.train_together(tasks, {}, CPU, out, lambda: False)
    failures = {job.task.name: job.failure for job in jobs}
    assert failures["good"] == ""
    assert failures["strange"].startswith("No parameter to be frozen")
    assert failures["broken"].startswith("TypeError")
    assert [report.steps for report in jobs[1].reports] == [1, 2]
    assert jobs[1].reports[-1].clips == 4 and jobs[1].reports[-1].loss > 0
    assert all(report.memory > 2**26 for report in jobs[1].reports), "torch alone takes that"
    assert sorted(path.name for path in out.iterdir()) == ["good.safetensors", "logs.zip"]


def test_a_fault_of_the_first_process_loses_nothing(
    packs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The networks are ended at once, and what they have learned is brought."""

    def broken(jobs: object, machine: str) -> str:
        raise BrokenPipeError("nobody reads the table")

    monkeypatch.setattr(together, "table", broken)
    monkeypatch.setattr(together, "TABLE", 0.0)
    out = tmp_path / "out"
    out.mkdir()
    endless = task("endless", replace(recipe(packs), steps=0), tmp_path, minutes=60)
    with pytest.raises(BrokenPipeError):
        together.train_together([endless], {}, CPU, out, lambda: False)
    assert sorted(path.name for path in out.iterdir()) == ["endless.safetensors", "logs.zip"]
    assert multiprocessing.active_children() == []


def test_a_process_that_is_killed_is_told_of(packs: Path, tmp_path: Path) -> None:
    endless = task("endless", replace(recipe(packs), steps=0), tmp_path, minutes=60)
    job = together.Job(endless, {}, together.make_stop())
    while not job.reports:
        assert job.follow(1)
    job._process.kill()
    while job.follow(1):
        pass
    assert job.failure == "ended with code -9"


def test_batches_that_do_not_fit_are_halved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that had begun goes on; the time that is lost is lost."""
    tried: list[tuple[list[int], float, bool]] = []

    def train(
        recipe: Recipe, minutes: float, folder: Path, resume: bool, *how: object, overwrite: bool
    ) -> None:
        tried.append(([stage.batch for stage in recipe.stages], minutes, resume))
        if len(tried) == 2:
            folder.mkdir()
            torch.save({"clock": [90.0, 7, 7]}, folder / "checkpoint.pt")
        if len(tried) < 4:
            raise FULL[len(tried) % len(FULL)]

    clock = iter([0.0, 60.0, 200.0, 260.0])
    monkeypatch.setattr(learner, "train", train)
    monkeypatch.setattr(learner, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    large = Recipe("memory", stages=(Stage(until=0.5, batch=12), Stage(batch=3)))
    stop = together.make_stop()
    _, telling = PROCESSES.Pipe(duplex=False)
    learner._train(task("large", large, tmp_path, minutes=10), {}, stop, telling)
    assert [batches for batches, *_ in tried] == [[12, 3], [6, 1], [3, 1], [1, 1]]
    assert [resume for *_, resume in tried] == [False, False, True, True]
    assert [minutes for _, minutes, _ in tried] == pytest.approx([10, 9, 8 + 1 / 6, 7 + 1 / 6])


@pytest.mark.parametrize(
    ("fault", "said"),
    [(FULL[0], "Not even steps of one clip fit"), (RuntimeError("no such size"), "no such size")],
)
def test_what_smaller_batches_do_not_mend_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, said: str
) -> None:
    def train(*how: object, overwrite: bool) -> None:
        raise fault

    monkeypatch.setattr(learner, "train", train)
    small = task("small", Recipe("memory", stages=(Stage(batch=1),)), tmp_path)
    told, telling = PROCESSES.Pipe(duplex=False)
    with pytest.raises((SystemExit, RuntimeError)):
        learner.learn(small, b"", together.make_stop(), telling)
    assert said in told.recv()


def test_recipes_find_what_came_out_of_a_bundle(place: Path, tmp_path: Path) -> None:
    unpacked = unpack_bundle(place / "data.zip", tmp_path)
    asked = read_recipe(place / "memory.toml")
    found = together.located(asked, "memory", unpacked)
    assert found.stills == str(tmp_path / "stills")
    assert found.videos == (str(tmp_path / "davis2016-train"),)
    assert found.init == str(tmp_path / "starts" / "memory.safetensors")
    before, _ = load_network(Path(asked.init or ""))
    after, _ = load_network(Path(found.init))
    for name, weight in before.state_dict().items():
        assert torch.allclose(after.state_dict()[name].float(), weight.float(), atol=0.01)
    assert together.located(asked, "memory", Unpacked()) == asked
    with pytest.raises(InputError, match="memory is to learn from packs/mine, which is not in the"):
        together.located(replace(asked, stills="packs/mine"), "memory", unpacked)
    other = replace(asked, stills="", init=None, held_out="elsewhere/stills")
    moved = replace(other, videos=found.videos, held_out=str(tmp_path / "stills"))
    assert together.located(other, "other", unpacked) == moved
    split = Unpacked({"clips/train": tmp_path / "a", "clips/held-out": tmp_path / "b"})
    apart = replace(other, videos=("packs/clips/train",), held_out="packs/clips/held-out")
    moved = replace(other, videos=(str(tmp_path / "a"),), held_out=str(tmp_path / "b"))
    assert together.located(apart, "other", split) == moved
    with pytest.raises(InputError, match="start from gone, which is neither there"):
        together.located(replace(asked, init="gone"), "other", unpacked)


def test_a_rehearsal_goes_through_the_last_stages() -> None:
    ends = (0.2, 0.5, 0.9, 1.0)
    full = Recipe(
        "memory",
        stages=tuple(Stage(until=u, batch=b) for u, b in zip(ends, (1, 2, 3, 4), strict=True)),
    )
    short = together.rehearsed(full, CPU)
    assert [short.stage(step / short.steps).batch for step in range(short.steps)] == [2, 2, 2]
    large = together.rehearsed(full, torch.device("cuda"))
    assert [large.stage(step / large.steps).batch for step in range(large.steps)] == [2, 3, 4]


def arguments(place: Path, out: Path, **other: object) -> Namespace:
    given = {
        "recipes": [place / "memory.toml"],
        "minutes": 1.0,
        "out": out,
        "bundle": None,
        "device": "cpu",
        "dry_run": True,
        "unlimited": False,
    }
    return Namespace(**{**given, **other})


def test_bad_plans_are_refused_before_anything_is_done(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(**other: object) -> None:
        together.run(arguments(place, tmp_path / "out", **other), lambda: False)

    for minutes in (0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="expected a number above 0"):
            run(minutes=minutes)
    with pytest.raises(InputError, match="2 recipes are called memory"):
        run(recipes=[place / "memory.toml", place / "memory.toml"])
    for name in ("memory.toml", "missing.zip"):
        with pytest.raises(InputError, match="not a whole bundle"):
            run(bundle=place / name)
    assert not (tmp_path / "out").exists()
    with monkeypatch.context() as patch, pytest.raises(InputError, match="come back"):
        patch.setattr(together, "expected_files", lambda recipes: {"large": 2**30})
        run()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "logs.zip").write_text("mine")
    with pytest.raises(InputError, match=r"holds logs\.zip, which would be replaced"):
        run()
    assert (tmp_path / "out" / "logs.zip").read_text() == "mine"
    with pytest.raises(InputError, match="could not be written"):
        together.run(arguments(place, place / "memory.toml" / "out"), lambda: False)
