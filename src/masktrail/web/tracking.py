"""Tracking beside the page: on a thread, watched, paused and gone on with."""

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from masktrail.errors import TOO_LARGE, InputError, is_out_of_memory
from masktrail.export.review import ReviewWriter
from masktrail.results import ObjectResult, Result
from masktrail.run.folder import RECORD
from masktrail.run.job import Job
from masktrail.run.journal import Journal
from masktrail.run.loop import Report, track_video
from masktrail.run.rows import OtherRun
from masktrail.settings import ModelOptions
from masktrail.types import Frame, VideoInfo
from masktrail.web.project import Project
from masktrail.web.wording import on_page

EXPORT = "davis,csv,review"
"""What a run writes as it goes; everything else is made of it when it is asked for."""

DOUBTFUL = 0.75
"""Frames with lower scores, or half as much more where something jumped, are to be reviewed."""

WINDOW = 2.0
"""Seconds over which speed is taken."""


class Watcher:
    """A writer without files: scores and frames to review, for whoever asks while a run goes on."""

    about: ClassVar[str] = "scores, as they come"
    files: ClassVar[tuple[str, ...]] = ()
    needs_soft: ClassVar[bool] = False

    def __init__(self, out: Path) -> None:
        self._review = ReviewWriter(out)
        self._scores: list[tuple[int, dict[int, float]]] = []
        self._lock = threading.Lock()

    def open(self, info: VideoInfo) -> None:
        """Nothing to open."""

    def write(self, frame: Frame, result: Result) -> None:
        self.note(frame.index, result.objects)
        if frame.cut:
            self.note_cut(frame.index)

    def note(self, frame: int, objects: Mapping[int, ObjectResult]) -> None:
        """Takes what was said of the next frame."""
        with self._lock:
            self._review.note(frame, 0.0, objects)
            self._scores.append((frame, {i: result.score for i, result in objects.items()}))

    def note_cut(self, frame: int) -> None:
        """Takes a frame that is the first after a cut."""
        with self._lock:
            self._review.note_cut(frame, 0.0)

    def close(self, whole: bool = True) -> None:
        """Nothing to close."""

    def abort(self) -> None:
        """Nothing to drop."""

    def since(self, number: int) -> dict[str, Any]:
        """Scores from the so-manieth on, and all frames to review and cuts."""
        with self._lock:
            scores = self._scores[max(number, 0) :]
            rows = [row for row in self._review.rows if row.doubt > -DOUBTFUL]
            review = [(row.frame, row.object_id, row.reason) for row in rows]
            return {
                "scores": scores,
                "next": len(self._scores),
                "review": review,
                "cuts": self._review.cuts,
            }


class Tracking:
    """The latest run of a project: what is known of it, starting it, pausing it.

    Args:
        project: whose runs they are.
        keep_soft: whether soft masks are kept, for exports that show them.

    Attributes:
        state: "none", "loading", "running", "paused", "done" or "failed".
    """

    def __init__(self, project: Project, keep_soft: bool = True) -> None:
        self._project, self._keep_soft = project, keep_soft
        self._lock = threading.Lock()  # of what `status` tells together
        self._thread: threading.Thread | None = None
        self._pausing = threading.Event()
        self._done = 0
        self._expected: int | None = None
        self._times: deque[tuple[float, int]] = deque()
        self._message: str | None = None
        self.state, self._watcher = self._found()

    @property
    def busy(self) -> bool:
        """Whether a run goes on."""
        return self.state in ("loading", "running")

    def start(self) -> None:
        """Goes on with a paused or failed run of the present marks, or begins a new one.

        Raises:
            InputError: nothing is marked.
        """
        with self._lock:
            if not self.busy:
                self._start()

    def _start(self) -> None:
        prompts = self._project.mark.by_frame(self._project.mask)
        if not prompts:
            raise InputError("Nothing is marked yet; draw a box around an object, or click on it.")
        resume = self.state in ("paused", "failed") and not self._project.stale
        before, settings = self._project.run, self._project.mark.settings
        out = (resume and before) or self._project.begin_run()
        job = Job(
            self._project.video,
            prompts,
            out,
            ModelOptions(settings.model, settings=settings.own),
            export=EXPORT,
            direction=settings.direction,
            resume=resume,
            keep_soft=self._keep_soft,
            like=before,
        )
        self._pausing.clear()
        self._begin(out)
        self._thread = threading.Thread(target=self._run, args=(job,), name="tracking", daemon=True)
        self._thread.start()

    def _begin(self, out: Path) -> None:
        self._watcher, self._message = Watcher(out), None
        self._done, self._expected = 0, None
        self._times.clear()
        self.state = "loading"

    def pause(self) -> None:
        """Stops the run after the frame it is at; returns when everything is written."""
        with self._lock:
            self._pausing.set()
            thread = self._thread
        if thread is not None:
            thread.join()

    def status(self, since: int = 0) -> dict[str, Any]:
        """What the page shows; scores from the so-manieth on."""
        with self._lock:
            fps, expected = self._speed(), self._expected
            return {
                "state": self.state,
                "stale": self._project.stale,
                "done": self._done,
                "expected": expected,
                "fps": fps,
                "left": None if not fps or expected is None else (expected - self._done) / fps,
                "message": self._message,
                "version": self._project.number,
                **self._watcher.since(since),
            }

    def _run(self, job: Job) -> None:
        try:
            report = self._track(job)
            self._end("paused" if report.interrupted else "done", report.loss)
        except InputError as error:
            self._end("failed", on_page(error))
        except Exception as error:
            if is_out_of_memory(error):
                return self._end("failed", TOO_LARGE)
            self._end("failed", f"Tracking failed: {error!r}")
            raise

    def _track(self, job: Job) -> Report:
        """Goes on, or begins anew where the run is of other weights, damaged, or of old."""
        try:
            return track_video(job, self._progress, None, [self._watcher], self._learning)
        except OtherRun:
            if not job.resume:
                raise
        out = self._project.repeat_run()
        with self._lock:
            self._begin(out)
        again = replace(job, out=out, resume=False)
        return track_video(again, self._progress, None, [self._watcher], self._learning)

    def _end(self, state: str, message: str | None) -> None:
        with self._lock:
            self.state, self._message = state, message

    def _progress(self, done: int, expected: int | None) -> None:
        with self._lock:
            self.state, self._done, self._expected = "running", done, expected
            self._message = None
        now = time.monotonic()
        self._times.append((now, done))
        while now - self._times[0][0] > WINDOW:
            self._times.popleft()
        if self._pausing.is_set():
            raise KeyboardInterrupt

    def _learning(self, share: float) -> None:
        with self._lock:
            self.state, self._message = "running", f"Learning from a marked frame: {share:.0%}"
        if self._pausing.is_set():
            raise KeyboardInterrupt

    def _speed(self) -> float | None:
        times = tuple(self._times)
        if self.state != "running" or len(times) < 2:
            return None
        (begun, first), (ended, last) = times[0], times[-1]
        return (last - first) / (ended - begun) if ended > begun else None

    def _found(self) -> tuple[str, Watcher]:
        """The state that the last run was left in, and what it said."""
        run = self._project.run
        watcher = Watcher(run or self._project.folder)
        if run is None:
            return "none", watcher
        try:
            with Journal(run) as journal:
                for frame, objects in journal.objects():
                    watcher.note(frame, objects)
                for frame in journal.cuts:
                    watcher.note_cut(frame)
                finished = journal.finished
        except InputError as error:
            self._message = on_page(error)
            return "failed", watcher
        self._done = watcher.since(0)["next"]
        return ("done" if finished and (run / RECORD).is_file() else "paused"), watcher
