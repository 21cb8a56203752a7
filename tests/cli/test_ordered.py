"""Options in the order they were given."""

from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from masktrail.cli.ordered import ORDER, OrderedCommand

app = typer.Typer()
Texts = Annotated[list[str] | None, typer.Option()]


@app.command(cls=OrderedCommand)
def show(
    context: typer.Context,
    name: str,
    a: Texts = None,
    b_c: Texts = None,
    d: Annotated[str, typer.Option()] = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q")] = False,
) -> None:
    """Prints what it was told."""
    print(name, d, quiet, a, b_c, context.meta[ORDER], sep="|")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("x", "x||False|None|None|[]"),
        (
            "--a 1 x --b-c 2 --a=3",
            "x||False|['1', '3']|['2']|[('a', '1'), ('b_c', '2'), ('a', '3')]",
        ),
        ("--b-c 2 --d y -q --a -1 x", "x|y|True|['-1']|['2']|[('b_c', '2'), ('a', '-1')]"),
        ("--a --b-c -- x", "x||False|['--b-c']|None|[('a', '--b-c')]"),
    ],
)
def test_repeatable_options_are_remembered_in_their_order(arguments: str, told: str) -> None:
    done = CliRunner().invoke(app, arguments.split())
    assert done.exit_code == 0, done.output
    assert done.output.strip() == told


@pytest.mark.parametrize("arguments", ["", "x --a", "x --e 3", "x y"])
def test_what_is_mistyped_is_refused_as_ever(arguments: str) -> None:
    done = CliRunner().invoke(app, arguments.split())
    assert done.exit_code == 2


def test_help_is_shown() -> None:
    assert "Prints what it was told" in CliRunner().invoke(app, ["--help"]).output
