"""The command line: one thin function per command; heavy imports wait inside them."""

import errno
import logging
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from masktrail.errors import TOO_LARGE, InputError, is_out_of_memory
from masktrail.ordered import ORDER, OrderedCommand
from masktrail.settings import ModelOptions, read_assignments

if TYPE_CHECKING:
    from masktrail.run import Report

REFUSED, LOSSES, INTERRUPTED = 2, 3, 130
"""Exit codes: input that cannot be used; finished, but part of the source was lost; Ctrl-C."""

app = typer.Typer(
    help="Mark an object once in a video, get its mask in every other frame.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Warnings(logging.Handler):
    """Shows what the library wants said aloud as plain lines, above a progress bar if need be.

    Each once: a video is opened again for every pass over it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message not in self._said:
            typer.echo(f"Warning: {message}", err=True)
        self._said.add(message)


def _hush(quiet: bool) -> bool:
    logging.getLogger("masktrail").setLevel(logging.ERROR if quiet else logging.WARNING)
    return quiet


Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", callback=_hush, help="Say nothing but errors.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, ...")]
Precision = Annotated[str, typer.Option(help="int8, float, or auto: int8 where it is possible.")]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="NAME=VALUE: a setting of the model's own, as view=square; a wrong name lists them.",
    ),
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


@app.command(cls=OrderedCommand)
def track(
    context: typer.Context,
    video: Annotated[str, typer.Argument(help="File, folder of pictures, camera or URL.")],
    out: RunOut,
    mask: Masks = None,
    box: Boxes = None,
    point: Clicks = None,
    not_point: ClicksOff = None,
    at: At = None,
    model: Model = "memory-s",
    export: Export = "davis,csv,overlay,review",
    size: Size = None,
    device: Device = "auto",
    precision: Precision = "auto",
    assignments: Assignments = None,
    edges: Edges = "plain",
    start: Annotated[int, typer.Option(help="First frame, counted from 0.")] = 0,
    end: Annotated[int | None, typer.Option(help="Frame to stop before.")] = None,
    values: Values = None,
    reverse: Reverse = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Track objects through a video, from masks, boxes and clicks.

    Prompts may be mixed and repeated, for several objects: --box 1:40,60,200,300 --point 2:90,120
    --at 30 --not-point 1:44,70.
    """
    from masktrail import terminal
    from masktrail.prompts.text import KINDS, read_prompts
    from masktrail.run import Job, track_video
    from masktrail.video.depth import read_range

    marks = [(name, text) for name, text in context.meta[ORDER] if name in KINDS]
    direction = {None: "both", True: "backward", False: "forward"}[reverse]
    options = ModelOptions(model, size, device, precision, read_assignments(assignments), edges)
    prompts, black_and_white = read_prompts(marks, start), read_range(values)
    job = Job(video, prompts, out, options, export, start, end, black_and_white, direction)
    job = replace(job, resume=resume, overwrite=overwrite)
    with terminal.tracking(quiet) as (update, learning):
        report = track_video(job, update, learning=learning)
    _tell(report, out, quiet)


def _tell(report: "Report", out: Path, quiet: bool) -> None:
    """Says what a run did, and ends with its exit code."""
    from masktrail import terminal

    terminal.say(
        f"{report.frames} frames in {report.seconds:.1f} s ({report.fps:.1f} frames/s), in {out}",
        quiet,
    )
    if report.loss:
        typer.echo(f"Warning: {report.loss}", err=True)
        raise typer.Exit(LOSSES)
    if report.interrupted:
        typer.echo("Interrupted; what is done is whole, and --resume goes on.", err=True)
        raise typer.Exit(INTERRUPTED)


@app.command()
def batch(
    videos: Annotated[Path, typer.Argument(help="Manifest (CSV), or folder: swan.mp4, swan.png.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for a folder per video.")],
    jobs: Annotated[int, typer.Option(help="Processes.")] = 1,
    shard: Annotated[str, typer.Option(help="i/n: this part of the videos alone.")] = "1/1",
    model: Model = "memory-s",
    export: Export = "davis,csv,overlay,review",
    size: Size = None,
    device: Device = "auto",
    precision: Precision = "auto",
    assignments: Assignments = None,
    edges: Edges = "plain",
    values: Values = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also track what is done already.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Track many videos; what is done is skipped, what was ended early or failed is taken up."""
    from masktrail import terminal
    from masktrail.batch import manifest, work
    from masktrail.video.depth import read_range

    model_options = ModelOptions(
        model, size, device, precision, read_assignments(assignments), edges
    )
    tasks = manifest.shard(manifest.read_tasks(videos), shard)
    options = work.Options(model_options, export, read_range(values), overwrite)
    with terminal.videos("Tracking", quiet) as update:
        found = work.run_batch(
            tasks, out, options, jobs, lambda s, *counts: update(f"{s.name}: {s.state}", *counts)
        )
    terminal.rows(work.TITLES, [status.row() for status in found], quiet)
    if any(status.state == "interrupted" for status in found):
        raise typer.Exit(INTERRUPTED)
    if any(status.state != "done" for status in found):
        raise typer.Exit(LOSSES)


@app.command()
def convert(
    run_dir: Annotated[Path, typer.Argument(help="Folder of a run.")],
    export: Annotated[str, typer.Option(help="Writers.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the files; the run's own.")
    ] = None,
    video: Annotated[
        Path | None, typer.Option(help="Where the video lies now, if it was moved alone.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that the run did not make.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Write a finished run in other formats, without tracking it again."""
    from masktrail import run, terminal

    with terminal.frames("Converting", quiet) as update:
        frames = run.convert(run_dir, export, out, video, update, overwrite)
    terminal.say(f"{frames} frames as {export}, in {out or run_dir}", quiet)


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the clip and results.")],
    model: Model = "memory-s",
    quiet: Quiet = False,
) -> None:
    """Paint the demo clip, track it like any video, and compare with its true masks."""
    from masktrail import terminal
    from masktrail.demo.run import run_demo

    with terminal.frames("Painting and tracking", quiet) as update:
        report, similarity = run_demo(out, model, progress=update)
    terminal.say(f"{report.frames} frames at {report.fps:.1f} frames/s, see {out}/overlay.mp4")
    terminal.say(f"Mean J against the true masks: {similarity:.3f}")


@app.command()
def web(
    video: Annotated[Path | None, typer.Argument(help="File or folder of pictures.")] = None,
    port: Annotated[int, typer.Option(help="To listen on; 0: a free one.")] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address.")
    ] = False,
    folder: Annotated[
        list[Path] | None,
        typer.Option(help="Folder whose videos may be opened; that of VIDEO, or this one."),
    ] = None,
    projects: Annotated[
        Path | None,
        typer.Option(help="Folder for what is marked and tracked; MaskTrail, at home."),
    ] = None,
    upload_limit: Annotated[int, typer.Option(help="Of a video, MB.")] = 4096,
) -> None:
    """Open a page on this computer to click, look, correct and export."""
    from masktrail.web.serve import serve

    serve(video, port, folder or [], projects, upload_limit, not no_browser, typer.echo)


@app.command()
def models() -> None:
    """List the models, what they were trained on and how good they were measured to be."""
    from masktrail import terminal
    from masktrail.zoo import CARDS

    terminal.cards(CARDS)


@app.command()
def import_weights(
    family: Annotated[str, typer.Argument(help="Family of models, as labelprop.")],
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint: .safetensors, .pth, .pt.")],
    out: Annotated[Path, typer.Argument(help="Weights file to write, for --model.")],
    quiet: Quiet = False,
) -> None:
    """Turn a checkpoint that others published into weights for --model."""
    from masktrail import terminal
    from masktrail.zoo.importing import import_weights as run

    run(family, checkpoint, out)
    terminal.say(f"Weights: {out}, for --model {out}", quiet)


@app.command()
def evaluate(
    models: Annotated[list[str], typer.Argument(help="Names, or folders made by train.")],
    data: Data,
    sequences: Sequences = None,
    level: Level = None,
    prompt: Annotated[str, typer.Option(help="mask, or box: the tight box of it.")] = "mask",
    protocol: Protocol = "davis",
    masks: Annotated[
        Path | None, typer.Option(help="Folder for masks: MODEL/SEQUENCE/FRAME.png; resumes.")
    ] = None,
    json: Json = None,
    report: ReportFolder = None,
    size: Size = None,
    device: Device = "auto",
    precision: Precision = "auto",
    assignments: Assignments = None,
    edges: Edges = "plain",
    quiet: Quiet = False,
) -> None:
    """Track a data set from its first masks with one model or several, and measure J and F."""
    from masktrail import terminal
    from masktrail.evaluate import run

    options = ModelOptions("", size, device, precision, read_assignments(assignments), edges)
    names = sequences.split(",") if sequences else None
    terminal.prepare_outputs(json, report)
    masks = masks or (report / "masks" if report else None)
    with terminal.named_frames("Evaluating", quiet) as update:
        how = (prompt, protocol, masks, options, update, level)
        found = run.evaluate(models, data, names, *how)
    folders = [masks / figures["model"] for figures in found] if masks else []
    terminal.show_scores(found, data, folders, json, report, quiet)


@app.command()
def measure(
    predictions: Annotated[Path, typer.Argument(help="Folder of masks: SEQUENCE/FRAME.png.")],
    data: Data,
    sequences: Sequences = None,
    level: Level = None,
    protocol: Protocol = "davis",
    json: Json = None,
    report: ReportFolder = None,
    quiet: Quiet = False,
) -> None:
    """Measure J and F of a folder of masks, whoever made them, against the true ones."""
    from masktrail import terminal
    from masktrail.evaluate.folders import measure_folder

    names = sequences.split(",") if sequences else None
    terminal.prepare_outputs(json, report)
    with terminal.named_frames("Measuring", quiet) as update:
        figures = measure_folder(predictions, data, names, protocol, update, level)
    terminal.show_scores([figures], data, [predictions], json, report, quiet)


@app.command()
def train(
    minutes: Annotated[float, typer.Option(help="Training ends when these have passed.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for weights and logs.")],
    recipe: Annotated[Path | None, typer.Argument(help="TOML file, see recipes/.")] = None,
    init: Annotated[str | None, typer.Option(help="Model to train further; with --data.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Videos of your own: JPEGImages beside Annotations.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the checkpoint in --out.")] = False,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Train a weight by a recipe, or one that there is further on videos of your own.

    Several processes: torchrun -m masktrail.train.
    """
    if recipe is not None and init is None and data is None:
        _train_recipe(recipe, minutes, out, resume, device, quiet)
    elif recipe is None and init is not None and data is not None:
        _fine_tune(init, data, minutes, out, resume, device, quiet)
    else:
        raise InputError(
            "Give either a recipe, as recipes/memory-s.toml, or both --init and --data, as "
            "--init memory-s --data MYVIDEOS."
        )


def _train_recipe(
    recipe: Path, minutes: float, out: Path, resume: bool, device: str, quiet: bool
) -> None:
    from masktrail import terminal
    from masktrail.train.loop import train as run
    from masktrail.train.reading import read_recipe

    with terminal.share("Training", quiet) as update:
        weights = run(read_recipe(recipe), minutes, out, resume, device, progress=update)
    terminal.say(f"Weights: {weights}", quiet)


def _fine_tune(
    init: str, data: Path, minutes: float, out: Path, resume: bool, device: str, quiet: bool
) -> None:
    from masktrail import terminal
    from masktrail.finetune import fine_tune

    with terminal.share("Training", quiet) as update:
        found = fine_tune(init, data, minutes, out, resume, device, progress=update)
    terminal.say(f"Trained on {len(found.trained)} sequences; on {', '.join(found.held_out)}:")
    terminal.say(f"J&F before {found.before:.3f}, after {found.after:.3f}")
    terminal.say(f"Weights: {found.weights}, for --model {out}", quiet)


@app.command()
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
    from masktrail import terminal
    from masktrail.data.prepare import prepare as run

    with terminal.frames("Packing", quiet) as update:
        parts = run(kind, root, out, canvas, update, seed, held_out, negatives, recording)
    if parts and not quiet:
        terminal.parts(parts, out)


@app.command()
def check_data(
    root: Annotated[Path, typer.Argument(help="Data set: JPEGImages beside Annotations.")],
    quiet: Quiet = False,
) -> None:
    """Say what is wrong with a data set before hours are spent on it; exit code 2 if much is."""
    from masktrail import terminal
    from masktrail.data import check

    with terminal.frames("Reading", quiet) as update:
        found = check.check_data(root, update)
    errors = [finding for finding in found if finding.severity == check.ERROR]
    if errors or not quiet:
        terminal.findings(errors if quiet else found)
    if errors:
        raise typer.Exit(REFUSED)


def main() -> None:
    """Runs the command line; input that cannot be used ends in one line and exit code 2."""
    logging.getLogger("masktrail").handlers = [Warnings()]
    warnings.filterwarnings("ignore", module="PIL")  # what matters of a damaged picture, we say
    try:
        app()
    except InputError as error:
        _refuse(str(error))
    except Exception as error:
        if is_out_of_memory(error):
            _refuse(TOO_LARGE)
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            _refuse(f"The name {error.filename} is too long for this disk; choose a shorter one.")
        raise


def _refuse(said: str) -> NoReturn:
    typer.echo(f"Error: {' '.join(said.split())}", err=True)
    raise SystemExit(REFUSED) from None


if __name__ == "__main__":
    main()
