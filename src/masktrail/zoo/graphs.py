"""The graphs that lie beside a weights file."""

import re
from collections.abc import Iterable, Sequence
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
    said = {name: About.found_in(file.read_bytes()) for name, file in files.items()}
    abouts = {name: about for name, about in said.items() if about is not None}
    listed = _listed(path, abouts.values())
    floats = {name: files[name] for name in abouts if name in listed}
    small = {name: path.with_name(file_name(stem_of(path), name, True)) for name in floats}
    small = {name: file for name, file in small.items() if file.is_file()}
    small_abouts = [About.found_in(file.read_bytes()) for file in small.values()]
    if floats and (wrong := _wrong(path, [abouts[name] for name in floats], small_abouts)):
        return Graphs({}, {}, f"The graphs beside {path.name} {wrong}")
    return Graphs(floats, {**floats, **small} if small else {})


def _listed(path: Path, abouts: Iterable[About]) -> set[str]:
    """Functions that the graphs of these very weights speak of, all of them where there are none:
    what an earlier version wrote and this one does not need may be of others."""
    abouts, digest = list(abouts), weights_hash(path)
    fitting = [about for about in abouts if about.weights == digest]
    return {name for about in fitting or abouts for name in about.functions}


def _wrong(path: Path, floats: Sequence[About], small: Iterable[About | None]) -> str:
    """What is wrong with graphs, if anything."""
    digest = weights_hash(path)
    if any(about is None or about.weights != digest for about in (*floats, *small)):
        return "are of other weights"
    wanted = {name for about in floats for name in about.functions}
    missing = sorted(wanted - {about.function for about in floats})
    return f"lack {', '.join(missing)}" if missing else ""
