"""From a video and a prompt to finished files: the loop that everything else wraps."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from masktrail.errors import InputError
from masktrail.export import listed, make_writers
from masktrail.export.base import Writer
from masktrail.masks.edges import check_edges
from masktrail.pictures.depth import checked_range
from masktrail.results import Result
from masktrail.run import identity as identities
from masktrail.run import video_location
from masktrail.run.check import check_plan
from masktrail.run.folder import RunFolder
from masktrail.run.job import DEFAULT_EXPORTS, Job
from masktrail.run.journal import Journal
from masktrail.run.model import options_of
from masktrail.run.passes import BothPasses, ForwardPass
from masktrail.run.pipeline import Output, ahead, holding_ctrl_c, meanwhile
from masktrail.run.plan import Direction, Plan, Prompts, by_frame
from masktrail.run.products import names_of
from masktrail.run.progress import Counted, Progress, Share, called, ignored
from masktrail.run.propagating import result_of
from masktrail.run.record import peak_memory_mb, versions
from masktrail.run.rows import Damaged, OtherRun
from masktrail.run.states import packed_state
from masktrail.settings import Edges, EngineName, ModelOptions, Precision
from masktrail.types import Frame
from masktrail.video.cuts import with_cuts
from masktrail.video.reader import Video, VideoLike, named, open_video, span
from masktrail.zoo import DEFAULT, tracker_of

if TYPE_CHECKING:
    from masktrail.tracking.tracker import Tracker

KEPT_EVERY = 50
"""The tracker's state is kept after so many frames; the rest is tracked again by a resumption."""


@dataclass(frozen=True)
class Report:
    """What a run did; `run.json` holds it too.

    Attributes:
        frames: tracked and written.
        seconds: from the first frame's decoding to the last file's closing.
        fps: frames per second over that time, decoding and writing included.
        tracking_fps: frames per second that the tracker is busy; where it looks at the next frame
            meanwhile, that does not count, nor does learning from prompted frames.
        peak_memory_mb: of the process, MiB; None where the system does not tell.
        loss: what was lost of a damaged source, one sentence, or None.
        interrupted: whether the user stopped it.
    """

    frames: int
    seconds: float
    fps: float
    tracking_fps: float
    peak_memory_mb: float | None
    loss: str | None
    interrupted: bool


def track(
    source: VideoLike,
    prompts: Prompts,
    out: str | Path,
    model: "str | Path | Tracker" = DEFAULT,
    export: str | Sequence[str] = DEFAULT_EXPORTS,
    size: int | None = None,
    progress: Progress | None = None,
    learning: Share | None = None,
    *,
    device: str = "auto",
    precision: Precision = "auto",
    settings: Mapping[str, Any] = MappingProxyType({}),
    edges: Edges = "plain",
    engine: EngineName = "auto",
    start: int = 0,
    end: int | None = None,
    values: tuple[float, float] | None = None,
    direction: Direction = "both",
    resume: bool = False,
    overwrite: bool = False,
    keep_finished: bool = False,
    keep_soft: bool = False,
) -> Report:
    """Tracks the prompted objects through a video and writes what was asked for.

    Args:
        source: whatever `open_video` opens.
        prompts: by object id, for the first frame; or by frame and object id.
        out: folder for the files.
        model: whatever `load` loads; or a tracker, which stays as it is, on whose weights it goes.
        export: names of writers, with commas between or in a list.
        size: short side to work at, pixels; the model's own by default.
        progress: called after every frame, those looked at before writing included.
        learning: called while the model learns from a prompted frame, if it does.
        device: this and the next four as in `ModelOptions`.
        precision: float, bfloat16, int8 or auto.
        settings: the model's own.
        edges: plain or refined.
        engine: openvino, onnxruntime, torch or auto.
        start: first frame, counted from 0; this and all that follow as in `Job`.
        end: frame to stop before.
        values: range of pictures of 16 bits or of floats.
        direction: both, forward or backward.
        resume: go on with the run in `out`.
        overwrite: replace the run in `out`.
        keep_finished: leave the run in `out` where it is this one, finished and whole.
        keep_soft: keep soft masks for exports that are made later.

    Raises:
        InputError: see `track_video`.
        KeyboardInterrupt: Ctrl-C, once what is done is whole; `resume` goes on with it.
    """
    options, load = options_of(model, size, device, precision, settings, edges, engine)
    asked = start, end, values, direction, resume, overwrite, keep_finished, keep_soft
    job = Job(source, prompts, out, options, listed(export), *asked)
    report = track_video(job, called(progress), load, learning=called(learning))
    if report.interrupted:
        raise KeyboardInterrupt  # whoever calls this in a loop is to be ended too
    return report


def track_video(
    job: Job,
    progress: Progress = ignored,
    load_tracker: Callable[[ModelOptions], "Tracker"] | None = None,
    also: Sequence[Writer] = (),
    learning: Share = ignored,
) -> Report:
    """Does a job from the video to the finished files.

    Prompts in the first frame alone are tracked as the frames come. With later ones the frames up
    to the last of them are looked at twice before anything is written, see docs/corrections.md.

    Args:
        job: what is to be done.
        progress: called after every frame, those looked at before writing included; what it
            raises ends the run, KeyboardInterrupt as Ctrl-C does.
        load_tracker: instead of `zoo.tracker_of`, to load weights once for many jobs.
        also: writers besides those that the job names; a resumption gives them every frame too.
        learning: called while the model learns from a prompted frame, as `progress` is.

    Raises:
        OtherRun: the run in the folder cannot be gone on with, and must not be replaced.
        InputError: anything that cannot be used, and a run in the folder that nothing was said of;
            nothing is then left under a final name, but for masks of frames already done.
    """
    try:
        return _track_video(job, progress, load_tracker, also, learning)
    except Damaged:
        if not (job.resume and job.overwrite):
            raise
    return _track_video(replace(job, resume=False), progress, load_tracker, also, learning)


def _track_video(
    job: Job,
    progress: Progress,
    load_tracker: Callable[[ModelOptions], "Tracker"] | None,
    also: Sequence[Writer],
    learning: Share,
) -> Report:
    start, end = span(job.source, job.start, job.end)
    values = checked_range(job.values)
    if isinstance(job.source, Video) and values is None:
        values = job.source.values
    job = replace(job, start=start, end=end, values=values)
    check_edges(job.options.edges)
    writers = [*make_writers(job.export, job.out), *also]
    folder = RunFolder(job.out, names_of(writers))
    folder.check(job.resume, job.overwrite)
    plan = Plan(by_frame(job.prompts, job.start), job.start, job.direction)
    last = job.end if plan.forward else plan.last + 1
    with open_video(job.source, job.start, last, values=job.values) as video:
        check_plan(plan, video, job.end)
        load, task = load_tracker or tracker_of, identities.of_task(video, plan, job)
        tracker = load(job.options)
        identity = {**task, **identities.of_model(tracker, job.options.edges)}
        if job.keep_finished and (finished := _report_of(folder.finished(identity))):
            return replace(finished, interrupted=False)  # if it was, all was done by then
        before = _as_before(job, folder, identity, load)
        if before is not None:
            tracker = before
            identity = {**task, **identities.of_model(tracker, job.options.edges)}
        tracker.learner.progress = learning
        where = video_location.describe(named(job.source, video), folder.path)
        about = {"identity": identity, "repeatable": video.repeatable, **where}
        about["model"] = str(job.options.model)
        passes = (
            BothPasses(tracker, plan, folder.path) if plan.backward else ForwardPass(tracker, plan)
        )
        soft = job.keep_soft or any(writer.needs_soft for writer in writers)
        with folder.run(about, job.resume, job.overwrite, soft) as journal:
            journal.keep_masks(plan.prompts)
            tracker.learner.lessons = journal.lessons
            try:
                report = _loop(video, passes, writers, journal, progress, job.options.edges)
            finally:
                tracker.learner.lessons = None
            folder.record(journal, _record_of(job, where["source"], identity, tracker, report))
    return report


def _as_before(
    job: Job,
    folder: RunFolder,
    identity: Mapping[str, Any],
    load: Callable[[ModelOptions], "Tracker"],
) -> "Tracker | None":
    """What computes a job as the run was computed that it goes on with or corrects; None where that
    is what "auto" chose anyhow, or need not be.

    Raises:
        OtherRun: the run was computed in a way that is not possible here, and must not be replaced.
    """
    goes_on = job.resume and folder.holds_journal
    if not goes_on and job.like is None:
        return None
    recorded = (folder if goes_on else RunFolder(job.like or "")).identity()
    if goes_on and identities.is_another(recorded, identity):
        return None
    options = identities.as_recorded(job.options, identity, recorded)
    if options is None:
        return None
    try:
        return load(options)
    except InputError as error:
        if not goes_on or job.overwrite:
            return None
        raise OtherRun(
            f"The run in {folder.path} was computed by {options.engine} on {options.device} in "
            f"{options.precision}, which is not possible here ({error}); give overwrite=True, or "
            "another folder."
        ) from error


def _report_of(record: Mapping[str, Any] | None) -> Report | None:
    names = [field.name for field in fields(Report)]
    if record is None or not set(names) <= record.keys():
        return None
    return Report(**{name: record[name] for name in names})


def _record_of(
    job: Job, source: str, identity: Mapping[str, Any], tracker: "Tracker", report: Report
) -> dict[str, Any]:
    """What `run.json` holds: what was asked for, with what, and what came of it."""
    same = ("prompts", "size", "device", "engine", "precision", "edges", "start", "end", "values")
    return {
        "model": str(job.options.model),
        "weights_sha256": identity["weights"],
        "arguments": {
            "video": source,
            "export": job.export,
            "settings": tracker.settings,
            **{name: identity[name] for name in (*same, "direction")},
        },
        "versions": versions(),
        **asdict(report),
    }


def _loop(
    video: Video,
    passes: BothPasses | ForwardPass,
    writers: list[Writer],
    journal: Journal,
    progress: Progress,
    edges: str,
) -> Report:
    begin = journal.following if journal.finished else passes.resume(*journal.standing())
    done, tracking, interrupted = 0, 0.0, False
    counted = Counted(progress, video.expected, passes.extra)
    begun, learned = time.perf_counter(), passes.seconds_learning
    output = Output(writers, video.info)
    result = Result(np.zeros((video.info.height, video.info.width), np.uint8))
    warming = () if journal.finished else passes.warm_up(video.info)
    try:
        with meanwhile(warming):
            if not journal.finished:
                passes.prepare(video, counted.one_more, counted.tick)
                tracking = time.perf_counter() - begun if passes.extra else 0.0
            looked = passes.looked_at(with_cuts(video), begin)
            for frame, seen in looked if video.given else ahead(looked):
                if frame.index < begin:
                    result = _as_kept(frame, journal, output)
                else:
                    before = time.perf_counter()
                    result = result_of(frame, seen, passes, result, edges == "refined")
                    tracking += time.perf_counter() - before
                    with holding_ctrl_c():
                        output.write(frame, result)
                        output.then(partial(journal.add, frame, result))
                        done += 1
                    _keep_state(journal, passes, output, frame.index + 1)
                counted.one_more()
            if not journal.finished:
                passes.finish(video)
    except KeyboardInterrupt:
        interrupted = True
    except BaseException:
        output.abort()
        raise
    finally:
        passes.close()
    tracking -= passes.seconds_learning - learned
    interrupted = not _closed(output, journal, whole=not interrupted)
    seconds = time.perf_counter() - begun
    return Report(
        frames=output.written,
        seconds=seconds,
        fps=output.written / seconds,
        tracking_fps=done / tracking if tracking > 0 else 0.0,
        peak_memory_mb=peak_memory_mb(),
        loss=video.loss,
        interrupted=interrupted,
    )


def _closed(output: Output, journal: Journal, whole: bool) -> bool:
    """Closes what was written, and the journal's run where it is whole; whether it is."""
    try:
        with holding_ctrl_c():
            output.close(whole=whole)
            if whole:
                journal.finish()
    except KeyboardInterrupt:
        return False
    return whole


def _as_kept(frame: Frame, journal: Journal, output: Output) -> Result:
    """Writes what was said of a frame before, and gives it."""
    result = journal.read(frame)
    output.write(frame, result)
    if frame.cut:  # which a journal of an earlier version does not tell
        output.then(partial(journal.add_cut, frame.index))
    return result


def _keep_state(
    journal: Journal, passes: BothPasses | ForwardPass, output: Output, following: int
) -> None:
    """Now and then, what it takes to go on with frame `following`."""
    if following % KEPT_EVERY == 0 and (state := passes.state()) is not None:
        output.then(partial(journal.checkpoint, following, packed_state(state)))
