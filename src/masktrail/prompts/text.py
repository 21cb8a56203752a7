"""Prompts as they are written on a command line."""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from masktrail.errors import InputError
from masktrail.masks import read_legend
from masktrail.masks.legend import Legend
from masktrail.prompts.kinds import Box, Mask, Points, Prompt

log = logging.getLogger(__name__)

Prompts = dict[int, dict[int, Prompt]]
"""Prompts by frame, counted from frame 0 of the source, and object id."""

KINDS = ("mask", "box", "point", "not_point", "at")
"""Of options that say what is marked, and in which frame."""

_NUMBER = r"\s*(-?\d+(?:\.\d+)?)\s*"
_BOX = re.compile(r"\s*(\d{1,9})\s*:" + ",".join([_NUMBER] * 4))
_POINT = re.compile(r"\s*(\d{1,9})\s*:" + ",".join([_NUMBER] * 2))
_FRAME = re.compile(r"\s*\d{1,9}\s*")


@dataclass
class _Marks:
    """What was said of one object in one frame."""

    box: Box | None = None
    mask: Mask | None = None
    points: list[tuple[float, float]] = field(default_factory=list)
    labels: list[bool] = field(default_factory=list)

    def prompt(self) -> Prompt:
        if self.points:
            return Points(tuple(self.points), tuple(self.labels), self.box, self.mask)
        prompt = self.mask or self.box
        assert prompt is not None
        return prompt


def read_prompts(pairs: Iterable[tuple[str, str]], first: int = 0) -> Prompts:
    """Prompts by frame and object id, from options and their texts.

    Args:
        pairs: in the order of the command line: ("box", "1:40,60,200,300"), ("point", "1:90,120"),
            ("not_point", "1:9,12"), ("mask", "FIRST.png"), or ("at", "30"), which says what frame
            all that follows is for. What is said of one object in one frame is put together.
        first: frame that is meant before any "at"; no other may lie before it.

    Raises:
        InputError: nothing is marked at all or after an "at", a mask that cannot be read, a text
            that is malformed, two boxes or masks for one object in one frame, an object that has
            nothing but negative clicks, a frame before the first.
    """
    pairs = list(pairs)
    legend = _legend([text for kind, text in pairs if kind == "mask"])
    frames: dict[int, dict[int, _Marks]] = {}
    frame, empty = first, None
    for kind, text in pairs:
        if kind == "at":
            _refuse_empty(empty)
            frame, empty = parse_frame(text, first), text
            continue
        empty = None
        objects = frames.setdefault(frame, {})
        for object_id, marks in _read(kind, text, legend):
            _add(objects.setdefault(object_id, _Marks()), marks, object_id, text)
    _refuse_empty(empty)
    _refuse_negatives(frames)
    if not any(frames.values()):
        raise InputError(
            "There is nothing to track; mark an object with --mask FIRST.png, "
            "--box 1:x0,y0,x1,y1 or --point 1:x,y."
        )
    return {f: {i: m.prompt() for i, m in frames[f].items()} for f in sorted(frames) if frames[f]}


def parse_box(text: str) -> tuple[int, Box]:
    """Object id and box of a text such as "1:40,60,200,300".

    Raises:
        InputError: anything else.
    """
    match = _BOX.fullmatch(text)
    if match is None:
        raise InputError(
            f"The box {text!r} cannot be read; write ID:x0,y0,x1,y1, as 1:40,60,200,300."
        )
    object_id, *corners = match.groups()
    return int(object_id), Box(*map(float, corners))


def parse_point(text: str) -> tuple[int, tuple[float, float]]:
    """Object id and position of a text such as "1:90,120".

    Raises:
        InputError: anything else.
    """
    match = _POINT.fullmatch(text)
    if match is None:
        raise InputError(f"The point {text!r} cannot be read; write ID:x,y, as 1:90,120.")
    object_id, x, y = match.groups()
    return int(object_id), (float(x), float(y))


def parse_frame(text: str, first: int = 0) -> int:
    """A frame's index, not before the first.

    Raises:
        InputError: anything else.
    """
    if _FRAME.fullmatch(text) is None:
        raise InputError(f"The frame {text!r} cannot be read; count them from 0, as --at 30.")
    if int(text) < first:
        raise InputError(
            f"--at {int(text)} lies before the first frame to be tracked, {first}; start earlier, "
            f"as --start {int(text)}, or mark a later frame, as --at {first}."
        )
    return int(text)


def _legend(paths: list[str]) -> Legend | None:
    """What colours mean in all masks alike, said aloud; None where every mask says it itself."""
    if len(paths) < 2:
        return None
    legend = read_legend(paths)
    if not legend.note:
        return None
    log.warning("%s and the masks after it: %s", paths[0], legend.note)
    return legend


def _read(kind: str, text: str, legend: Legend | None) -> list[tuple[int, _Marks]]:
    """What one option says, by object id."""
    if kind == "mask":
        return [(i, _Marks(mask=mask)) for i, mask in Mask.from_file(text, legend).items()]
    if kind == "box":
        object_id, box = parse_box(text)
        return [(object_id, _Marks(box=box))]
    object_id, point = parse_point(text)
    return [(object_id, _Marks(points=[point], labels=[kind == "point"]))]


def _add(marks: _Marks, more: _Marks, object_id: int, text: str) -> None:
    """Adds to what was said of an object; one of box and mask is all it can have."""
    outlined = marks.box is not None or marks.mask is not None
    if outlined and (more.box is not None or more.mask is not None):
        raise InputError(
            f"Object {object_id} is marked twice, the second time by {text}; give it one mask or "
            f"box a frame, and correct it by clicks, as --point {object_id}:90,120."
        )
    marks.box, marks.mask = marks.box or more.box, marks.mask or more.mask
    marks.points += more.points
    marks.labels += more.labels


def _refuse_empty(at: str | None) -> None:
    if at is not None:
        raise InputError(
            f"--at {at} is followed by no prompt; put it before those of its frame, as "
            f"--at {at} --point 1:90,120."
        )


def _refuse_negatives(frames: dict[int, dict[int, _Marks]]) -> None:
    """Refuses objects of which is only said what they are not."""
    every = [(i, marks) for objects in frames.values() for i, marks in objects.items()]
    marked = {i for i, marks in every if marks.box or marks.mask or any(marks.labels)}
    for object_id, marks in every:
        if object_id not in marked:
            x, y = marks.points[0]
            raise InputError(
                f"There is no object {object_id} that --not-point {object_id}:{x:g},{y:g} could "
                f"correct; mark it first, as --point {object_id}:90,120."
            )
