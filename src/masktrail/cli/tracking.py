"""Commands that track, and what is made of it."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masktrail.cli.options import (
    INTERRUPTED,
    LOSSES,
    Adapt,
    Assignments,
    At,
    Boxes,
    Clicks,
    ClicksOff,
    Device,
    Edges,
    Engine,
    Export,
    Masks,
    Model,
    Overwrite,
    Precision,
    Quiet,
    Resume,
    Reverse,
    RunOut,
    Size,
    Values,
    read_range,
    settings,
)
from masktrail.cli.ordered import ORDER
from masktrail.cli.wording import in_options
from masktrail.settings import ModelOptions

if TYPE_CHECKING:
    from masktrail.run import Report


def track(
    context: typer.Context,
    video: Annotated[str, typer.Argument(help="File, folder of pictures, camera or URL.")],
    out: RunOut,
    mask: Masks = None,
    box: Boxes = None,
    point: Clicks = None,
    not_point: ClicksOff = None,
    at: At = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Annotations as prompts: .json of COCO or labelme, .xml of CVAT, folder of YOLO."
        ),
    ] = None,
    model: Model = "memory-s",
    export: Export = "davis,csv,overlay,review",
    size: Size = None,
    device: Device = "auto",
    engine: Engine = "auto",
    precision: Precision = "auto",
    assignments: Assignments = None,
    adapt: Adapt = None,
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
    from masktrail.annotations.prompting import merged, prompts_from
    from masktrail.cli import terminal
    from masktrail.prompts.text import KINDS, read_prompts
    from masktrail.run import Job, track_video

    marks = [(name, text) for name, text in context.meta[ORDER] if name in KINDS]
    direction = {None: "both", True: "backward", False: "forward"}[reverse]
    own = settings(model, assignments, adapt)
    options = ModelOptions(model, size, device, precision, own, edges, engine)
    black_and_white = read_range(values)
    prompts = read_prompts(marks, start) if marks or labels is None else {}
    if labels is not None:
        prompts = merged(prompts, prompts_from(labels, partial(_size_of, video), start, end))
    job = Job(video, prompts, out, options, export, start, end, black_and_white, direction)
    job = replace(job, resume=resume, overwrite=overwrite)
    with terminal.tracking(quiet) as (update, learning):
        report = track_video(job, update, learning=learning)
    _tell(report, out, quiet)


def _size_of(video: str) -> tuple[int, int]:
    from masktrail.video.reader import open_video

    with open_video(video) as opened:
        return opened.info.width, opened.info.height


def _tell(report: "Report", out: Path, quiet: bool) -> None:
    """Says what a run did, and ends with its exit code."""
    from masktrail.cli import terminal

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


def batch(
    videos: Annotated[Path, typer.Argument(help="Manifest (CSV), or folder: swan.mp4, swan.png.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for a folder per video.")],
    jobs: Annotated[int, typer.Option(help="Processes.")] = 1,
    shard: Annotated[str, typer.Option(help="i/n: this part of the videos alone.")] = "1/1",
    model: Model = "memory-s",
    export: Export = "davis,csv,overlay,review",
    size: Size = None,
    device: Device = "auto",
    engine: Engine = "auto",
    precision: Precision = "auto",
    assignments: Assignments = None,
    adapt: Adapt = None,
    edges: Edges = "plain",
    values: Values = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also track what is done already.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Track many videos; what is done is skipped, what was ended early or failed is taken up."""
    from masktrail.batch import manifest, work
    from masktrail.cli import terminal

    own = settings(model, assignments, adapt)
    model_options = ModelOptions(model, size, device, precision, own, edges, engine)
    tasks = manifest.shard(manifest.read_tasks(videos), shard)
    options = work.Options(model_options, export, read_range(values), overwrite, in_options)
    with terminal.videos("Tracking", quiet) as update:
        statuses = work.run_batch(
            tasks, out, options, jobs, lambda s, *counts: update(f"{s.name}: {s.state}", *counts)
        )
    terminal.rows(work.TITLES, [status.row() for status in statuses], quiet)
    if any(status.state == "interrupted" for status in statuses):
        raise typer.Exit(INTERRUPTED)
    if any(status.state != "done" for status in statuses):
        raise typer.Exit(LOSSES)


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
    from masktrail import run
    from masktrail.cli import terminal

    with terminal.frames("Converting", quiet) as update:
        frames = run.convert(run_dir, export, out, video, update, overwrite)
    terminal.say(f"{frames} frames as {export}, in {out or run_dir}", quiet)


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the clip and results.")],
    model: Model = "memory-s",
    quiet: Quiet = False,
) -> None:
    """Paint the demo clip, track it like any video, and compare with its true masks."""
    from masktrail.cli import terminal
    from masktrail.demo.run import run_demo

    with terminal.frames("Painting and tracking", quiet) as update:
        report, similarity = run_demo(out, model, progress=update)
    terminal.say(f"{report.frames} frames at {report.fps:.1f} frames/s, see {out}/overlay.mp4")
    terminal.say(f"Mean J against the true masks: {similarity:.3f}")


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
