"""Tasks spread over processes; whatever one of them does, the others are done."""

import csv
import json
import multiprocessing
import os
import threading
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from masktrail.batch.manifest import Task
from masktrail.engines.threads import threads
from masktrail.errors import TOO_LARGE, InputError, is_out_of_memory
from masktrail.files import make_folder, replacing, write_json
from masktrail.prompts.text import read_prompts
from masktrail.run import Job, Report, track_video
from masktrail.run.folder import RunFolder
from masktrail.settings import ModelOptions
from masktrail.video.names import is_url, local
from masktrail.video.reader import can_be_repeated
from masktrail.zoo import own_settings

if TYPE_CHECKING:
    from masktrail.tracking.tracker import Tracker

STARTING = threading.Lock()
"""Held while a process begins in another environment than this one's."""

STATUS = "status.json"
"""Of the file in a video's folder that says how far it is."""

SUMMARY = "summary.csv"
TITLES = ("name", "state", "frames", "fps", "said")
"""Columns of the summary."""


@dataclass(frozen=True)
class Options:
    """What holds for all videos; see `run.Job`.

    Attributes:
        worded: what is written down of the text of an error, in the words of who asked.
    """

    model_options: ModelOptions
    export: str
    values: tuple[float, float] | None = None
    overwrite: bool = False
    worded: Callable[[str], str] = str


@dataclass(frozen=True)
class Status:
    """How far a video is.

    Attributes:
        name: of the task.
        state: "running", "done", "loss" (done, but the source was damaged), "interrupted" or
            "failed".
        said: why, where it is not done.
        frames: written.
        fps: frames per second, end to end.
        ours: whether the folder held no run before a batch came to it, so that one may be replaced.
    """

    name: str
    state: str
    said: str = ""
    frames: int = 0
    fps: float = 0.0
    ours: bool = True

    @property
    def finished(self) -> bool:
        """Whether nothing is left to be done."""
        return self.state in ("done", "loss")

    def row(self) -> tuple[str, ...]:
        """As tables show it, under `TITLES`."""
        speed = f"{self.fps:.2f}" if self.fps else ""
        return self.name, self.state, str(self.frames), speed, self.said


def run_batch(
    tasks: Sequence[Task],
    out: Path | str,
    options: Options,
    jobs: int = 1,
    progress: Callable[[Status, int, int], None] = lambda status, done, total: None,
) -> list[Status]:
    """Tracks many videos, each into a folder of its name, and sums up in `summary.csv`.

    What is finished is left as it is, what was ended early goes on, what failed is tried again.

    Args:
        tasks: the videos.
        out: folder for their folders.
        options: for all of them.
        jobs: processes, each of which loads weights once.
        progress: called with the status of every video that comes to its end, videos done and all.

    Returns:
        The status of every task, in their order.

    Raises:
        InputError: fewer than one process, a setting that the model has not, or `out` cannot be
            written.
    """
    if jobs < 1:
        raise InputError(f"jobs={jobs} is not possible; expected 1 or more.")
    model_options = options.model_options
    options = replace(
        options,
        model_options=replace(
            model_options, settings=own_settings(model_options.model, model_options.settings)
        ),
    )
    out = Path(out)
    make_folder(out)
    _refuse_other_table(out / SUMMARY)
    batch = _Batch(tasks, out, options, progress)
    slots = [
        threading.Thread(target=batch.work, args=(jobs,)) for _ in range(min(jobs, len(tasks)))
    ]
    for slot in slots:
        slot.start()
    try:
        for slot in slots:
            slot.join()
    except KeyboardInterrupt:  # the processes got it too and close their files
        batch.stop()
        for slot in slots:
            slot.join()
    return batch.statuses()


def _refuse_other_table(summary: Path) -> None:
    if not summary.exists():
        return
    with summary.open(encoding="utf-8", errors="replace") as file:
        if file.readline().strip() != ",".join(TITLES):
            raise taken(summary)


class _Batch:
    """The tasks that wait, and what became of the others."""

    def __init__(
        self,
        tasks: Sequence[Task],
        out: Path,
        options: Options,
        progress: Callable[[Status, int, int], None],
    ) -> None:
        self._tasks, self._out, self._options, self._progress = tasks, out, options, progress
        self._waiting: SimpleQueue[Task] = SimpleQueue()
        for task in tasks:
            self._waiting.put(task)
        self._found: dict[str, Status] = {}
        self._lock = threading.Lock()

    def work(self, jobs: int) -> None:
        """Does tasks in a process of its own until none waits."""
        pool = _process(jobs)
        try:
            while (task := self._next()) is not None:
                try:
                    status = pool.submit(do, task, self._out / task.name, self._options).result()
                except BrokenProcessPool:
                    pool.shutdown()
                    pool = _process(jobs)
                    status = Status(task.name, "failed", "The process was ended from outside.")
                    status = noted(self._out / task.name, status)
                self._add(status)
        finally:
            pool.shutdown()

    def stop(self) -> None:
        """Begins no further task."""
        while self._next() is not None:
            pass

    def statuses(self) -> list[Status]:
        """Of all tasks, in their order."""
        never = {task.name: Status(task.name, "interrupted", "not begun") for task in self._tasks}
        return list((never | self._found).values())

    def _next(self) -> Task | None:
        try:
            return self._waiting.get_nowait()
        except Empty:
            return None

    def _add(self, status: Status) -> None:
        with self._lock:
            self._found[status.name] = status
            write_summary(self._out / SUMMARY, self.statuses())
            self._progress(status, len(self._found), len(self._tasks))


def do(task: Task, out: Path, options: Options) -> Status:
    """Tracks one video of many in this process; whatever goes wrong is told, not raised."""
    previous = read_status(out)
    if previous and previous.finished and not options.overwrite and _is_past(task.video):
        return previous
    ours = previous.ours if previous else not RunFolder(out).begun
    try:
        write_status(out, Status(task.name, "running", ours=ours))
        job = _job(task, out, options, ours)
        status = _status_of(task.name, track_video(job, load_tracker=_tracker))
    except InputError as error:
        status = Status(task.name, "failed", options.worded(str(error)))
    except KeyboardInterrupt:
        status = Status(task.name, "interrupted", "stopped before its first frame")
    except Exception as error:  # one bad video never stops the rest
        message = TOO_LARGE if is_out_of_memory(error) else f"{type(error).__name__}: {error}"
        status = Status(task.name, "failed", message)
    return noted(out, status)


def noted(out: Path, status: Status) -> Status:
    """What became of a video, written down; that it could not be, where it could not."""
    previous = read_status(out)
    status = replace(status, ours=previous is None or previous.ours)
    try:
        write_status(out, status)
    except InputError as error:
        return replace(status, state="failed", said=str(error))
    return status


def read_status(out: Path) -> Status | None:
    """What the folder of a video says of it; None where it says nothing."""
    try:
        content = json.loads((out / STATUS).read_text(encoding="utf-8"))
        content.pop("task", None)  # of version 0.1
        return Status(**content)
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def write_status(out: Path, status: Status) -> None:
    """Says in the folder of a video how far it is.

    Raises:
        InputError: it cannot be written, or another program has a file of that name.
    """
    make_folder(out)
    if (out / STATUS).exists() and read_status(out) is None:
        raise taken(out / STATUS)
    write_json(out / STATUS, asdict(status))


def taken(path: Path) -> InputError:
    """The sentence for a name that a file of another program has."""
    return InputError(
        f"{path} is there already and is of no batch; move it away, or give another folder."
    )


def write_summary(path: Path, statuses: Sequence[Status]) -> None:
    """A row per video: name, state, frames, frames per second, what was said."""
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(TITLES)
        rows.writerows(status.row() for status in statuses)


def _is_past(video: str) -> bool:
    """Whether a video cannot be seen again: a camera, a pipe, or a file that is no more."""
    name = local(video)
    return not can_be_repeated(name) or not (is_url(name) or os.path.exists(name))


def _job(task: Task, out: Path, options: Options, ours: bool) -> Job:
    """What is to be done; a run that no batch began is replaced if that is asked for only."""
    return Job(
        source=task.video,
        prompts=read_prompts(task.marks, task.start),
        out=out,
        options=options.model_options,
        export=options.export,
        values=options.values,
        start=task.start,
        end=task.end,
        direction=task.direction,
        resume=not options.overwrite,
        overwrite=options.overwrite or ours,
        keep_finished=not options.overwrite,
    )


def _status_of(name: str, report: Report) -> Status:
    loss = report.loss or ""
    state = "interrupted" if report.interrupted else "loss" if loss else "done"
    return Status(name, state, loss, report.frames, report.fps)


def _process(jobs: int) -> ProcessPoolExecutor:
    """One that has begun, and leaves the others their part of the processor."""
    pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _begin)
    with STARTING:
        before = os.environ.get("OMP_NUM_THREADS")
        os.environ["OMP_NUM_THREADS"] = str(max(1, threads() // jobs))
        try:
            pool.submit(int)  # begins it: what it loads goes by what is set by then
        finally:
            del os.environ["OMP_NUM_THREADS"]
            if before is not None:
                os.environ["OMP_NUM_THREADS"] = before
    return pool


def _begin() -> None:
    """Leaves no process behind on its own."""
    warnings.filterwarnings("ignore", module="PIL")  # as in the command line
    threading.Thread(target=_end_with_parent, name="watching the parent", daemon=True).start()


def _end_with_parent() -> None:
    """Ends this process when that which began it was killed: it would wait for tasks for ever.

    As abruptly: what is on disk by then is whole, and the next start goes on.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _tracker(options: ModelOptions) -> "Tracker":
    """A tracker without objects, its weights loaded when it is first asked for."""
    tracker, state = _loaded(options)
    tracker.load_state_dict(state)
    return tracker


@lru_cache(maxsize=2)  # one more for runs that go on by another engine
def _loaded(options: ModelOptions) -> tuple["Tracker", dict[str, Any]]:
    from masktrail.zoo import tracker_of

    tracker = tracker_of(options)
    return tracker, tracker.state_dict()
