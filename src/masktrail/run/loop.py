"""From a video and a prompt to finished files: the loop that everything else wraps."""

import itertools
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from masktrail.errors import InputError
from masktrail.export import make_writers
from masktrail.export.base import Writer, make_folder
from masktrail.prompts.check import check_prompt
from masktrail.run.passes import BothPasses, ForwardPass
from masktrail.run.pipeline import Output, ahead, holding_ctrl_c
from masktrail.run.plan import Plan, Prompts, by_frame
from masktrail.run.record import peak_memory_mb, told_prompts, versions, write_json
from masktrail.video.reader import Video, open_video
from masktrail.zoo import DEFAULT, load, weights_hash, weights_path

DEFAULT_EXPORTS = "davis,csv,overlay,review"

Progress = Callable[[int, int | None], None]
"""Called with frames done and frames expected (None where nobody knows)."""


@dataclass(frozen=True)
class Report:
    """What a run did; `run.json` holds it too.

    Attributes:
        frames: tracked and written.
        seconds: from the first frame's decoding to the last file's closing.
        fps: frames per second over that time, decoding and writing included.
        tracking_fps: the same of the tracker alone.
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
    source: str | Path | int,
    prompts: Prompts,
    out: str | Path,
    model: str | Path = DEFAULT,
    export: str = DEFAULT_EXPORTS,
    size: int | None = None,
    device: str = "auto",
    start: int = 0,
    end: int | None = None,
    progress: Progress = lambda done, expected: None,
    direction: str = "both",
    precision: str = "auto",
) -> Report:
    """Tracks the prompted objects through a video and writes what was asked for.

    Prompts in the first frame alone are tracked as the frames come. With later ones the frames up
    to the last of them are looked at twice before anything is written, see docs/corrections.md.

    Args:
        source: whatever `open_video` opens.
        prompts: by object id, for frame `start`; or by frame, counted from the source's frame 0,
            and object id.
        out: folder for the files.
        model: whatever `load` loads.
        export: names of writers, with commas between.
        size: short side to work at, pixels.
        device: where to compute.
        start: first frame, counted from 0.
        end: frame to stop before.
        progress: called after every frame, those looked at before writing included.
        direction: "both": forward behind the last prompt, backward before the first, both ways
            between; "forward": every frame as it comes, which is all that cameras and pipes can;
            "backward": from the last prompt to frame `start`, and nothing behind it.
        precision: see `zoo.load`.

    Raises:
        InputError: anything that cannot be used; nothing is then left under a final name, but for
            masks of frames already done.
    """
    out = Path(out)
    plan = Plan(by_frame(prompts, start), start, direction)
    writers = make_writers(export, out)
    last = end if plan.forward else plan.last + 1
    with open_video(source, start, last) as video:
        check_prompts(plan, video, end)
        tracker = load(model, device, size, precision)
        passes = BothPasses(tracker, plan, out) if plan.backward else ForwardPass(tracker, plan)
        report = _loop(video, passes, writers, progress)
    arguments = {
        "video": str(source),
        "prompts": told_prompts(plan),
        "export": export,
        "size": tracker.size,
        "device": str(tracker.propagator.device),
        "precision": tracker.precision,
        "start": start,
        "end": end,
        "direction": direction,
    }
    make_folder(out)
    write_json(
        out / "run.json",
        {
            "model": str(model),
            "weights_sha256": weights_hash(weights_path(model)),
            "arguments": arguments,
            "versions": versions(),
            **asdict(report),
        },
    )
    return report


def check_prompts(plan: Plan, video: Video, end: int | None) -> None:
    """Refuses prompts that do not fit a video before anything is loaded or written.

    Raises:
        InputError: which prompt, and why.
    """
    info, known = video.info, set[int]()
    for frame in sorted(plan.prompts, reverse=not plan.forward):
        for object_id, prompt in plan.prompts[frame].items():
            check_prompt(object_id, prompt, info.height, info.width, known=object_id in known)
            known.add(object_id)
        if end is not None and frame >= end:
            raise InputError(
                f"The prompt for frame {frame} lies behind frame {end - 1}, the last one asked "
                "for; choose a greater end."
            )
    if plan.backward and not video.repeatable:
        raise InputError(
            f"{info.source} is live or a pipe and cannot be tracked backward, as the prompt for "
            f"frame {plan.last} needs; track it forward alone, or record it to a file first."
        )


def _loop(
    video: Video,
    passes: BothPasses | ForwardPass,
    writers: list[Writer],
    progress: Progress,
) -> Report:
    done, tracking, interrupted = 0, 0.0, False
    counted = _counting(progress, video.expected, passes.extra)
    begun = time.perf_counter()
    output = Output(writers, video.info)
    try:
        passes.prepare(video, counted)
        tracking = time.perf_counter() - begun if passes.extra else 0.0
        for frame in ahead(video):
            before = time.perf_counter()
            result = passes.step(frame)
            tracking += time.perf_counter() - before
            with holding_ctrl_c():
                output.write(frame, result)
                done += 1
            counted()
        passes.finish(video)
    except KeyboardInterrupt:
        interrupted = True
    except BaseException:
        output.abort()
        raise
    finally:
        passes.close()
    try:
        with holding_ctrl_c():
            output.close()
    except KeyboardInterrupt:
        interrupted = True
    seconds = time.perf_counter() - begun
    return Report(
        frames=output.written,
        seconds=seconds,
        fps=output.written / seconds,
        tracking_fps=done / tracking if tracking else 0.0,
        peak_memory_mb=peak_memory_mb(),
        loss=video.loss,
        interrupted=interrupted,
    )


def _counting(progress: Progress, expected: int | None, extra: int) -> Callable[[], None]:
    """A function to be called after every frame of every pass."""
    numbers = itertools.count(1)
    total = None if expected is None else expected + extra
    return lambda: progress(next(numbers), total)
