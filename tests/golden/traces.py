"""What a tracker gave of a clip, frame by frame, and how far that is from what it gave before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from golden.cases import Case, prompt_of
from golden.clips import CLIPS, SIZE, Clip
from masktrail.evaluate.measures import region_similarity
from masktrail.zoo import load, untaught

J_TOLERANCE, AREA_TOLERANCE = 0.01, 0.02
"""How far J (absolute) and the area (relative) of a frame may move."""

ROUNDING = 1e-9

EXCEPTED = 1 / 10
"""Share of a clip's frames that may move farther. Processors round differently, and where a mask is
barely found that decides: between bfloat16 and float32, AVX2 and AVX-512, VNNI and none, 3 of 99
frames moved so, when the koi swims in again."""


@dataclass(frozen=True)
class Trace:
    """J and area in pixels of the object in every frame, the prompted one included."""

    similarities: list[float]
    areas: list[int]

    @classmethod
    def from_row(cls, row: dict[str, list[Any]]) -> Trace:
        """From what `row` gave."""
        return cls(row["J"], row["area"])

    def row(self) -> dict[str, list[Any]]:
        """For a JSON file."""
        return {"J": [round(value, 4) for value in self.similarities], "area": self.areas}

    @property
    def mean(self) -> float:
        """Mean J of the frames after the prompted one."""
        return float(np.mean(self.similarities[1:]))


def follow(case: Case) -> Trace:
    """Tracks a case's clip at its own size."""
    settings = untaught(case.model)
    tracker = load(case.model, "cpu", min(SIZE), case.precision, settings, case.engine)
    return trace(tracker, CLIPS[case.clip]()[: case.frames], case.prompt)


def trace(tracker: Any, clip: Clip, prompt: str) -> Trace:
    """Tracks object 1 of a clip from a prompt in its first frame."""
    similarities, areas = [], []
    for index, (image, truth) in enumerate(clip):
        prompts = {} if index else {1: prompt_of(prompt, truth)}
        found = tracker.step(image, prompts).labels == 1
        similarities.append(float(region_similarity(truth == 1, found)))
        areas.append(int(np.count_nonzero(found)))
    return Trace(similarities, areas)


def differences(stored: Trace, now: Trace) -> list[str]:
    """Sentences about what has moved too far; none where all that did are frames excepted."""
    frames = zip(stored.similarities, now.similarities, stored.areas, now.areas, strict=True)
    told = [_moved(*values) for values in frames]
    beyond = [f"frame {index}: {what}" for index, what in enumerate(told) if what]
    if len(beyond) <= EXCEPTED * len(told):
        beyond = []
    if abs(now.mean - stored.mean) > J_TOLERANCE + ROUNDING:
        beyond.append(f"mean J was {stored.mean:.4f} and is {now.mean:.4f}")
    return beyond


def _moved(j: float, new_j: float, area: int, new_area: int) -> str:
    """What is said of a frame whose J or area moved too far; nothing of others."""
    if abs(new_j - j) > J_TOLERANCE + ROUNDING:
        return f"J was {j:.4f} and is {new_j:.4f}"
    if abs(new_area - area) > AREA_TOLERANCE * area:
        return f"the area was {area} pixels and is {new_area}"
    return ""
