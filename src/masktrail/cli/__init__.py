"""The command line: one thin function per command; heavy imports wait inside them."""

import errno
import logging
import warnings
from typing import NoReturn

import typer

from masktrail.cli import measuring, models, tracking, training
from masktrail.cli.options import REFUSED
from masktrail.cli.ordered import OrderedCommand
from masktrail.cli.wording import in_options
from masktrail.errors import TOO_LARGE, InputError, is_out_of_memory

app = typer.Typer(
    help="Mark an object once in a video, get its mask in every other frame.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


app.command(cls=OrderedCommand)(tracking.track)
for command in (
    *(tracking.batch, tracking.convert, tracking.demo, tracking.web),
    *(models.models, models.import_weights, models.export_onnx),
    *(measuring.evaluate, measuring.measure),
    *(training.train, training.prepare, training.check_data),
    *(training.import_data, training.collect, training.dream),
):
    app.command()(command)


EXTRAS = {
    **dict.fromkeys(("torch", "scipy"), "torch"),
    **dict.fromkeys(("onnx", "onnxscript", "nncf"), "graphs"),
    **dict.fromkeys(("fastapi", "starlette", "pydantic", "uvicorn"), "web"),
}
"""The extra by which a package comes that may not be installed."""


class Warnings(logging.Handler):
    """Shows what the library wants said aloud as plain lines, above a progress bar if need be.

    Each once: a video is opened again for every pass over it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        message = in_options(record.getMessage())
        if message not in self._said:
            typer.echo(f"Warning: {message}", err=True)
        self._said.add(message)


def main() -> None:
    """Runs the command line; input that cannot be used ends in one line and exit code 2."""
    logging.getLogger("masktrail").handlers = [Warnings()]
    warnings.filterwarnings("ignore", module="PIL")  # what matters of a damaged picture, we say
    try:
        app()
    except InputError as error:
        _refuse(in_options(str(error)))
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        extra = EXTRAS[error.name]
        _refuse(f"This needs the package {error.name}; pip install 'masktrail[{extra}]'.")
    except Exception as error:
        if is_out_of_memory(error):
            _refuse(TOO_LARGE)
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            _refuse(f"The name {error.filename} is too long for this disk; choose a shorter one.")
        raise


def _refuse(message: str) -> NoReturn:
    typer.echo(f"Error: {' '.join(message.split())}", err=True)
    raise SystemExit(REFUSED) from None
