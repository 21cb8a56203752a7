"""Commands about models."""

from pathlib import Path
from typing import Annotated

import typer

from masktrail.cli.options import Quiet


def models() -> None:
    """List the models, what they were trained on and how good they were measured to be."""
    from masktrail.cli import terminal
    from masktrail.zoo import CARDS

    terminal.cards(CARDS)


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
