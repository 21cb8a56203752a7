"""Commands about models."""

from pathlib import Path
from typing import Annotated

import typer

from masktrail.cli.options import Quiet


def models(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also what computes each of them here, and why.")
    ] = False,
) -> None:
    """List the models, what they were trained on and how good they were measured to be."""
    from masktrail.cli import terminal
    from masktrail.zoo import CARDS

    terminal.cards(CARDS)
    if not verbose:
        return
    from masktrail.engines.processor import PREFERENCES, instructions
    from masktrail.zoo.engines import computed_by

    terminal.say("")
    terminal.rows(("model", "engine", "precision"), [(n, *computed_by(n)) for n in CARDS])
    terminal.say("")
    table = (*PREFERENCES, ("none of these", ("float",)))
    here = next((name for name, _ in PREFERENCES if name in instructions()), table[-1][0])
    terminal.rows(
        ("processor has", "precisions, the fastest first", ""),
        [(name, ", ".join(order), "here" if name == here else "") for name, order in table],
    )


def import_weights(
    family: Annotated[str, typer.Argument(help="Family of models, as labelprop.")],
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint: .safetensors, .pth, .pt.")],
    out: Annotated[Path, typer.Argument(help="Weights file to write, for --model.")],
    quiet: Quiet = False,
) -> None:
    """Turn a checkpoint that others published into weights for --model."""
    from masktrail.cli import terminal
    from masktrail.zoo.importing import import_weights as run

    run(family, checkpoint, out)
    terminal.say(f"Weights: {out}, for --model {out}", quiet)


def export_onnx(
    model: Annotated[str, typer.Argument(help="Name, or folder made by train.")],
    out: Annotated[Path, typer.Argument(help="Folder for the files; its own to use them there.")],
    data: Annotated[
        Path | None, typer.Option(help="Data set to find 8-bit ranges on, for int8 files too.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write the functions of a model's network as ONNX, for any engine."""
    from masktrail.cli import terminal
    from masktrail.graphs.exporting import export_graphs

    with terminal.share("Exporting", quiet) as update:
        digests = export_graphs(model, out, data, lambda share: update(share, {}))
    for name, digest in digests.items():
        terminal.say(f"{digest}  {name}", quiet)
