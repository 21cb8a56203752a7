"""From a video and a prompt to finished files: the loop that everything else wraps."""

import json
import platform
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masktrail.errors import InputError
from masktrail.export import make_writers
from masktrail.export.base import Writer, make_folder
from masktrail.masks import replacing
from masktrail.pipeline import Output, ahead, holding_ctrl_c
from masktrail.prompts.check import check_prompt
from masktrail.types import Box, Prompt, VideoInfo
from masktrail.video.reader import Video, open_video
from masktrail.zoo import DEFAULT, load, weights_hash, weights_path

if TYPE_CHECKING:
    from masktrail.trackers.tracker import Tracker

DEFAULT_EXPORTS = "davis,csv,overlay"

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
    prompts: Mapping[int, Prompt],
    out: str | Path,
    model: str | Path = DEFAULT,
    export: str = DEFAULT_EXPORTS,
    size: int | None = None,
    device: str = "auto",
    start: int = 0,
    end: int | None = None,
    progress: Progress = lambda done, expected: None,
) -> Report:
    """Tracks the prompted objects through a video and writes what was asked for.

    Args:
        source: whatever `open_video` opens.
        prompts: at frame `start`, by object id.
        out: folder for the files.
        model: whatever `load` loads.
        export: names of writers, with commas between.
        size: short side to work at, pixels.
        device: where to compute.
        start: first frame, counted from 0.
        end: frame to stop before.
        progress: called after every frame.

    Raises:
        InputError: anything that cannot be used; nothing is then left under a final name, but for
            masks of frames already done.
    """
    out = Path(out)
    if not prompts:
        raise InputError("There is nothing to track; give a mask or a box for the first frame.")
    writers = make_writers(export, out)
    with open_video(source, start, end) as video:
        check_prompts(prompts, video.info)
        tracker = load(model, device, size)
        report = _loop(video, prompts, tracker, writers, progress)
    arguments = {
        "video": str(source),
        "prompts": {i: _told(prompt) for i, prompt in prompts.items()},
        "export": export,
        "size": tracker.size,
        "device": str(tracker.propagator.device),
        "start": start,
        "end": end,
    }
    make_folder(out)
    _write_json(
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


def check_prompts(prompts: Mapping[int, Prompt], info: VideoInfo) -> None:
    """Refuses prompts that do not fit a video before anything is loaded or written.

    Raises:
        InputError: which prompt, and why.
    """
    for object_id, prompt in prompts.items():
        check_prompt(object_id, prompt, info.height, info.width)


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    packages = ("masktrail", "torch", "numpy", "av", "pillow")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def peak_memory_mb() -> float | None:
    """Largest resident memory of this process so far, MiB; None where the system does not tell."""
    try:  # `ru_maxrss` would count the process that started this one too
        own = re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())
    except OSError:
        own = None
    if own:
        return int(own[1]) / 2**10
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _loop(
    video: Video,
    prompts: Mapping[int, Prompt],
    tracker: "Tracker",
    writers: list[Writer],
    progress: Progress,
) -> Report:
    done, tracking, interrupted = 0, 0.0, False
    begun = time.perf_counter()
    output = Output(writers, video.info)
    try:
        for frame in ahead(video):
            before = time.perf_counter()
            result = tracker.step(frame.image, prompts if done == 0 else None)
            tracking += time.perf_counter() - before
            with holding_ctrl_c():
                output.write(frame, result)
                done += 1
            progress(done, video.expected)
    except KeyboardInterrupt:
        interrupted = True
    except BaseException:
        output.abort()
        raise
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


def _told(prompt: Prompt) -> str | list[float]:
    return [prompt.x0, prompt.y0, prompt.x1, prompt.y1] if isinstance(prompt, Box) else "mask"


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with replacing(path) as part:
        part.write_text(json.dumps(content, indent=2) + "\n")
