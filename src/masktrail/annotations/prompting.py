"""Annotations of other tools as prompts and corrections."""

import logging
from collections.abc import Callable
from pathlib import Path

from masktrail.annotations import kind_of, read_annotations
from masktrail.annotations.kinds import Labelled, LabelledVideo
from masktrail.annotations.shapes import Size
from masktrail.errors import InputError
from masktrail.prompts.kinds import Mask, Prompt
from masktrail.prompts.text import Prompts

log = logging.getLogger(__name__)


def prompts_from(
    source: Path | str, size: Callable[[], Size], start: int = 0, end: int | None = None
) -> Prompts:
    """Masks and boxes by frame and object id; where an object has both, its mask.

    Args:
        source: see `annotations.kind_of`.
        size: of the video in pixels, asked for where the annotations do not say.
        start: first frame that is tracked.
        end: frame to stop before.

    Raises:
        InputError: annotations that cannot be read, are of several videos, or of pictures that have
            nothing to do with each other or may be any frames, or mark nothing in these frames.
    """
    video = _one_video(source)
    inside = {f: v for f, v in video.frames.items() if f >= start and (end is None or f < end)}
    prompts = {
        number: objects
        for number, frame in sorted(inside.items())
        if (objects := _objects(frame, size))
    }
    if len(inside) < len(video.frames):
        log.warning(
            "%d frames that %s marks are not among those that are tracked.",
            len(video.frames) - len(inside), source,
        )  # fmt: skip
    if not prompts:
        raise InputError(f"{source} marks no object in the frames that are tracked.")
    return prompts


def _one_video(source: Path | str) -> LabelledVideo:
    told = read_annotations(kind_of(source), source)
    for loss in told.losses:
        log.warning("%s: left out are %s.", source, loss)
    if len(told.videos) != 1:
        names = ", ".join(video.name for video in told.videos[:3])
        raise InputError(
            f"{source} is of {len(told.videos)} videos ({names}); give the annotations of one."
        )
    (video,) = told.videos
    if not video.lasting:
        raise InputError(
            f"{source} numbers the objects of every picture by themselves: nothing says which is "
            "which in another frame. Give objects tracks, groups, or names as `object 3`."
        )
    if not video.counted and len(video.frames) > 1:
        first = next(iter(video.frames.values())).picture
        raise InputError(
            f"{source} does not say which frames of the video its {len(video.frames)} pictures are "
            f"({first}, ...). Name them by their numbers, counted from 0, as 00012.jpg."
        )
    return video


def _objects(frame: Labelled, size: Callable[[], Size]) -> dict[int, Prompt]:
    whole = frame.size or size()
    labels = frame.labels(whole)
    boxes: dict[int, Prompt] = {}
    for object_id, shape in frame.objects:
        box = shape.box(whole)
        if box is not None:
            boxes[object_id] = box
    masks: dict[int, Prompt] = dict(Mask.from_labels(labels)) if labels.any() else {}
    return {**boxes, **masks}


def merged(prompts: Prompts, more: Prompts) -> Prompts:
    """Both, in the order of their frames.

    Raises:
        InputError: they say something of the same object in the same frame.
    """
    found: dict[int, dict[int, Prompt]] = {}
    for frame in sorted({*prompts, *more}):
        one, other = prompts.get(frame, {}), more.get(frame, {})
        twice = sorted(set(one) & set(other))
        if twice:
            raise InputError(
                f"Object {twice[0]} is marked twice in frame {frame}, by a prompt and by the "
                "annotations; give one of them."
            )
        found[frame] = {**one, **other}
    return found
