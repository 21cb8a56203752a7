"""The graphs that lie beside a weights file."""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from masktrail.engines.graph import About, file_name
from masktrail.zoo import weights_hash
from masktrail.zoo.files import stem_of


class Graphs(NamedTuple):
    """Files by the name of their function.

    Attributes:
        floats: one of every function, or none at all.
        int8: the same, in 8 bits what there is in 8 bits; none where there is nothing.
        wrong: why those that lie there cannot be used, where that is so.
    """

    floats: dict[str, Path]
    int8: dict[str, Path]
    wrong: str = ""


NOTHING = Graphs({}, {})


def graphs_beside(path: Path) -> Graphs:
    """The graphs of a weights file; none where they are of others or not all there."""
    pattern = re.compile(re.escape(stem_of(path)) + r"\.([a-z_0-9]+)\.onnx")
    matches = {file: pattern.fullmatch(file.name) for file in sorted(path.parent.glob("*.onnx"))}
    files = {match[1]: file for file, match in matches.items() if match}
    abouts, other_version = _said(files)
    if other_version and not abouts:
        return Graphs({}, {}, f"The graphs beside {path.name} are of another version")
    listed = _listed(path, abouts.values())
    floats = {name: files[name] for name in abouts if name in listed}
    small = {name: path.with_name(file_name(stem_of(path), name, True)) for name in floats}
    small = {name: file for name, file in small.items() if file.is_file()}
    small_abouts, _ = _said(small)
    said = [*(abouts[name] for name in floats), *(small_abouts.get(name) for name in small)]
    if floats and (wrong := _wrong(path, said)):
        return Graphs({}, {}, f"The graphs beside {path.name} {wrong}")
    return Graphs(floats, {**floats, **small} if small else {})


def _said(files: Mapping[str, Path]) -> tuple[dict[str, About], bool]:
    """What files say of themselves, and whether some say it as another version would."""
    abouts, other_version = dict[str, About](), False
    for name, file in files.items():
        try:
            about = About.found_in(file.read_bytes())
        except (ValueError, TypeError):
            other_version = True
        else:
            if about is not None:
                abouts[name] = about
    return abouts, other_version


def _listed(path: Path, abouts: Iterable[About]) -> set[str]:
    """Functions that the graphs of these very weights speak of, all of them where there are none:
    what an earlier version wrote and this one does not need may be of others."""
    abouts, digest = list(abouts), weights_hash(path)
    fitting = [about for about in abouts if about.weights == digest]
    return {name for about in fitting or abouts for name in about.functions}


def _wrong(path: Path, said: Collection[About | None]) -> str:
    """What is wrong with graphs that say this, if anything."""
    digest = weights_hash(path)
    abouts = [about for about in said if about is not None and about.weights == digest]
    if len(abouts) < len(said):
        return "are of other weights"
    wanted = {name for about in abouts for name in about.functions}
    missing = sorted(wanted - {about.function for about in abouts})
    return f"lack {', '.join(missing)}" if missing else ""
