"""From folders of pictures to packs, by kind of data set."""

import re
from collections.abc import Callable
from pathlib import Path

from masktrail.data.check import require_sound
from masktrail.data.davis import find_training_sequences, marked_sequences
from masktrail.data.packing import write_pack
from masktrail.data.single_object import Part, pack_single_objects
from masktrail.data.split import SplitSettings
from masktrail.data.stills import find_stills, list_stills
from masktrail.errors import InputError

FINDERS = {
    "stills": find_stills,
    "davis": find_training_sequences,
    "mose": find_training_sequences,
}
"""Kind of data set to what lists it."""

CANVAS = {"stills": (256, 320), "davis": (240, 427), "mose": (256, 256)}
"""Kind of data set to the canvas (height, width) it is packed on."""


def prepare(
    kind: str,
    root: Path,
    out: Path,
    canvas: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    seed: int | None = None,
    held_out: float | None = None,
    negatives: float | None = None,
    recording: str | None = None,
) -> list[Part]:
    """Packs the data set at `root` into the folder `out`.

    Args:
        kind: key of `CANVAS`.
        root: the data set.
        out: the pack; for `mose` a folder of two, `train` and `held-out`.
        canvas: "HEIGHTxWIDTH" in pixels; the kind's own by default.
        progress: called with frames done and frames in all.
        seed: for `mose`, see `SplitSettings`, as the three that follow.
        held_out: share of the videos.
        negatives: frames without an object per frame that shows it.
        recording: what of a video's name tells its recording.

    Returns:
        What the parts of `mose` hold; nothing for the other kinds.

    Raises:
        InputError: no such kind, an option it has not, a malformed canvas, or no data set of that
            kind at `root`.
    """
    if kind not in CANVAS:
        raise InputError(f"There is no kind of data set {kind!r}; known are {', '.join(CANVAS)}.")
    height, width = _canvas(canvas) if canvas else CANVAS[kind]
    options = {
        "seed": seed,
        "held_out": held_out,
        "negatives": negatives,
        "recording": recording,
    }
    chosen = {name: value for name, value in options.items() if value is not None}
    if kind == "mose":
        settings = SplitSettings(**chosen)  # type: ignore[arg-type]
        return pack_single_objects(root, out, height, width, settings, progress)
    if chosen:
        given = ", ".join(f"{name}={value!r}" for name, value in chosen.items())
        raise InputError(f"{kind} is packed as it is and has no {given}; only mose is split.")
    sequences, stills = FINDERS[kind](root), kind == "stills"
    require_sound(list_stills(root) if stills else marked_sequences(root), root, stills=stills)
    write_pack(sequences, out, height, width, progress)
    return []


def _canvas(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if match is None:
        raise InputError(f"The canvas {text!r} cannot be read; write HEIGHTxWIDTH, as 240x427.")
    return int(match[1]), int(match[2])
