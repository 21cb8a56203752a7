"""Commands that measure."""

from pathlib import Path
from typing import Annotated

import typer

from masktrail.cli.options import (
    Assignments,
    Data,
    Device,
    Edges,
    Engine,
    Json,
    Level,
    Precision,
    Protocol,
    Quiet,
    ReportFolder,
    Sequences,
    Size,
    read_assignments,
)
from masktrail.settings import ModelOptions


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
    engine: Engine = "auto",
    precision: Precision = "auto",
    assignments: Assignments = None,
    edges: Edges = "plain",
    quiet: Quiet = False,
) -> None:
    """Track a data set from its first masks with one model or several, and measure J and F."""
    from masktrail.cli import terminal
    from masktrail.evaluate import run

    options = ModelOptions(
        "", size, device, precision, read_assignments(assignments), edges, engine
    )
    names = sequences.split(",") if sequences else None
    terminal.prepare_outputs(json, report)
    masks = masks or (report / "masks" if report else None)
    with terminal.named_frames("Evaluating", quiet) as update:
        how = (prompt, protocol, masks, options, update, level)
        results = run.evaluate(models, data, names, *how)
    folders = [masks / figures["model"] for figures in results] if masks else []
    terminal.show_scores(results, data, folders, json, report, quiet)


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
    from masktrail.cli import terminal
    from masktrail.evaluate.folders import measure_folder

    names = sequences.split(",") if sequences else None
    terminal.prepare_outputs(json, report)
    with terminal.named_frames("Measuring", quiet) as update:
        figures = measure_folder(predictions, data, names, protocol, update, level)
    terminal.show_scores([figures], data, [predictions], json, report, quiet)
