"""A venv that holds what a plain installation does and nothing else, linked from this one's."""

import subprocess
import tomllib
import venv
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def make_venv(folder: Path, *extras: str) -> Path:
    """Makes a venv with masktrail, its dependencies and those of some extras.

    Returns:
        Its Python.
    """
    venv.create(folder, symlinks=True)
    python = next(p for p in (folder / "bin/python", folder / "Scripts/python.exe") if p.exists())
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.check_output([python, "-c", ask], text=True).strip())
    for name in needed(*extras):
        for part in parts_of(name):
            if not (packages / part.name).exists():
                (packages / part.name).symlink_to(part)
    return python


def needed(*extras: str) -> set[str]:
    """Names of all that an installation with these extras brings, masktrail too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    found: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        requirement = Requirement(wanted.pop())
        one = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if one in found or not (requirement.marker is None or requirement.marker.evaluate()):
            continue
        found.add(one)
        if one[0] == "masktrail":
            wanted += [t for e in one[1] for t in project["optional-dependencies"][e]]
            continue
        requires = distribution(one[0]).requires or ()
        wanted += [text for text in requires if holds(Requirement(text), requirement.extras)]
    return {"masktrail", *(name for name, _ in found)}


def holds(requirement: Requirement, extras: set[str]) -> bool:
    """Whether a package needs it that is installed with these extras."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": e}) for e in ("", *extras))


def parts_of(name: str) -> Iterator[Path]:
    """What a package has put beside others."""
    files = distribution(name).files or ()
    tops = {file.parts[0] for file in files} - {"..", "__pycache__"}
    for top in sorted(tops):
        yield Path(str(distribution(name).locate_file(top)))


def size_of(name: str) -> int:
    """Bytes of a package."""
    return sum(
        file.stat().st_size
        for part in parts_of(name)
        for file in ([part] if part.is_file() else part.rglob("*"))
        if file.is_file()
    )
