"""Whether a prompt can be used on a frame, told before any work is done."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.prompts.kinds import MAX_ID, Box, Mask, Points, Prompt, PromptLike, as_prompt
from masktrail.settings import integer

NO_NUMBERS = (TypeError, ValueError, OverflowError)
"""What is raised by what cannot be made numbers of."""


def check_prompts(
    prompts: Mapping[int, PromptLike], height: int, width: int, known: Collection[int]
) -> dict[int, Prompt]:
    """Prompts of a frame, see `check_prompt`, by ascending object id.

    Args:
        prompts: by object id, any integers.
        height: of the frame, pixels.
        width: of the frame, pixels.
        known: ids of objects that are tracked already.

    Raises:
        InputError: as `check_prompt`, or an id that is no integer.
    """
    if not isinstance(prompts, Mapping):
        raise InputError(
            f"Prompts are given by object id, as {{1: Box(0, 0, {width}, {height})}}, not as "
            f"{type(prompts).__name__}."
        )
    by_id = {integer(i, "object id"): as_prompt(value) for i, value in prompts.items()}
    return {i: check_prompt(i, by_id[i], height, width, i in known) for i in sorted(by_id)}


def check_prompt(
    object_id: int, prompt: Prompt, height: int, width: int, known: bool = True
) -> Prompt:
    """The prompt, a box cut to the frame.

    Args:
        object_id: the object it is for.
        prompt: the prompt.
        height: of the frame, pixels.
        width: of the frame, pixels.
        known: whether the object is tracked already, so that there is a mask to correct.

    Raises:
        InputError: an id out of range; a prompt that is none; a mask of another size or empty; a
            box without area or outside the frame; clicks that are none, outside the frame, in
            contradiction, or all off an object that is not there yet.
    """
    if not 1 <= object_id <= MAX_ID:
        raise InputError(f"Object ids go from 1 to {MAX_ID}, not {object_id}; write 1 for a first.")
    if isinstance(prompt, Mask):
        return _check_mask(object_id, prompt, height, width)
    if isinstance(prompt, Box):
        return _check_box(object_id, prompt, height, width)
    if isinstance(prompt, Points):
        return _check_points(object_id, prompt, height, width, known)
    kind = type(prompt).__name__
    raise InputError(
        f"The prompt of object {object_id} must be a Mask, a Box or Points, not {kind}; "
        f"give for example Box(0, 0, {width}, {height})."
    )


def _check_mask(object_id: int, prompt: Mask, height: int, width: int) -> Mask:
    try:
        mask = np.asarray(prompt.mask)
    except NO_NUMBERS:  # lists of different lengths
        mask = np.asarray(None)
    if mask.dtype.kind not in "buif":
        raise InputError(
            f"The mask of object {object_id} holds {mask.dtype} values; expected true and false, "
            f"or numbers, in an array of shape ({height}, {width})."
        )
    if mask.shape != (height, width):
        size = " x ".join(str(side) for side in reversed(mask.shape))
        raise InputError(
            f"The mask of object {object_id} is {size} pixels, the frame {width} x {height}; "
            "draw the mask on a frame of this video."
        )
    if np.issubdtype(mask.dtype, np.floating):
        mask = _above_one_half(object_id, mask)
    if not mask.any():
        raise InputError(
            f"The mask of object {object_id} is empty; mark at least one pixel of the object."
        )
    return Mask(mask.astype(bool))


def _above_one_half(object_id: int, soft: NDArray[Any]) -> NDArray[np.bool_]:
    if not (soft.min() >= 0 and soft.max() <= 1):
        raise InputError(
            f"The mask of object {object_id} holds values from {soft.min():g} to {soft.max():g}; "
            "expected true and false, or probabilities from 0 to 1."
        )
    if 0 < soft.max() <= 0.5:
        raise InputError(
            f"The mask of object {object_id} holds no probability above {soft.max():g}, and only "
            "those above one half count; give a mask of true and false."
        )
    return soft > 0.5


def _check_box(object_id: int, box: Box, height: int, width: int) -> Box:
    try:
        box = Box(*map(_number, (box.x0, box.y0, box.x1, box.y1)))
    except (*NO_NUMBERS, AttributeError) as error:
        raise InputError(
            f"The box of object {object_id} is {box}; expected four numbers, as "
            f"Box({width // 4}, {height // 4}, {width * 3 // 4}, {height * 3 // 4})."
        ) from error
    text = f"({box.x0:g}, {box.y0:g}, {box.x1:g}, {box.y1:g}) of object {object_id}"
    example = f"{width // 4}, {height // 4}, {width * 3 // 4}, {height * 3 // 4}"
    if not (box.x1 > box.x0 and box.y1 > box.y0):
        raise InputError(
            f"The box {text} has no area; give x0, y0, x1, y1 with x1 > x0 and y1 > y0, as "
            f"{example}."
        )
    if box.x1 - box.x0 < 1 or box.y1 - box.y0 < 1:
        raise InputError(
            f"The box {text} is smaller than a pixel; coordinates are pixels of the frame of "
            f"{width} x {height}, not shares of it, as {example}."
        )
    cut = Box(max(box.x0, 0), max(box.y0, 0), min(box.x1, width), min(box.y1, height))
    if not (cut.x1 > cut.x0 and cut.y1 > cut.y0):
        raise InputError(
            f"The box {text} lies outside the frame of {width} x {height} pixels; give one "
            f"inside, as {example}."
        )
    return cut


def _check_points(object_id: int, clicks: Points, height: int, width: int, known: bool) -> Points:
    example = f"({width // 2}, {height // 2})"
    points, labels = _pairs(object_id, clicks, example), _labels(object_id, clicks)
    if not points or len(points) != len(labels):
        raise InputError(
            f"Object {object_id} has {len(points)} clicks and {len(labels)} labels; give one or "
            f"more, each with its label, as Points([({width // 2}, {height // 2})], [True])."
        )
    for x, y in points:
        if not (0 <= x < width and 0 <= y < height):
            raise InputError(
                f"The point ({x:g}, {y:g}) of object {object_id} lies outside the frame of "
                f"{width} x {height} pixels; click inside, as {example}."
            )
    _check_labels(object_id, points, labels)
    if not any(labels) and clicks.alone and not known:
        raise InputError(
            f"There is no object {object_id} yet that the negative click ({points[0][0]:g}, "
            f"{points[0][1]:g}) could correct; mark it first, as by a click on it at {example}."
        )
    box = None if clicks.box is None else _check_box(object_id, clicks.box, height, width)
    if clicks.mask is not None and not isinstance(clicks.mask, Mask):
        raise InputError(
            f"The mask beside the clicks of object {object_id} must be a Mask, not "
            f"{type(clicks.mask).__name__}; write Mask(...) around it."
        )
    mask = None if clicks.mask is None else _check_mask(object_id, clicks.mask, height, width)
    return Points(points, labels, box, mask)


def _pairs(object_id: int, clicks: Points, example: str) -> tuple[tuple[float, float], ...]:
    """The positions as numbers."""
    try:
        return tuple((_number(x), _number(y)) for x, y in clicks.points)
    except NO_NUMBERS as error:
        raise InputError(
            f"The points {clicks.points!r} of object {object_id} are no pairs of numbers; give "
            f"(x, y) of each, as {example}."
        ) from error


def _labels(object_id: int, clicks: Points) -> tuple[bool, ...]:
    """Whether each click lies on the object."""
    try:
        labels = tuple(clicks.labels)
        if all(label in (0, 1) for label in labels):
            return tuple(map(bool, labels))
    except NO_NUMBERS:
        pass
    raise InputError(
        f"The labels {clicks.labels!r} of object {object_id} are no list of true and false; give "
        "True for a click on the object, False for one off it."
    )


def _number(value: Any) -> float:
    """A number of any library as one of Python, or one of `NO_NUMBERS`; text is none."""
    if isinstance(value, (str, bytes)):
        raise TypeError
    return float(value)


def _check_labels(
    object_id: int, points: tuple[tuple[float, float], ...], labels: tuple[bool, ...]
) -> None:
    """Refuses a pixel that is both on the object and off it."""
    by_pixel: dict[tuple[int, int], bool] = {}
    for (x, y), label in zip(points, labels, strict=True):
        if by_pixel.setdefault((int(x), int(y)), label) != label:
            raise InputError(
                f"The point ({x:g}, {y:g}) is both on object {object_id} and off it; give it once, "
                "as the one or the other."
            )
