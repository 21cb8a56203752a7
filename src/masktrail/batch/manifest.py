"""Which videos to track, and from which prompts: a table, or a folder of videos beside masks."""

import codecs
import csv
import io
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from masktrail.errors import InputError
from masktrail.pictures.kinds import is_picture
from masktrail.video.names import is_url
from masktrail.video.pages import is_video

PROMPTS = ("mask", "box", "point", "not_point")
COLUMNS = ("video", "name", "at", *PROMPTS, "start", "end", "direction")
"""Of a manifest; `video` and at least one of the prompts are needed."""


SEPARATORS = ",;\t|"
"""Between the cells of a manifest; the first where its header has none."""


LONGEST = 255
"""Bytes of a name of a folder."""


@dataclass(frozen=True)
class Task:
    """One video of many.

    Attributes:
        name: of its folder of results.
        video: whatever `open_video` opens.
        marks: prompts as `prompts.text.read_prompts` reads them.
        start: first frame.
        end: frame to stop before.
        direction: see `run.Job`.
    """

    name: str
    video: str
    marks: tuple[tuple[str, str], ...]
    start: int = 0
    end: int | None = None
    direction: str = "both"


def read_tasks(source: Path | str) -> list[Task]:
    """Tasks of a manifest or a folder, by name.

    A manifest is a table (CSV) with a header, as spreadsheets save it: commas, semicolons, tabs or
    bars between, UTF-8, UTF-16 or Windows' own letters. Rows of one name are prompts of one video,
    each for the frame `at` (the first one where it is empty); several prompts of a kind stand in
    one cell with semicolons between. Paths are relative to the manifest. In a folder every video,
    or folder of pictures, is tracked from the mask of its first frame beside it: `swan.mp4` and
    `swan.png`.

    Raises:
        InputError: nothing there, columns or values that are missing or unknown, a name of two
            videos, a video of a folder without its mask.
    """
    source = Path(source)
    tasks = _of_folder(source) if source.is_dir() else _of_manifest(source)
    if not tasks:
        raise InputError(f"{source} names no video; expected at least one.")
    return sorted(tasks, key=lambda task: task.name)


def shard(tasks: list[Task], text: str) -> list[Task]:
    """The part of tasks that "2/5" means: every fifth, from the second on.

    Raises:
        InputError: any other text.
    """
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise InputError(f"The shard {text!r} cannot be read; write i/n, as 2/5 for the second.")
    return tasks[int(part) - 1 :: int(parts)]


def _of_folder(folder: Path) -> list[Task]:
    videos = [path for path in sorted(folder.iterdir()) if _is_task(path)]
    bare = [path.name for path in videos if not path.with_suffix(".png").is_file()]
    if bare:
        raise InputError(
            f"{len(bare)} of {len(videos)} videos in {folder} have no mask beside them, as "
            f"{bare[0]}; expected {Path(bare[0]).with_suffix('.png')}, or give a manifest."
        )
    stems = Counter(path.stem for path in videos)
    return [
        Task(
            path.stem if stems[path.stem] == 1 else path.name,
            str(path),
            (("mask", str(path.with_suffix(".png"))),),
        )
        for path in videos
    ]


def _is_task(path: Path) -> bool:
    """A folder of pictures, or a video; neither the mask of one nor results of before."""
    if path.name.startswith("."):
        return False
    if path.is_dir():
        inside = list(path.iterdir())
        return any(map(is_picture, inside)) or (not inside and path.with_suffix(".png").is_file())
    return path.suffix.lower() != ".png" and is_video(path)


def _of_manifest(path: Path) -> list[Task]:
    tasks: dict[str, Task] = {}
    for line, row in _rows(path):
        task = _task(path, line, row)
        previous = tasks.get(task.name)
        if previous is None:
            tasks[task.name] = task
        elif previous.video != task.video:
            raise InputError(
                f"{path}, line {line}: the name {task.name!r} is that of {previous.video} already; "
                "give each video a name of its own in the column 'name'."
            )
        else:
            tasks[task.name] = replace(previous, marks=previous.marks + task.marks)
    return list(tasks.values())


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Lines of the table with what stands in them, as any spreadsheet writes it."""
    try:
        text = _decoded(path.read_bytes())
        table = csv.DictReader(io.StringIO(text, newline=""), delimiter=_separator(text))
        table.fieldnames = [name.strip().lower() for name in table.fieldnames or ()]
        _check_header(path, table.fieldnames)
        for row in table:
            filled = {k: v.strip() for k, v in row.items() if k and isinstance(v, str)}
            if any(filled.values()):
                yield table.line_num, filled
    except (OSError, csv.Error) as error:
        raise InputError(f"The manifest {path} cannot be read: {error}.") from error


def _decoded(content: bytes) -> str:
    """Text as a mark at its beginning tells, else UTF-8, else that of Windows in the west."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _separator(text: str) -> str:
    """What stands between the names of the header."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=header.count)


def _check_header(path: Path, names: list[str]) -> None:
    unknown = [name for name in names if name not in COLUMNS]
    missing = "video" if "video" not in names else "" if set(PROMPTS) & set(names) else "mask"
    if missing or unknown:
        problem = f"lacks the column {missing!r}" if missing else f"has a column {unknown[0]!r}"
        raise InputError(f"{path} {problem}; there are {', '.join(COLUMNS)}.")


def _task(path: Path, line: int, row: dict[str, str]) -> Task:
    if not row.get("video"):
        raise InputError(f"{path}, line {line}: the video is missing.")
    video = _beside(path, row["video"])
    marks = tuple(
        (kind, _beside(path, text.strip()) if kind == "mask" else text.strip())
        for kind in PROMPTS
        for text in row.get(kind, "").split(";")
        if text.strip()
    )
    if not marks:
        raise InputError(
            f"{path}, line {line}: nothing is marked; fill one of {', '.join(PROMPTS)}."
        )
    numbers = {key: _number(path, line, key, row.get(key, "")) for key in ("at", "start", "end")}
    at = (("at", str(numbers["at"])),) if numbers["at"] is not None else ()
    name = row.get("name") or Path(video).stem
    if Path(name).name != name or name == ".." or "\\" in name:
        raise InputError(
            f"{path}, line {line}: the name {name!r} is no name of a folder; give one without "
            "slashes, since results go into a folder of that name."
        )
    if "\0" in name or len(os.fsencode(name)) > LONGEST:
        raise InputError(
            f"{path}, line {line}: the name {name[:40]!r}... cannot be one of a folder; give a "
            f"shorter one of letters, at most {LONGEST} bytes."
        )
    return Task(
        name=name,
        video=video,
        marks=at + marks,
        start=numbers["start"] or 0,
        end=numbers["end"],
        direction=row.get("direction") or "both",
    )


def _beside(path: Path, text: str) -> str:
    """A path as the manifest means it; URLs, cameras' among them, stay as they are."""
    beside = str(path.parent / text)
    return text if is_url(text) and not os.path.exists(beside) else beside


def _number(path: Path, line: int, key: str, text: str) -> int | None:
    """A frame, also as spreadsheets write whole numbers: `30.0`, `30,0`."""
    whole = re.fullmatch(r"(\d+)([.,]0*)?", text)
    if text and whole is None:
        raise InputError(f"{path}, line {line}: {key} is {text!r}; expected a frame, as 30.")
    return int(whole[1]) if whole else None
