"""What CVAT's XML draws, and how it moves from keyframe to keyframe."""

import math
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from masktrail.annotations.shapes import CocoShape, Rectangle, Runs, Shape, ellipse
from masktrail.libraries import library

BOX = ("xtl", "ytl", "xbr", "ybr", "rotation")


def shape_of(element: Element) -> Shape | None:
    """The shape of an element; None where it has no area, as points and lines.

    Raises:
        InputError: what reads polygons is not installed.
        ValueError: numbers that are none.
    """
    if element.tag == "mask":
        lengths = [int(run) for run in (element.get("rle") or "").split(",")]
        left, top, width, height = (
            int(element.get(name, 0)) for name in ("left", "top", "width", "height")
        )
        return Runs(lengths, left, top, width, height)
    if element.tag == "polygon":
        library("pycocotools.mask", "pycocotools", "Reading polygons of CVAT")
        corners = _points(element)
        return CocoShape([corners.reshape(-1).tolist()]) if len(corners) >= 3 else None
    if element.tag == "ellipse":
        cx, cy, rx, ry, degrees = _numbers(element, ("cx", "cy", "rx", "ry", "rotation"))
        return ellipse((cx, cy), (rx, ry), degrees)
    if element.tag == "box":
        return _box(*_numbers(element, BOX))
    return None


def along(track: Element, last: int, step: int) -> Iterator[tuple[int, Element]]:
    """Frames and shapes of a track, those between its keyframes included.

    CVAT writes a shape that is no track as a track of one keyframe, and ends it in the frame behind
    unless that is the last one: such a shape is there in its own frame alone.

    Args:
        track: its element.
        last: frame of the task.
        step: distance of the frames that the task has.
    """
    keyframes = sorted(track, key=lambda shape: int(shape.get("frame", 0)))
    for shape, after in zip(keyframes, [*keyframes[1:], None], strict=True):
        if shape.get("outside") == "1":
            continue
        first = int(shape.get("frame", 0))
        end = last + 1 if after is None else int(after.get("frame", 0))
        if len(keyframes) == 1 and first + step >= last:
            end = first + 1
        for frame in range(first, end, step):
            yield frame, _between(shape, after, (frame - first) / max(1, end - first))


def _between(shape: Element, after: Element | None, share: float) -> Element:
    """A shape on its way to the next one."""
    if after is None or not share or after.get("outside") == "1" or shape.tag != after.tag:
        return shape
    if shape.tag == "box":
        here, there = (np.array(_numbers(each, BOX)) for each in (shape, after))
        moved = (here + share * (there - here)).tolist()
        return _like(shape, dict(zip(BOX, map(str, moved), strict=True)))
    if shape.tag == "polygon":
        begin, end = _points(shape), _points(after)
        if len(begin) == len(end):
            corners = (begin + share * (end - begin)).tolist()
            return _like(shape, {"points": ";".join(f"{x},{y}" for x, y in corners)})
    return shape


def _like(shape: Element, attributes: dict[str, str]) -> Element:
    return Element(shape.tag, {**shape.attrib, **attributes})


def _numbers(element: Element, names: tuple[str, ...]) -> tuple[float, ...]:
    return tuple(float(element.get(name, 0)) for name in names)


def _points(element: Element) -> NDArray[np.float64]:
    pairs = [pair.split(",") for pair in (element.get("points") or "").split(";") if pair]
    return np.array([(float(x), float(y)) for x, y in pairs], np.float64).reshape(-1, 2)


def _box(x0: float, y0: float, x1: float, y1: float, degrees: float) -> Rectangle:
    """What a box lies in that is turned about its middle."""
    c, s = (
        abs(part) for part in (math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    )
    x, y, width, height = (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0
    half, tall = (width * c + height * s) / 2, (width * s + height * c) / 2
    return Rectangle((x - half, y - tall, x + half, y + tall))
