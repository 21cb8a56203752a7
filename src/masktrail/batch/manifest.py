"""Which videos to track, and from which prompts: a table, or a folder of videos beside masks."""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from masktrail.errors import InputError
from masktrail.video.kinds import is_video

PROMPTS = ("mask", "box", "point", "not_point")
COLUMNS = ("video", "name", "at", *PROMPTS, "start", "end", "direction")
"""Of a manifest; `video` and at least one of the prompts are needed."""


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

    A manifest is a table (CSV) with a header. Rows of one name are prompts of one video, each for
    the frame `at` (the first one where it is empty); several prompts of a kind stand in one cell
    with semicolons between. Paths are relative to the manifest. In a folder every video, or folder
    of pictures, is tracked from the mask of its first frame beside it: `swan.mp4` and `swan.png`.

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
    found = [path for path in sorted(folder.iterdir()) if _is_task(path)]
    bare = [path.name for path in found if not path.with_suffix(".png").is_file()]
    if bare:
        raise InputError(
            f"{len(bare)} of {len(found)} videos in {folder} have no mask beside them, as "
            f"{bare[0]}; expected {Path(bare[0]).with_suffix('.png')}, or give a manifest."
        )
    stems = Counter(path.stem for path in found)
    return [
        Task(
            path.stem if stems[path.stem] == 1 else path.name,
            str(path),
            (("mask", str(path.with_suffix(".png"))),),
        )
        for path in found
    ]


def _is_task(path: Path) -> bool:
    """A folder, or a video that is not the mask of one."""
    if path.name.startswith("."):
        return False
    return path.is_dir() or (path.suffix.lower() != ".png" and is_video(path))


def _of_manifest(path: Path) -> list[Task]:
    tasks: dict[str, Task] = {}
    for line, row in _rows(path):
        task = _task(path, line, row)
        known = tasks.get(task.name)
        if known is None:
            tasks[task.name] = task
        elif known.video != task.video:
            raise InputError(
                f"{path}, line {line}: the name {task.name!r} is that of {known.video} already; "
                "give each video a name of its own in the column 'name'."
            )
        else:
            tasks[task.name] = replace(known, marks=known.marks + task.marks)
    return list(tasks.values())


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Lines of the table with what stands in them."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            _check_header(path, [name.strip() for name in table.fieldnames or ()])
            table.fieldnames = [name.strip() for name in table.fieldnames or ()]
            for row in table:
                filled = {k: v.strip() for k, v in row.items() if k and isinstance(v, str)}
                if any(filled.values()):
                    yield table.line_num, filled
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The manifest {path} cannot be read: {error}.") from error


def _check_header(path: Path, names: list[str]) -> None:
    unknown = [name for name in names if name not in COLUMNS]
    missing = "video" if "video" not in names else "" if set(PROMPTS) & set(names) else "mask"
    if missing or unknown:
        said = f"lacks the column {missing!r}" if missing else f"has a column {unknown[0]!r}"
        raise InputError(f"{path} {said}; there are {', '.join(COLUMNS)}.")


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
    at = row.get("at", "")
    numbers = {key: _number(path, line, key, row.get(key, "")) for key in ("start", "end")}
    name = row.get("name") or Path(video).stem
    if Path(name).name != name or name == ".." or "\\" in name:
        raise InputError(
            f"{path}, line {line}: the name {name!r} is no name of a folder; give one without "
            "slashes, since results go into a folder of that name."
        )
    return Task(
        name=name,
        video=video,
        marks=((("at", at),) if at else ()) + marks,
        start=numbers["start"] or 0,
        end=numbers["end"],
        direction=row.get("direction") or "both",
    )


def _beside(path: Path, text: str) -> str:
    """A path as the manifest means it; URLs stay as they are."""
    return text if "://" in text else str(path.parent / text)


def _number(path: Path, line: int, key: str, text: str) -> int | None:
    if text and not text.isdecimal():
        raise InputError(f"{path}, line {line}: {key} is {text!r}; expected a frame, as 30.")
    return int(text) if text else None
