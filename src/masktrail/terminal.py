"""What the command line shows: bars, tables, lines. Nothing else of the package prints."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from masktrail.masks import replacing

if TYPE_CHECKING:
    from masktrail.zoo import Card


class Speed(ProgressColumn):
    """Frames per second, over the last frames."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} frames/s" if task.speed else "")


@contextmanager
def frames(title: str, quiet: bool) -> Iterator[Callable[[int, int | None], None]]:
    """A bar over frames; yields a function of frames done and frames expected."""
    with _bar(MofNCompleteColumn(), Speed(), TimeRemainingColumn(), quiet=quiet) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def named_frames(title: str, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """The same with the name of what the frames are of."""
    with _bar(MofNCompleteColumn(), Speed(), TimeRemainingColumn(), quiet=quiet) as bar:
        task = bar.add_task(title, total=None)
        yield lambda name, done, total: bar.update(
            task, description=f"{title} {name}", completed=done, total=total
        )


@contextmanager
def share(title: str, quiet: bool) -> Iterator[Callable[[float, dict[str, float]], None]]:
    """A bar over a share of 1, with the latest figures beside it."""
    figures = TextColumn("{task.fields[figures]}")
    with _bar(figures, TimeRemainingColumn(), quiet=quiet) as bar:
        task = bar.add_task(title, total=1.0, figures="")
        yield lambda done, row: bar.update(
            task, completed=done, figures=" ".join(f"{k} {v:.4g}" for k, v in row.items())
        )


def say(text: str, quiet: bool = False) -> None:
    """Prints a line."""
    if not quiet:
        Console().print(text, highlight=False, markup=False, soft_wrap=True)


def write_json(path: Path, content: Any) -> None:
    """Writes `content` as JSON, under its name only when it is whole."""
    with replacing(path) as part:
        part.write_text(json.dumps(content, indent=2) + "\n")


def cards(rows: Mapping[str, "Card"]) -> None:
    """Prints the zoo."""
    table = Table(box=None)
    for title in ("model", "parameters", "size", "J&F", "about", "trained on", "licence"):
        table.add_column(title, overflow="fold")
    for name, card in rows.items():
        score = card.scores.get("davis2016-dev10 J&F")
        table.add_row(
            name,
            f"{card.parameters / 1e6:.1f} M",
            str(card.size),
            f"{score:.3f}" if score is not None else "",
            card.about,
            card.data,
            card.licence,
        )
    Console().print(table)


def scores(figures: Mapping[str, Any]) -> None:
    """Prints J and F by sequence and object, and over all."""
    title = f"{figures['model']} on {figures['data']}, protocol {figures['protocol']}"
    table = Table(title=title, box=None)
    for column in ("sequence", "object", "J", "F", "J&F"):
        table.add_column(column, justify="left" if column == "sequence" else "right")
    for name, objects in figures["sequences"].items():
        for object_id, of in objects.items():
            j, f = of["J"]["mean"], of["F"]["mean"]
            table.add_row(name, str(object_id), f"{j:.3f}", f"{f:.3f}", f"{(j + f) / 2:.3f}")
    j, f = figures["J"], figures["F"]
    table.add_row("all", "", f"{j['mean']:.3f}", f"{f['mean']:.3f}", f"{figures['J&F']:.3f}")
    Console().print(table)
    say(
        f"recall J {j['recall']:.3f} F {f['recall']:.3f}, decay J {j['decay']:.3f} "
        f"F {f['decay']:.3f}, tracking {figures['speed']['tracking_fps']:.1f} frames/s"
    )


def _bar(*columns: ProgressColumn, quiet: bool) -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *columns,
        console=console,
        disable=quiet or not console.is_terminal,  # a log file would get an empty line
        transient=True,
    )
