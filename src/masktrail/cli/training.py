"""Commands that train, and that make ready what is trained on."""

from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from masktrail.cli.options import REFUSED, Device, Quiet
from masktrail.errors import InputError, listed


def train(
    minutes: Annotated[float, typer.Option(help="Training ends when these have passed.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for weights and logs.")],
    recipe: Annotated[Path | None, typer.Argument(help="TOML file, see recipes/.")] = None,
    init: Annotated[str | None, typer.Option(help="Model to train further; with --data.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Your own videos (JPEGImages, Annotations) or pictures (images, masks)."),
    ] = None,
    val: Annotated[
        str | None,
        typer.Option(help="Videos to measure on, with commas, or a file of names; with --data."),
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
    if recipe is not None and init is None and data is None and val is None:
        _train_recipe(recipe, _How(minutes, out, resume, device, overwrite), quiet)
    elif recipe is None and init is not None and data is not None:
        _fine_tune(init, data, val, _How(minutes, out, resume, device, overwrite), quiet)
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


def _fine_tune(init: str, data: Path, val: str | None, how: _How, quiet: bool) -> None:
    from masktrail.cli import terminal
    from masktrail.finetune import fine_tune

    with terminal.share("Training", quiet) as update:
        result = fine_tune(init, data, *how[:4], update, overwrite=how.overwrite, val=_named(val))
    measured = listed(result.held_out)
    terminal.say(f"Trained on {len(result.trained)} sequences; on {measured}:", quiet)
    terminal.say(f"J&F before {result.before:.3f}, after {result.after:.3f}", quiet)
    terminal.say(f"Weights: {result.weights}, for --model {how.out}", quiet)


def _named(val: str | None) -> list[str] | Path | None:
    """Names, or the file that has them."""
    if val is None or Path(val).is_file():
        return Path(val) if val else None
    return [name.strip() for name in val.split(",") if name.strip()]


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
    root: Annotated[Path, typer.Argument(help="JPEGImages beside Annotations, or images, masks.")],
    quiet: Quiet = False,
) -> None:
    """Say what is wrong with a data set before hours are spent on it; exit code 2 if much is."""
    from masktrail.cli import terminal
    from masktrail.data.check import check_data as run
    from masktrail.data.rules import ERROR

    with terminal.frames("Reading", quiet) as update:
        findings = run(root, update)
    errors = [finding for finding in findings if finding.severity == ERROR]
    if errors or not quiet:
        terminal.findings(errors if quiet else findings)
    if errors:
        raise typer.Exit(REFUSED)


def import_data(
    kind: Annotated[str, typer.Argument(help="coco, cvat, labelme or yolo.")],
    source: Annotated[Path, typer.Argument(help="The annotations, file or folder.")],
    out: Annotated[Path, typer.Argument(help="Folder of the data set, empty or new.")],
    pictures: Annotated[
        Path | None,
        typer.Option(help="Folder of the pictures, or the video; else that of the annotations."),
    ] = None,
    layout: Annotated[
        str, typer.Option(help="video, pairs (pictures alone), or auto: what ids allow.")
    ] = "auto",
    quiet: Quiet = False,
) -> None:
    """Make a data set of another tool's annotations."""
    from masktrail.annotations.data_set import import_data as run
    from masktrail.cli import terminal

    with terminal.frames("Importing", quiet) as update:
        came = run(kind, source, out, pictures, layout, update)
    terminal.say(
        f"{came.frames} frames of {came.videos} videos or folders, {came.objects} masks, in {out}",
        quiet,
    )
    for loss in came.losses:
        terminal.say(f"Left out: {loss}", quiet)


def collect(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs, or folders that hold them.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Data set, a folder empty or new.")],
    every: Annotated[int, typer.Option(help="Of the other frames, every so many.")] = 10,
    score: Annotated[
        float, typer.Option(help="Of those, frames whose objects all have this score.")
    ] = 0.0,
    quiet: Quiet = False,
) -> None:
    """Make a data set of runs: corrected frames always, others by score and distance."""
    from masktrail.cli import terminal
    from masktrail.collecting import collect as run

    with terminal.frames("Collecting", quiet) as update:
        came = run(runs, out, every, score, update)
    terminal.say(
        f"{came.frames} frames of {came.videos} runs, {came.corrected} of them marked by hand, "
        f"{came.empty} empty, in {out}",
        quiet,
    )


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
