"""Runs, corrected as they are, made a data set that a model can be taught with."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from masktrail.errors import InputError
from masktrail.files import check_new, free_name, make_folder, new_folder
from masktrail.masks import write_labels
from masktrail.pictures.writing import write_jpeg
from masktrail.results import Result
from masktrail.run.journal import NAME
from masktrail.run.reading import Run


@dataclass(frozen=True)
class Collected:
    """What a data set was made of.

    Attributes:
        videos: runs, each of which became a video.
        frames: in all.
        corrected: of these, that the user marked objects in.
        empty: of these, that show no object.
    """

    videos: int
    frames: int
    corrected: int
    empty: int


def collect(
    runs: Iterable[Path | str],
    out: Path | str,
    every: int = 10,
    score: float = 0.0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Collected:
    """Makes a data set of runs: frames as JPEG, masks as label maps, a video for each run.

    Frames with prompts are always taken, since somebody saw to them; of the others every so many,
    counted from the first, if all objects in them have the score. Frames that show no object are
    taken like the others, with an empty mask: that nothing is there is worth learning too.

    Args:
        runs: folders of runs, or folders in which every folder is one, as `batch` leaves them.
        out: the data set, a folder that is empty or new.
        every: distance of frames without prompts, 1 or more.
        score: that every object seen in such a frame must have, 0 to 1.
        progress: called with frames done and frames in all.

    Raises:
        InputError: no run there, one whose video cannot be found, numbers that make no sense, or a
            folder that holds something.
    """
    if every < 1 or not 0 <= score <= 1:
        raise InputError(f"every={every}, score={score:g}; expected 1 or more, and 0 to 1.")
    check_new(Path(out))
    chosen = [(name, run, _chosen(run, every, score)) for name, run in _named(_all(runs))]
    total = sum(len(frames) for _, _, frames in chosen)
    done = corrected = empty = 0
    with new_folder(Path(out)) as folder:
        for name, run, frames in chosen:
            for number, kept in _write(run, frames, folder, name):
                done, empty = done + 1, empty + (not kept.labels.any())
                corrected += number in run.prompts
                progress(done, total)
    return Collected(len(chosen), done, corrected, empty)


def _all(runs: Iterable[Path | str]) -> list[Run]:
    folders: list[Path] = []
    for given in map(Path, runs):
        inside = sorted(path.parent for path in given.glob(f"*/{NAME}"))
        found = [given] if (given / NAME).is_file() else inside
        if not found:
            raise InputError(
                f"{given} holds no run; give the folder that `masktrail track` wrote into."
            )
        folders += found
    return [Run(folder) for folder in folders]


def _named(runs: list[Run]) -> list[tuple[str, Run]]:
    """Runs by the names of their folders, those that share one numbered."""
    names: list[str] = []
    for run in runs:
        names.append(free_name(run.folder.resolve().name, names))
    return list(zip(names, runs, strict=True))


def _chosen(run: Run, every: int, score: float) -> list[int]:
    """Frames to be taken, ascending."""
    frames, marked = run.frames, run.prompts
    if not frames:
        raise InputError(f"The run in {run.folder} has no frame yet.")
    return [
        frame
        for frame in frames
        if frame in marked
        or ((frame - frames[0]) % every == 0 and _is_sure(run.result(frame), score))
    ]


def _is_sure(result: Result, score: float) -> bool:
    seen = [found for found in result.objects.values() if found.state == "present"]
    return all(found.score >= score for found in seen)


def _write(run: Run, frames: list[int], folder: Path, name: str) -> Iterator[tuple[int, Result]]:
    """Writes frames and masks; gives their numbers and what was said of them."""
    pictures, masks = folder / "JPEGImages" / name, folder / "Annotations" / name
    make_folder(pictures)
    make_folder(masks)
    left = set(frames)
    with run.open_video(frames[0], frames[-1] + 1) as video:
        for frame in video:
            if frame.index not in left:
                continue
            left.discard(frame.index)
            result = run.result(frame.index)
            write_jpeg(pictures / f"{frame.index:05d}.jpg", frame.image)
            write_labels(masks / f"{frame.index:05d}.png", result.labels)
            yield frame.index, result
    if left:
        raise InputError(
            f"The video of {run.folder} ends before frame {min(left)}, which the run has."
        )
