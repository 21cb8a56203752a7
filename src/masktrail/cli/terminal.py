"""What the command line shows: bars, tables, lines. Nothing else of the package prints."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
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

from masktrail.files import make_folder, replacing

if TYPE_CHECKING:
    from masktrail.data.rules import Finding
    from masktrail.data.single_object import Part
    from masktrail.tracking.family import Card

STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}
"""Severity of a finding to how it is coloured."""


Frames = Callable[[int, int | None], None]
"""Told of frames done and frames expected."""


class Speed(ProgressColumn):
    """Frames per second, over the last frames."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} frames/s" if task.speed else "")


@contextmanager
def frames(title: str, quiet: bool) -> Iterator[Frames]:
    """A bar over frames; yields a function of frames done and frames expected."""
    with _bar(MofNCompleteColumn(), Speed(), TimeRemainingColumn(), quiet=quiet) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def tracking(
    quiet: bool,
) -> Iterator[tuple[Frames, Callable[[float], None]]]:
    """The same while objects are tracked; yields besides it a function of the share learned."""
    with _bar(MofNCompleteColumn(), Speed(), TimeRemainingColumn(), quiet=quiet) as bar:
        task = bar.add_task("Tracking", total=None)
        yield (
            lambda done, total: bar.update(
                task, description="Tracking", completed=done, total=total
            ),
            lambda share: bar.update(task, description=f"Learning {share:.0%}"),
        )


@contextmanager
def named_frames(title: str, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """The same with the name of what the frames are of."""
    with _bar(MofNCompleteColumn(), Speed(), TimeRemainingColumn(), quiet=quiet) as bar:
        task = bar.add_task(title, total=None)
        yield lambda name, done, total: bar.update(
            task, description=f"{title} {name}", completed=done, total=total
        )


@contextmanager
def videos(title: str, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A bar over videos, and what is said of the last one beside it."""
    with _bar(MofNCompleteColumn(), TimeRemainingColumn(), quiet=quiet) as bar:
        task = bar.add_task(title, total=None)
        yield lambda message, done, total: bar.update(
            task, description=f"{title} {message}", completed=done, total=total
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
            f"{card.parameters / 1e6:.1f} M" if card.parameters else "",
            str(card.size),
            " ".join([f"{score:.3f}", card.scored_by]) if score is not None else "",
            card.about,
            "; ".join(filter(None, (card.data, card.training))),
            card.licence,
        )
    Console().print(table)


def rows(titles: Sequence[str], lines: Iterable[Sequence[str]], quiet: bool = False) -> None:
    """Prints a table of texts."""
    table = Table(box=None)
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in lines:
        table.add_row(*map(escape, row))
    if not quiet:
        Console().print(table)


def scores(results: Sequence[Mapping[str, Any]]) -> None:
    """Prints J and F by sequence and by model; one model's by object too."""
    from masktrail.evaluate import tables

    if len(results) == 1:
        detail = _table("sequence", ("object", "J", "F", "J&F"))
        rows = tables.object_rows(results[0])
    else:
        detail = _table("J&F", [figures["model"] for figures in results])
        rows = tables.sequence_rows(results)
    headings, by_model = tables.model_table(results)
    summary = _table(headings[0], [heading.replace(" ", "\n") for heading in headings[1:]])
    for table, lines in ((detail, rows), (summary, by_model)):
        for line in lines:
            table.add_row(*map(Text, line))  # names are no markup
    Console().print(detail)
    say(f"\n{tables.caption(results)}")
    Console().print(summary)
    say(tables.PROTOCOL_NOTES[results[0]["protocol"]])


def prepare_outputs(json_file: Path | None, report: Path | None) -> None:
    """Makes sure, before hours of work, that results can be written.

    Raises:
        InputError: a folder cannot be made, or what draws the report is not installed.
    """
    for folder in filter(None, (json_file and json_file.parent, report)):
        make_folder(folder)
    if report is not None:
        from masktrail.evaluate.report import require_plotting

        require_plotting()


def show_scores(
    results: Sequence[Mapping[str, Any]],
    data: Path,
    masks: Sequence[Path],
    json_file: Path | None,
    report: Path | None,
    quiet: bool,
) -> None:
    """Prints figures and writes them where asked: one object for one model, else a list."""
    if not quiet:
        scores(results)
    if json_file is not None:
        write_json(json_file, results[0] if len(results) == 1 else results)
    if report is not None:
        from masktrail.evaluate.report import Scored, write_report

        both = [Scored(figures, folder) for figures, folder in zip(results, masks, strict=True)]
        say(f"Report: {write_report(both, data, report)}", quiet)


def parts(packed: Sequence["Part"], out: Path) -> None:
    """Prints what the parts of a packed data set hold."""
    table = _table("", [part.name for part in packed])
    for heading, figures in (
        ("videos", [f"{part.videos:,}" for part in packed]),
        ("frames, each packed once", [f"{part.frames:,}" for part in packed]),
        ("objects", [f"{part.objects:,}" for part in packed]),
        ("  too small or too brief", [f"{part.objects_dropped:,}" for part in packed]),
        ("frames that show the object", [f"{part.visible:,}" for part in packed]),
        ("frames without it, kept", [f"{part.negatives:,}" for part in packed]),
        ("  dropped", [f"{part.negatives_dropped:,}" for part in packed]),
        ("size on disk", [f"{part.size / 1e6:,.1f} MB" for part in packed]),
    ):
        table.add_row(heading, *figures)
    Console().print(table)
    say(f"In {' and '.join(str(out / part.name) for part in packed)}")


def findings(results: Sequence["Finding"]) -> None:
    """Prints what is wrong with a data set, the worst first, and whether it can be used."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for justify in ("left", "right", "left"):
        table.add_column(justify=justify)
    for finding in results:
        text = Text(finding.what)
        if finding.examples:
            text.append(f"\n{', '.join(finding.examples)}", "dim")
            text.append(", ..." if finding.count > len(finding.examples) else "", "dim")
        if finding.advice:
            text.append(f"\n{finding.advice}")
        table.add_row(Text(finding.severity, STYLES[finding.severity]), f"{finding.count:,}", text)
    Console().print(table)
    say(f"\n{verdict(results)}")


def verdict(results: Sequence["Finding"]) -> str:
    """One line: usable or not, and why."""
    counts = {
        severity: sum(finding.severity == severity for finding in results)
        for severity in ("error", "warning")
    }
    kinds = [f"{n} {severity}{'s' * (n > 1)}" for severity, n in counts.items() if n]
    if counts["error"]:
        return f"Not usable as it is: {' and '.join(kinds)} above."
    return f"Usable; see the {kinds[0]} above." if kinds else "Usable; nothing is wrong with it."


def _table(first: str, others: Iterable[str]) -> Table:
    """A plain table whose first column holds names, the others figures."""
    table = Table(box=None, collapse_padding=True)
    table.add_column(Text(first), overflow="fold")
    for name in others:
        table.add_column(Text(name), justify="right", overflow="fold")
    return table


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
