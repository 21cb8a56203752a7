"""Commands that train, and that make ready what is trained on."""

from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from masktrail.cli.options import REFUSED, Device, Quiet
from masktrail.errors import InputError


def train(
    minutes: Annotated[float, typer.Option(help="Training ends when these have passed.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for weights and logs.")],
    recipe: Annotated[Path | None, typer.Argument(help="TOML file, see recipes/.")] = None,
    init: Annotated[str | None, typer.Option(help="Model to train further; with --data.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Videos of your own: JPEGImages beside Annotations.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the checkpoint in --out.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the training in --out.")
    ] = False,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Train a weight by a recipe, or one that there is further on videos of your own.

    Several processes: torchrun -m masktrail.train.
    """
    if recipe is not None and init is None and data is None:
        _train_recipe(recipe, _How(minutes, out, resume, device, overwrite), quiet)
    elif recipe is None and init is not None and data is not None:
        _fine_tune(init, data, _How(minutes, out, resume, device, overwrite), quiet)
    else:
        raise InputError(
            "Give either a recipe, as recipes/memory-s.toml, or both --init and --data, as "
            "--init memory-s --data MYVIDEOS."
        )


class _How(NamedTuple):
    """How training is to go, whatever is trained."""

    minutes: float
    out: Path
    resume: bool
    device: str
    overwrite: bool


def _train_recipe(recipe: Path, how: _How, quiet: bool) -> None:
    from masktrail.cli import terminal
    from masktrail.train.loop import train as run
    from masktrail.train.reading import read_recipe

    with terminal.share("Training", quiet) as update:
        weights = run(read_recipe(recipe), *how[:4], progress=update, overwrite=how.overwrite)
    terminal.say(f"Weights: {weights}", quiet)


def _fine_tune(init: str, data: Path, how: _How, quiet: bool) -> None:
    from masktrail.cli import terminal
    from masktrail.finetune import fine_tune

    with terminal.share("Training", quiet) as update:
        result = fine_tune(init, data, *how[:4], progress=update, overwrite=how.overwrite)
    measured = f"on {', '.join(result.held_out)}"
    terminal.say(f"Trained on {len(result.trained)} sequences; {measured}:", quiet)
    terminal.say(f"J&F before {result.before:.3f}, after {result.after:.3f}", quiet)
    terminal.say(f"Weights: {result.weights}, for --model {how.out}", quiet)


def prepare(
    kind: Annotated[str, typer.Argument(help="stills, davis, or mose: objects one by one.")],
    root: Annotated[Path, typer.Argument(help="Folder of the data set.")],
    out: Annotated[Path, typer.Argument(help="Folder of the pack.")],
    canvas: Annotated[
        str | None, typer.Option(help="HEIGHTxWIDTH all frames are stretched to.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="mose: of the split; 0 unless given.")] = None,
    held_out: Annotated[
        float | None, typer.Option(help="mose: share of the videos held out; 0.2 unless given.")
    ] = None,
    negatives: Annotated[
        float | None,
        typer.Option(help="mose: frames without the object per frame with it; 0.25 unless given."),
    ] = None,
    recording: Annotated[
        str | None,
        typer.Option(
            help="mose: regular expression for the beginning of a video's name that says which "
            "recording it is of; what is of one is not split."
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Pack a data set for training: everything decoded and resized once."""
    from masktrail.cli import terminal
    from masktrail.data.prepare import prepare as run

    with terminal.frames("Packing", quiet) as update:
        parts = run(kind, root, out, canvas, update, seed, held_out, negatives, recording)
    if parts and not quiet:
        terminal.parts(parts, out)


def check_data(
    root: Annotated[Path, typer.Argument(help="Data set: JPEGImages beside Annotations.")],
    quiet: Quiet = False,
) -> None:
    """Say what is wrong with a data set before hours are spent on it; exit code 2 if much is."""
    from masktrail.cli import terminal
    from masktrail.data import check

    with terminal.frames("Reading", quiet) as update:
        findings = check.check_data(root, update)
    errors = [finding for finding in findings if finding.severity == check.ERROR]
    if errors or not quiet:
        terminal.findings(errors if quiet else findings)
    if errors:
        raise typer.Exit(REFUSED)


def dream(
    image: Annotated[Path, typer.Argument(help="Picture, or a video: its first frame.")],
    mask: Annotated[Path, typer.Argument(help="Picture of its masks; index or colour = id.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder, empty or new.")],
    count: Annotated[int, typer.Option(help="Number of dreams.")] = 10,
    size: Annotated[int, typer.Option(help="Short side, pixels; never enlarged.")] = 480,
    frames: Annotated[int, typer.Option(help="Frames of a dream.")] = 2,
    seed: Annotated[int, typer.Option(help="The same one dreams the same.")] = 0,
    quiet: Quiet = False,
) -> None:
    """Dream up moments of the video that a picture is of, with exact masks and optical flow."""
    from masktrail.cli import terminal
    from masktrail.dreaming import SHEET
    from masktrail.dreaming import dream as run

    with terminal.frames("Dreaming", quiet) as update:
        run(image, mask, count, out, size, frames, seed, update)
    terminal.say(f"Dreams: {out}, to be looked at in {out / SHEET}", quiet)
