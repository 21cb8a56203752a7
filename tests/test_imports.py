"""Imports point one way, from the ends of the program down to its types."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from masktrail.engines import gpu

ROOT = Path(__file__).parents[1] / "src" / "masktrail"

LEVELS = [
    {"errors"},
    {"types", "files", "libraries", "pictures", "images"},
    {"masks", "prompts", "results", "geometry", "devices", "settings", "flow"},
    {"video", "models", "engines", "data", "dreams", "losses"},
    {"recipe"},
    {"tracking", "export", "annotations"},
    {"families"},
    {"zoo"},
    {"run"},
    {"train", "evaluate", "demo"},
    {"batch", "web", "finetune", "dreaming", "graphs", "collecting"},
    {"cli"},
    {"masktrail"},
]
"""Rooms from low to high; a room imports from its own level and from those below it."""

LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}

FORBIDDEN = {
    "models": {"video", "data", "losses"},
    "data": {"video", "models", "losses", "dreams"},
    "losses": {"video", "models", "data", "dreams"},
    "dreams": {"video", "models", "losses"},
    "video": {"models", "data", "losses"},
    "train": {"video", "evaluate", "export", "tracking", "prompts"},
    "evaluate": {"train"},
    "export": {"tracking", "models"},
    "tracking": {"export", "video", "recipe"},
    "families": {"export", "video"},
}
"""Rooms that know nothing of each other though their level would let them."""


def modules() -> dict[str, Path]:
    """Dotted names, `masktrail` left out, of all files; the package itself is ''."""
    names = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        names[".".join(part for part in parts if part != "__init__")] = path
    return names


MODULES = modules()


def room(module: str) -> str:
    return module.split(".")[0] or "masktrail"


@cache
def imported(module: str) -> frozenset[tuple[str, bool]]:
    """Modules of the package that a module imports, and whether at its top level."""
    return frozenset(arrows(module, ast.parse(MODULES[module].read_text())))


def arrows(module: str, tree: ast.Module) -> Iterator[tuple[str, bool]]:
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = absolute(module, node)
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "masktrail":
                yield deepest(name.removeprefix("masktrail").lstrip(".")), id(node) in top


def absolute(module: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.split(".") if MODULES[module].name == "__init__.py" else module.split(".")[:-1]
    kept = package[: len(package) - node.level + 1]
    return ".".join(filter(None, ["masktrail", *kept, node.module]))


def deepest(name: str) -> str:
    """The module that `name`, perhaps a function in it, belongs to."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_a_place(module: str) -> None:
    assert room(module) in LEVEL, f"say in LEVELS where {room(module)} belongs"


@pytest.mark.parametrize("module", MODULES)
def test_no_import_points_back(module: str) -> None:
    own = room(module)
    for other in {room(name) for name, _ in imported(module)} - {own}:
        above = f"{module} imports {other}, which stands above it"
        assert LEVEL.get(other, 0) <= LEVEL.get(own, 0), above
        assert other not in FORBIDDEN.get(own, ()), f"{module} must not know {other}"


def test_no_module_needs_itself() -> None:
    """Top-level imports form no circle, a package's `__init__` and its files left aside."""
    needed = {
        module: {
            name for name, top in imported(module) if top and not f"{module}.".startswith(name)
        }
        for module in MODULES
    }
    while needed:
        free = {module for module, needs in needed.items() if not needs & needed.keys() - {module}}
        assert free, f"imports go round in a circle: {sorted(needed)}"
        needed = {module: needs for module, needs in needed.items() if module not in free}


def test_the_walk_sees_every_kind_of_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.py"
    path.write_text(
        "import torch, masktrail.zoo\n"
        "from masktrail import masks\n"
        "from masktrail.data.pack import Pack\n"
        "from ..run import track\n"
        "def f():\n    from . import loop\n"
    )
    monkeypatch.setitem(MODULES, "train.x", path)
    assert imported("train.x") == {
        ("zoo", True),
        ("masks", True),
        ("data.pack", True),
        ("run", True),
        ("train.loop", False),
    }


FAMILIES = {module.split(".")[1] for module in MODULES if module.startswith("families.")} - {
    "words"
}

ORDINARY = {"copy", "prompt"}
"""Names of families that are words of their own."""


@pytest.mark.parametrize("module", [name for name in MODULES if room(name) != "families"])
def test_nothing_outside_names_a_family(module: str) -> None:
    inner = {name for name, _ in imported(module) if name.startswith("families.")}
    assert not inner, f"{module} imports {inner}: ask `families` for a family by name"
    names = {name.replace("_", "-") for name in FAMILIES} - ORDINARY
    tree = ast.parse(MODULES[module].read_text())
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not words & names, f"{module} names {words & names}"


def loaded(*names: str, then: str = "pass") -> set[str]:
    """Top-level names of everything that is loaded after importing modules in a fresh Python."""
    lines = [*(f"import {name}" for name in names), then]
    code = "; ".join([*lines, "import sys", "print(*{n.split('.')[0] for n in sys.modules})"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def of_rooms(*rooms: str) -> list[str]:
    names = [f"masktrail.{module}" for module in MODULES if room(module) in rooms]
    assert names
    return [name for name in names if not name.endswith("__main__")]


def test_exporting_needs_no_torch() -> None:
    assert not loaded(*of_rooms("export")) & {"torch", "typer", "cv2", "scipy"}


def test_low_rooms_need_no_torch() -> None:
    names = of_rooms("errors", "types", "masks", "flow", "video")
    assert not loaded(*names) & {"torch", "typer", "cv2", "scipy"}


def test_tracking_needs_no_torch_but_its_engine() -> None:
    names = [f"masktrail.{module}" for module in MODULES if room(module) == "families"]
    inner = {".config", ".bank", ".propagator", ".prompter"}
    names = [name for name in names if name[name.rindex(".") :] in inner]
    assert len(names) > 6
    found = loaded(*of_rooms("tracking", "prompts", "geometry", "run"), "masktrail.engines", *names)
    assert not found & {"torch", "typer", "cv2", "scipy"}


@pytest.mark.skipif(gpu.is_possible(), reason="torch is asked for its GPU here")
def test_a_model_of_graphs_needs_no_torch() -> None:
    found = loaded("masktrail", then="masktrail.load(); masktrail.load('labelprop')")
    assert "openvino" in found and not found & {"torch", "scipy", "typer"}


def test_training_needs_neither_pyav_nor_typer() -> None:
    found = loaded(*of_rooms("train", "data", "models", "losses", "recipe", "families"))
    assert "torch" in found
    assert not found & {"av", "typer", "rich", "cv2", "matplotlib"}


def test_the_package_itself_is_light() -> None:
    assert not loaded("masktrail") & {"torch", "av", "numpy", "typer", "PIL"}


def test_the_command_line_loads_torch_in_commands_only() -> None:
    assert not loaded("masktrail.cli") & {"torch", "av", "matplotlib", "cv2", "scipy"}
