"""Which model is tracked through which clip, from which prompt, by which engine and how."""

from dataclasses import dataclass

import numpy as np

from masktrail.masks import tight_box
from masktrail.prompts.kinds import Box, Mask, Points, Prompt
from masktrail.types import LabelMap
from masktrail.zoo import CARDS, DEFAULT, trackers


@dataclass(frozen=True)
class Case:
    """One tracking of one clip.

    Attributes:
        model: name in the zoo.
        clip: key of `clips.CLIPS`.
        prompt: "mask", "box" or "click", in the first frame.
        precision: "float" or "int8".
        frames: how many of the clip's; None: all.
        engine: that computes it, where it has a network.
    """

    model: str
    clip: str
    prompt: str
    precision: str
    frames: int | None = None
    engine: str = "openvino"

    @property
    def subject(self) -> str:
        """What its row is stored with the others of."""
        return f"{self.model}-{self.engine}"

    @property
    def name(self) -> str:
        """As its row is stored, in the file of its subject."""
        return f"{self.clip} {self.prompt} {self.precision}"


SHORT = 20
"""Frames for models that are slower, or drift: what they drift to depends on the last bit."""

OTHERS = [model for model in trackers() if model != DEFAULT]


def _engine_of(model: str) -> str:
    return "openvino" if CARDS[model].graphs else "torch"


CASES = [
    *(
        Case(DEFAULT, clip, "mask", precision)
        for precision in ("float", "int8")
        for clip in ("demo", "returns")
    ),
    *(Case(DEFAULT, "demo", prompt, "int8") for prompt in ("box", "click")),
    Case(DEFAULT, "demo", "mask", "float", SHORT, "torch"),
    *(Case(model, "demo", "mask", "float", SHORT, _engine_of(model)) for model in OTHERS),
]


def prompt_of(kind: str, labels: LabelMap) -> Prompt:
    """What marks object 1 of a label map (H, W).

    A click falls on the pixel of the object that is nearest to the mean of all.
    """
    if kind == "mask":
        return Mask(labels == 1)
    if kind == "box":
        box = tight_box(labels == 1)
        assert box is not None
        return Box(*box)
    places = np.argwhere(labels == 1)
    y, x = places[((places - places.mean(0)) ** 2).sum(1).argmin()]
    return Points([(x + 0.5, y + 0.5)], [True])
