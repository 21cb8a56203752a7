"""Which sequences of a data set are learned from, and which are measured on instead."""

import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from masktrail.data.davis import training_root
from masktrail.data.sequence import Sequence
from masktrail.errors import InputError, listed
from masktrail.pictures.kinds import natural_key

log = logging.getLogger(__name__)

HELD_OUT = 0.1
"""Share of the frames with masks that is measured on, at least, if nobody says what is."""

LISTS = "ImageSets"
"""Folder of DAVIS and VOC in which `train.txt` and `val.txt` name sequences."""


class Parts(NamedTuple):
    """A data set in two parts.

    Attributes:
        trained: what is learned from.
        held_out: what is measured on; nothing where there is one sequence only.
    """

    trained: list[Sequence]
    held_out: list[Sequence]


def parts_of(root: Path, sequences: list[Sequence], val: Iterable[str] | Path | None) -> Parts:
    """Splits a data set: as the user says, else as its lists say, else by a tenth.

    Args:
        root: of the data set.
        sequences: those that show objects.
        val: what is measured on: names of sequences, or of sets of pictures that stand alone; or a
            file that has one in each line.

    Raises:
        InputError: names of which there are no sequences, all of them, or a file that cannot be
            read.
    """
    if val is not None:
        return _as_told(root, sequences, read_list(val) if isinstance(val, Path) else [*val])
    lists = _lists(root)
    return _as_listed(sequences, lists) if lists else tenth(sequences)


def tenth(sequences: list[Sequence]) -> Parts:
    """A tenth of the frames with masks, at least one sequence where there are two.

    The choice follows from the names alone, so that it is the same in every run; what would take
    more than half of the frames is learned from.
    """
    counts = {s.name: sum(map(bool, s.annotations)) for s in sequences}
    total, kept = sum(counts.values()), dict[str, int]()
    for name in sorted(counts, key=lambda name: hashlib.sha256(name.encode()).hexdigest()):
        if sum(kept.values()) >= HELD_OUT * total:
            break
        if 2 * (sum(kept.values()) + counts[name]) <= total:
            kept[name] = counts[name]
    if not kept and len(sequences) > 1:
        kept = dict([min(counts.items(), key=lambda item: (item[1], item[0]))])
    return _apart(sequences, set(kept))


def read_list(path: Path) -> list[str]:
    """Names of sequences in a text file, one in each line; DAVIS-2016's have paths of a picture and
    its mask instead.

    Raises:
        InputError: it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a list of names.") from error
    names = [_name(line.strip()) for line in lines if line.strip()]
    return list(dict.fromkeys(names))


def _name(line: str) -> str:
    first, *more = line.split(" /")
    return Path(first).parent.name if more else line


def _as_told(root: Path, sequences: list[Sequence], names: list[str]) -> Parts:
    chosen = {s.name for s in sequences if _is_named(s, names)}
    missing = [name for name in names if not any(_is_named(s, [name]) for s in sequences)]
    if missing or not names:
        there = ", ".join(s.name for s in sequences[:30])
        raise InputError(
            f"{root} has no {', '.join(missing) or 'sequence without a name'} to measure on that "
            f"shows an object; it has {there}."
        )
    if len(chosen) == len(sequences):
        raise InputError(f"All sequences of {root} are to be measured on: none is left to learn.")
    return _apart(sequences, chosen)


def _is_named(sequence: Sequence, names: Iterable[str]) -> bool:
    """Whether it, its set, or its picture is among names."""
    folder, _, picture = sequence.name.partition("/")
    return bool({sequence.name, folder, picture or folder} & set(names))


def _lists(root: Path) -> dict[str, list[str]]:
    """Names by list, `train` or `val`, of the newest folder that has one."""
    folders = [
        folder
        for base in dict.fromkeys((training_root(root), root))
        for folder in [base / LISTS, *sorted((base / LISTS).glob("*/"), key=_by_name)]
        if (folder / "train.txt").is_file() or (folder / "val.txt").is_file()
    ]
    if not folders:
        return {}
    paths = {part: folders[-1] / f"{part}.txt" for part in ("train", "val")}
    return {part: read_list(path) for part, path in paths.items() if path.is_file()}


def _by_name(folder: Path) -> tuple[list[tuple[int, str]], str]:
    return natural_key(folder.name)


def _as_listed(sequences: list[Sequence], lists: dict[str, list[str]]) -> Parts:
    """As `train.txt` and `val.txt` say; what is missing or in neither is said."""
    known = {sequence.name for sequence in sequences}
    for part, names in lists.items():
        if missing := [name for name in names if name not in known]:
            log.warning(
                "%s/%s.txt names what is not there or shows no object: %s.",
                LISTS, part, listed(missing),
            )  # fmt: skip
    held_out = known & set(lists.get("val", ()))
    learned = (known & set(lists["train"]) if "train" in lists else known) - held_out
    if not learned:
        raise InputError(f"{LISTS}/train.txt names no sequence that there is to learn from.")
    if rest := sorted(known - learned - held_out, key=natural_key):
        log.warning("Left out, since no list of %s names them, are %s.", LISTS, listed(rest))
    used = [sequence for sequence in sequences if sequence.name in learned | held_out]
    return _apart(used, held_out) if held_out else tenth(used)


def _apart(sequences: list[Sequence], held_out: set[str]) -> Parts:
    return Parts(
        [sequence for sequence in sequences if sequence.name not in held_out],
        [sequence for sequence in sequences if sequence.name in held_out],
    )
