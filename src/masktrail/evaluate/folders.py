"""Scores a folder of predicted masks against the ground truth of a data set."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masktrail.data import davis
from masktrail.data.sequence import Sequence as Video
from masktrail.errors import InputError
from masktrail.evaluate.checks import sound_sequences
from masktrail.evaluate.scores import ObjectMeasure, measure_sequence, rules_of, summarise
from masktrail.masks import areas, read_labels, read_legend
from masktrail.masks.legend import Legend
from masktrail.run.record import versions
from masktrail.types import LabelMap

Progress = Callable[[str, int, int], None]


def measure_folder(
    predictions: Path | str,
    root: Path | str,
    names: Iterable[str] | None = None,
    protocol: str = "davis",
    progress: Progress = lambda name, done, total: None,
    level: str | None = None,
) -> dict[str, Any]:
    """Scores `predictions/<sequence>/<frame>.png` against the data set at `root`.

    Args:
        predictions: folder of sequence folders; its name stands as "model" in the answer.
        root: data set, see `masktrail.data.davis.find_sequences`.
        names: only these sequences.
        protocol: "davis" or "report".
        progress: called with a sequence's name before it is scored, frames done, frames in all.
        level: resolution of the data set, see `masktrail.data.davis.find_level`.

    Returns:
        {"model", "protocol", "data", "level"}, J, F, J&F and sequences of
        `masktrail.evaluate.scores.summarise`, {"speed", "peak_memory_mb", "versions"}; speeds
        and memory are None: nothing was tracked.

    Raises:
        InputError: a sequence or frame missing or too many, a mask of another size, with labels
            the truth lacks or without ids, an unknown protocol, no data at `root`.
    """
    rules_of(protocol)
    sequences = sound_sequences(root, names, level)
    read = davis.find_level(root, level)
    return measure_sound(Path(predictions), sequences, root, read, protocol, progress)


def measure_sound(
    folder: Path,
    sequences: Sequence[Video],
    root: Path | str,
    level: str,
    protocol: str,
    progress: Progress = lambda name, done, total: None,
) -> dict[str, Any]:
    """What `measure_folder` does, of sequences that have been looked through.

    Raises:
        InputError: of the predictions, as `measure_folder`.
    """
    missing = [s.name for s in sequences if not (folder / s.name).is_dir()]
    if missing:
        raise InputError(
            f"{folder} has no folder for {len(missing)} of {len(sequences)} sequences: "
            f"{_some(missing)}. Expected {folder}/<sequence>/<frame>.png, one folder each."
        )
    measures, done, total = {}, 0, sum(len(s) for s in sequences)
    for sequence in sequences:
        progress(sequence.name, done, total)
        measures[sequence.name] = _measure_files(folder / sequence.name, sequence, protocol)
        done += len(sequence)
    return {
        "model": folder.resolve().name,
        "protocol": protocol,
        "data": Path(root).resolve().name,
        "level": level,
        **summarise(measures, protocol),
        "speed": {"tracking_fps": None, "end_to_end_fps": None},
        "peak_memory_mb": None,
        "versions": versions(),
    }


@dataclass(frozen=True)
class _Files:
    """Label maps read when asked for: nothing of a sequence stays in memory."""

    read: Callable[[int], LabelMap]
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int, /) -> LabelMap:
        return self.read(index)


def _measure_files(folder: Path, sequence: Video, protocol: str) -> dict[int, ObjectMeasure]:
    annotated = [i for i, path in enumerate(sequence.annotations) if path is not None]
    scored = annotated[1:] if rules_of(protocol).last_frame else annotated[1:-1]
    names = [f"{path.stem}.png" for path in sequence.frames]
    _check_names(folder, names, [names[i] for i in scored])
    ids, shape = sequence.ids, _truth(sequence, annotated[0]).shape
    truths = _Files(lambda k: _truth(sequence, annotated[k]), len(annotated))
    legend = _legend(folder, [names[i] for i in scored], ids)
    predictions = _Files(
        lambda k: _read_prediction(folder / names[annotated[k]], legend, ids, shape),
        len(annotated),
    )
    return measure_sequence(truths, predictions, ids, protocol)


def _truth(sequence: Video, index: int) -> LabelMap:
    labels = sequence.truth(index)
    if labels is None:
        raise InputError(f"Frame {index} of sequence {sequence.name} has no ground truth.")
    return labels


def _check_names(folder: Path, frames: Sequence[str], needed: Sequence[str]) -> None:
    there = {path.name for path in folder.glob("*.png") if not path.name.startswith(".")}
    missing = [name for name in needed if name not in there]
    if missing:
        raise InputError(
            f"{folder} lacks {len(missing)} of {len(needed)} frames to score: {_some(missing)}."
        )
    extra = sorted(there - set(frames))
    if extra:
        raise InputError(
            f"{folder} holds {len(extra)} masks that are no frame of the sequence: {_some(extra)}. "
            f"Expected names {frames[0]} to {frames[-1]}."
        )


def _legend(folder: Path, names: Sequence[str], ids: Sequence[int]) -> Legend:
    """What the values of predicted masks mean, in all of them alike.

    Raises:
        InputError: of several objects, they do not say which is which.
    """
    legend = read_legend([folder / name for name in names])
    note = legend.note or ("pixels of value 255 are void" if legend.void else "")
    if len(ids) > 1 and note:
        raise InputError(
            f"{folder}: {note}. Expected palette PNGs whose indices are the object ids "
            f"{_some(ids)}."
        )
    return legend


def _read_prediction(
    path: Path, legend: Legend, ids: Sequence[int], shape: tuple[int, ...]
) -> LabelMap:
    labels, _ = read_labels(path, legend)
    if labels.shape != shape:
        (height, width), (rows, columns) = labels.shape, shape
        raise InputError(f"{path} is {width}x{height}; the ground truth is {columns}x{rows}.")
    if len(ids) > 1 and _names_no_object(path, labels):
        raise InputError(
            f"{path} has two colours and does not say which object it means. "
            f"Expected a palette PNG whose indices are the object ids {_some(ids)}."
        )
    unknown = sorted(areas(labels).keys() - set(ids))
    if unknown:
        raise InputError(
            f"{path} has objects {_some(unknown)} that the ground truth lacks; it has {_some(ids)}."
        )
    return labels


def _names_no_object(path: Path, labels: LabelMap) -> bool:
    """Whether a mask is black and white: read as object 1, but that may not be meant."""
    from masktrail.pictures import opened

    if areas(labels).keys() != {1}:
        return False
    with opened(path, "mask") as picture:
        return picture.mode not in ("P", "L") or picture.getextrema()[1] != 1


def _some(items: Sequence[object]) -> str:
    text = ", ".join(map(str, items[:5]))
    return f"{text}, ..." if len(items) > 5 else text
