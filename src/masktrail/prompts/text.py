"""Prompts as they are written on a command line."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from masktrail.errors import InputError
from masktrail.masks import read_first_mask
from masktrail.types import Box, Mask, Prompt

_NUMBER = r"\s*(-?\d+(?:\.\d+)?)\s*"
_BOX = re.compile(r"\s*(\d{1,9})\s*:" + ",".join([_NUMBER] * 4))


def read_prompts(mask: Path | None, boxes: Sequence[str]) -> dict[int, Prompt]:
    """Prompts by object id, from a mask picture and boxes.

    Raises:
        InputError: none at all, a mask that cannot be read, a box that is malformed, an id twice.
    """
    prompts: dict[int, Prompt] = {}
    if mask is not None:
        labels, _ = read_first_mask(mask)
        prompts.update({int(i): Mask(labels == i) for i in np.unique(labels) if i})
    for text in boxes:
        object_id, box = parse_box(text)
        if object_id in prompts:
            raise InputError(f"Object {object_id} is marked twice; give each id one mask or box.")
        prompts[object_id] = box
    if not prompts:
        raise InputError(
            "There is nothing to track; mark an object with --mask FIRST.png or "
            "--box 1:x0,y0,x1,y1."
        )
    return prompts


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
