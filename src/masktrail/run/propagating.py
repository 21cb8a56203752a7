"""Objects followed through a video, frame by frame: results alone, no files."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from masktrail.masks.edges import check_edges, refined
from masktrail.results import Result
from masktrail.run.check import check_plan
from masktrail.run.model import options_of
from masktrail.run.passes import BothPasses, ForwardPass
from masktrail.run.pipeline import ahead, meanwhile
from masktrail.run.plan import Direction, Plan, Prompts, by_frame
from masktrail.run.progress import Counted, Progress, called
from masktrail.settings import Edges, EngineName, Precision
from masktrail.types import Colour, Frame
from masktrail.video.reader import Video, VideoLike, open_video, span
from masktrail.zoo import DEFAULT, tracker_of

if TYPE_CHECKING:
    from masktrail.tracking.tracker import Seen, Tracker


def propagate(
    source: VideoLike,
    prompts: Prompts,
    model: "str | Path | Tracker" = DEFAULT,
    size: int | None = None,
    progress: Progress | None = None,
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
    colour: Colour = "rgb",
) -> Generator[tuple[Frame, Result], None, None]:
    """Tracks the prompted objects through a video and gives every frame with what is said of it.

    Nothing is written, but for a file without a name where a later prompt asks for both ways, and
    few frames are alive at a time. Nothing is opened before the first frame is asked for; whoever
    leaves the loop, or calls `close`, ends it. Frames that are given are taken one by one, when
    their results are asked for.

    Args:
        source: whatever `open_video` opens, frames from a loop of one's own among them.
        prompts: by object id, for the first frame; or by frame and object id.
        model: whatever `load` loads; or a tracker, which stays as it is: another one on its weights
            is used.
        size: short side to work at, pixels; the model's own by default.
        progress: called after every frame, those looked at before the first result included.
        device: this and the next four as in `track`.
        precision: float, bfloat16, int8 or auto.
        settings: the model's own.
        edges: plain or refined.
        engine: openvino, onnxruntime, torch or auto.
        start: first frame, counted from 0.
        end: frame to stop before.
        values: range of pictures of 16 bits or of floats.
        direction: both, forward or backward, as in `track`; both takes a source that can be read
            again where a prompt is for a later frame.
        colour: order of the channels of frames that are given; those it gives are RGB.

    Returns:
        Frames, ascending, with their results, as they are asked for.

    Raises:
        InputError: as `track`; of the video when the first frame is asked for, or later.
    """
    check_edges(edges)
    options, load = options_of(model, size, device, precision, settings, edges, engine)
    start, end = span(source, start, end)
    plan = Plan(by_frame(prompts, start), start, direction)
    last = end if plan.forward else plan.last + 1
    opened = partial(open_video, source, start, last, values=values, colour=colour)
    made = partial(load or tracker_of, options)
    return _propagated(opened, made, plan, end, called(progress), edges == "refined")


def _propagated(
    opened: Callable[[], Video],
    made: Callable[[], "Tracker"],
    plan: Plan,
    end: int | None,
    progress: Progress,
    refine: bool,
) -> Generator[tuple[Frame, Result], None, None]:
    with opened() as video:
        check_plan(plan, video, end)
        with _passes(made(), plan) as passes, meanwhile(passes.warm_up(video.info)):
            counted = Counted(progress, video.expected, passes.extra)
            passes.prepare(video, counted.one_more, counted.tick)
            for frame, result in _results(video, passes, refine):
                counted.one_more()
                yield frame, result
            passes.finish(video)


def _results(
    video: Video, passes: BothPasses | ForwardPass, refine: bool
) -> Iterator[tuple[Frame, Result]]:
    """Frames and results; where nobody else gives the frames, the next one is read meanwhile."""
    result = Result(np.zeros((video.info.height, video.info.width), np.uint8))
    looked = passes.looked_at(video, 0)
    with closing(looked if video.given else ahead(looked)) as frames:
        for frame, seen in frames:
            result = result_of(frame, seen, passes, result, refine)
            yield frame, result


@contextmanager
def _passes(tracker: "Tracker", plan: Plan) -> Iterator[BothPasses | ForwardPass]:
    passes = (
        BothPasses(tracker, plan, Path(gettempdir()))
        if plan.backward
        else ForwardPass(tracker, plan)
    )
    try:
        yield passes
    finally:
        passes.close()


def result_of(
    frame: Frame,
    seen: "Seen | None",
    passes: BothPasses | ForwardPass,
    before: Result,
    refine: bool,
) -> Result:
    """What is said of a frame; of one that is lost what was said before, all objects lost."""
    if frame.lost:
        passes.skip(frame)
        lost = {i: replace(old, score=0.0, state="lost") for i, old in before.objects.items()}
        return replace(before, objects=lost)
    result = passes.step(frame, seen)
    return refined(frame.image, result) if refine else result
