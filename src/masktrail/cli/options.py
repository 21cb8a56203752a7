"""Options that several commands have, and exit codes."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from masktrail.errors import InputError

REFUSED, LOSSES, INTERRUPTED = 2, 3, 130
"""Exit codes: input that cannot be used; finished, but part of the source was lost; Ctrl-C."""


def settings(model: str, assignments: list[str] | None, adapt: float | None) -> dict[str, Any]:
    """A model's own settings as they were given.

    Raises:
        InputError: they cannot be read, or `--adapt` is for a model that learns nothing.
    """
    from masktrail.zoo import learning, untaught

    own: dict[str, Any] = dict(read_assignments(assignments))
    told = learning(model, adapt) if adapt else {}
    if adapt == 0:
        told = untaught(model)
    for name in told.keys() & own:
        raise InputError(f"--adapt and --set {name} say the same; give one of them.")
    return {**own, **told}


def read_assignments(texts: Sequence[str] | None) -> dict[str, str]:
    """Values by name, from texts of the form NAME=VALUE.

    Raises:
        InputError: one has another form, or a name comes twice.
    """
    values: dict[str, str] = {}
    for text in texts or ():
        name, sign, value = text.partition("=")
        if not (name and sign and value):
            raise InputError(f"--set {text!r} is no NAME=VALUE, as view=square.")
        if name in values:
            raise InputError(f"--set gives {name} twice, {values[name]} and {value}; give it once.")
        values[name] = value
    return values


def read_range(text: str | None) -> tuple[float, float] | None:
    """A range written as LOW,HIGH.

    Raises:
        InputError: it is written otherwise.
    """
    if text is None:
        return None
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        raise InputError(f"The range {text!r} cannot be read; write LOW,HIGH, as 0,4095.") from None
    return low, high


def _hush(quiet: bool) -> bool:
    logging.getLogger("masktrail").setLevel(logging.ERROR if quiet else logging.WARNING)
    return quiet


Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", callback=_hush, help="Say nothing but errors.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, ...")]
Engine = Annotated[
    str, typer.Option(help="openvino, onnxruntime, torch, or auto: torch on a GPU, else openvino.")
]
Precision = Annotated[
    str, typer.Option(help="float, bfloat16, int8, or auto: what the processor is fast in.")
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="NAME=VALUE: a setting of the model's own, as view=square; a wrong name lists them.",
    ),
]
Adapt = Annotated[
    float | None,
    typer.Option(help="Seconds to learn from each prompted frame, where the model can; by torch."),
]
Edges = Annotated[str, typer.Option(help="plain, or refined: drawn to those of the picture.")]
Values = Annotated[
    str | None,
    typer.Option(
        "--range",
        help="LOW,HIGH: black and white in pictures of 16 bits or of floats; else found.",
    ),
]
Data = Annotated[Path, typer.Option("--data", help="Data set: JPEGImages beside Annotations.")]
Sequences = Annotated[str | None, typer.Option(help="Only these, with commas.")]
Level = Annotated[
    str | None,
    typer.Option(help="Resolution to read: 480p, 1080p or Full-Resolution; else the first there."),
]
Protocol = Annotated[str, typer.Option(help="davis, or report: that of an older student report.")]
Json = Annotated[Path | None, typer.Option(help="File for all figures.")]
ReportFolder = Annotated[
    Path | None, typer.Option("--report", help="Folder for an HTML page, pictures and tables.")
]


Masks = Annotated[
    list[Path] | None, typer.Option(help="Picture of the masks; index or colour = id.")
]
Boxes = Annotated[list[str] | None, typer.Option(help="ID:x0,y0,x1,y1 in pixels.")]
Clicks = Annotated[list[str] | None, typer.Option(help="ID:x,y, a click on the object.")]
ClicksOff = Annotated[list[str] | None, typer.Option(help="ID:x,y, a click off it.")]
At = Annotated[
    list[str] | None, typer.Option(help="Frame of the prompts that follow; before: --start.")
]
Model = Annotated[str, typer.Option(help="Name, or folder made by train.")]
Size = Annotated[int | None, typer.Option(help="Short side to work at, pixels.")]
Export = Annotated[str, typer.Option(help="Writers.")]
Reverse = Annotated[
    bool | None,
    typer.Option(
        "--reverse/--forward",
        help="Track in one direction only: from the last prompt back to the beginning, or "
        "forward from the first. Both where neither is given.",
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the run in --out, whatever ended it.")
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite", help="Replace the run in --out; with --resume only if it is another one."
    ),
]
RunOut = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")]
