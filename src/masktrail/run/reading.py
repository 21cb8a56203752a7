"""A run as its folder tells it, also while another process still writes it."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.export.table import row_of
from masktrail.prompts.kinds import Mask, Prompt
from masktrail.results import Result
from masktrail.run.folder import RunFolder
from masktrail.run.identity import difference, fingerprint
from masktrail.run.journal import NAME
from masktrail.run.lock import is_held
from masktrail.run.snapshot import Snapshot, Snapshots
from masktrail.run.video_location import places
from masktrail.settings import integer
from masktrail.types import LabelMap
from masktrail.video.names import is_url
from masktrail.video.reader import Video, open_video

T = TypeVar("T")


def open_run(folder: str | Path) -> "Run":
    """Opens the folder of a run to read it.

    Args:
        folder: what was `out` when the run was tracked; the run may still be writing there.

    Raises:
        InputError: it holds no run, or one that is damaged or of another version.
    """
    return Run(folder)


class Run:
    """A run that is read: nothing in its folder is locked, changed or added.

    Whatever is asked is read anew, so that a run that is being written grows from one look to the
    next. Iteration gives (frame, `Result`) of all frames there are, ascending; `len` counts them.

    Args:
        folder: see `open_run`.

    Raises:
        InputError: see `open_run`; of every method and property too, as a run may be replaced,
            removed or damaged at any time.
    """

    def __init__(self, folder: str | Path) -> None:
        if folder == "":
            raise InputError("The folder of the run has no name; give the one that was out.")
        self.folder = Path(folder)
        self._snapshots: Snapshots | None = Snapshots(self.folder / NAME)
        self._ask(lambda rows: None)

    @property
    def frames(self) -> list[int]:
        """Frames that are done, ascending, counted from 0 at the beginning of the video."""
        return self._ask(lambda rows: rows.numbers)

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return self._ask(lambda rows: rows.finished)

    @property
    def running(self) -> bool:
        """Whether somebody writes to it just now; a run that is neither this nor finished was ended
        early, and goes on with `track(..., resume=True)`."""
        self._ask(lambda rows: None)
        return is_held(self.folder / NAME)

    @property
    def model(self) -> str | None:
        """The model as it was named to the run; None where an earlier version was ended early."""
        told = self._ask(lambda rows: rows.about.get("model"))
        return told if isinstance(told, str) else RunFolder(self.folder).model

    def labels(self, frame: int) -> LabelMap:
        """Object id of every pixel of a frame: uint8 or uint16, shape (H, W), 0 = background.

        Raises:
            InputError: the frame is not there, or not yet.
        """
        number = integer(frame, "frame")
        return self._ask(lambda rows: self._there(rows.labels(number, rows.shape), number, rows))

    def result(self, frame: int) -> Result:
        """What was said of a frame, as `Tracker.step` gave it.

        Soft masks are there where the run kept them (an export needed them, or `keep_soft`), but
        not those of refined edges, which are made from the picture.

        Raises:
            InputError: the frame is not there, or not yet.
        """
        number = integer(frame, "frame")
        return self._ask(lambda rows: self._there(rows.result(number, rows.shape), number, rows))

    @property
    def objects(self) -> list[dict[str, Any]]:
        """A row per frame and object, by frame and id: the columns of `objects.csv`, whatever was
        exported, plain values, None where there is none. `pandas.DataFrame(run.objects)` takes it.

        Times of frames that an earlier version tracked are None.
        """
        return self._ask(_table)

    @property
    def video(self) -> str:
        """What the run is of: path or URL that `open_video` opens, of a camera or a pipe its name.

        A file or folder is looked for beside the run, where it was, and as it was named, and known
        by its content.

        Raises:
            InputError: it is at none of these places.
        """
        about = self._ask(lambda rows: rows.about)
        if not about["repeatable"]:
            return str(about["source"])
        try:
            candidates = places(about, self.folder)
        except InputError:
            candidates = []
        for place in candidates:
            if is_url(place) or _is_of(place, about["identity"]):
                return place
        looked = candidates[0] if candidates else about.get("path", about["source"])
        raise InputError(
            f"The video of the run in {self.folder} is no longer at {looked}; open it from where "
            "it lies now, with masktrail.open_video."
        )

    def open_video(self, start: int = 0, end: int | None = None) -> Video:
        """Opens the video as the run saw it: deep pictures by the same range.

        Args:
            start: first frame, counted from 0.
            end: frame to stop before.

        Raises:
            InputError: see `video`; or it is of a camera or a pipe.
        """
        about = self._ask(lambda rows: rows.about)
        if not about["repeatable"]:
            raise InputError(
                f"The run in {self.folder} is of a camera or a pipe ({about['source']}), and what "
                "that showed cannot be seen again."
            )
        return open_video(self.video, start, end, values=about["identity"].get("values"))

    @property
    def prompts(self) -> dict[int, dict[int, Prompt]]:
        """What was marked, by frame and object id, as `track` takes it: boxes, clicks, masks.

        Masks are true and false, those of probabilities cut at one half. Of a run that an earlier
        version began a mask is told from the label map of its frame: it then lacks what other
        objects took of it, and beside clicks it is what came of them.

        Raises:
            InputError: an earlier version was ended before the frame of a mask was done.
        """
        return self._ask(lambda rows: rows.prompts(partial(self._mask, rows, rows.given)))

    def close(self) -> None:
        """Ends reading; what was opened is closed after each look anyway."""
        snapshots, self._snapshots = self._snapshots, None
        if snapshots is not None:
            snapshots.close()

    def __len__(self) -> int:
        return self._ask(lambda rows: rows.frames)

    def __iter__(self) -> Iterator[tuple[int, Result]]:
        for frame in self.frames:
            yield frame, self.result(frame)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        try:
            finished, there = self._ask(lambda rows: (rows.finished, _extent(rows)))
            state = "finished" if finished else "running" if self.running else "ended early"
        except InputError:
            return f"<Run {str(self.folder)!r}: cannot be read>"
        return f"<Run {str(self.folder)!r}: {there}, {state}>"

    def _ask(self, question: Callable[[Snapshot], T]) -> T:
        if self._snapshots is None:
            raise InputError(
                f"The run in {self.folder} was closed; open it again, with masktrail.open_run."
            )
        return self._snapshots.ask(question)

    def _there(self, found: T | None, frame: int, rows: Snapshot) -> T:
        if found is not None:
            return found
        hint = "."
        if not rows.finished:
            hint = "; it was ended early and goes on with masktrail.track(..., resume=True)."
            if is_held(self.folder / NAME):
                hint = " so far; it is still written, ask again later."
        raise InputError(
            f"The run in {self.folder} has no frame {frame}: it has {_extent(rows)}{hint}"
        )

    def _mask(
        self,
        rows: Snapshot,
        given: Mapping[str, NDArray[Any]],
        frame: int,
        object_id: int,
        key: str,
    ) -> Mask:
        if key in given:
            return Mask(given[key])
        labels = rows.labels(frame, rows.shape)
        if labels is None:
            raise InputError(
                f"The run in {self.folder} does not tell the mask of object {object_id} in frame "
                f"{frame}: an earlier version began it and that frame is not done. Go on with it, "
                "masktrail.track(..., resume=True)."
            )
        return Mask(labels == object_id)


def _table(rows: Snapshot) -> list[dict[str, Any]]:
    times = rows.times
    return [
        row_of(frame, times.get(frame), object_id, objects[object_id])
        for frame, objects in rows.objects()
        for object_id in sorted(objects)
    ]


def _extent(rows: Snapshot) -> str:
    numbers = rows.numbers
    if not numbers:
        return "no frame"
    return f"{len(numbers)} frames, {numbers[0]} to {numbers[-1]}"


def _is_of(place: str, identity: Mapping[str, Any]) -> bool:
    """Whether a file or folder is the video of a run."""
    try:
        with open_video(place, identity["start"], values=identity.get("values")) as opened:
            return difference(identity, {"video": fingerprint(opened)}) is None
    except InputError:
        return False
