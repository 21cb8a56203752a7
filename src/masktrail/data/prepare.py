"""From folders of pictures to packs, by kind of data set."""

import re
from collections.abc import Callable
from pathlib import Path

from masktrail.data.davis import find_sequences
from masktrail.data.pack import write_pack
from masktrail.data.stills import find_stills
from masktrail.errors import InputError

KINDS = {"stills": (find_stills, (256, 320)), "davis": (find_sequences, (240, 427))}
"""Kind of data set to what lists it, and the canvas (height, width) it is packed on."""


def prepare(
    kind: str,
    root: Path,
    out: Path,
    canvas: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Packs the data set at `root` into the folder `out`.

    Args:
        kind: key of `KINDS`.
        root: the data set.
        out: the pack.
        canvas: "HEIGHTxWIDTH" in pixels; the kind's own by default.
        progress: called with frames done and frames in all.

    Raises:
        InputError: no such kind, a malformed canvas, or no data set of that kind at `root`.
    """
    if kind not in KINDS:
        raise InputError(f"There is no kind of data set {kind!r}; known are {', '.join(KINDS)}.")
    find, size = KINDS[kind]
    height, width = _canvas(canvas) if canvas else size
    write_pack(find(root), out, height, width, progress)


def _canvas(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None:
        raise InputError(f"The canvas {text!r} cannot be read; write HEIGHTxWIDTH, as 240x427.")
    return int(match[1]), int(match[2])
