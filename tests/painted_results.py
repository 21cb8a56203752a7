"""Painted clips as a tracker's results, written by any writer: what the tests of exports share."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from masktrail.export import make_writers
from masktrail.masks import areas
from masktrail.results import NOT_KEPT, ObjectResult, Result, SoftMasks, described
from masktrail.types import Frame, LabelMap, VideoInfo
from painted_videos import Clip

Pair = tuple[Frame, Result]
Soft = dict[int, NDArray[np.float32]]

BASE = Fraction(1, 25)
SIZE = (151, 97)
"""Width and height of `hard_labels`, both odd."""


def hard_labels() -> list[LabelMap]:
    """What formats trip over, uint16 (97, 151), objects 1, 2 and 300.

    In order: a hole beside an id above 255; an object in two pieces; nothing at all; an object at
    the border of the picture and another of two pixels; one object everywhere.
    """
    width, height = SIZE
    y, x = np.mgrid[:height, :width]
    away = np.hypot(x - 50, y - 48)
    frames = [np.zeros((height, width), np.uint16) for _ in range(5)]
    frames[0][(away < 40) & (away > 15)] = 1
    frames[0][np.hypot(x - 120, y - 40) < 25] = 300
    frames[1][10:60, 5:55] = 1
    frames[1][20:90, 60:110] = 1
    frames[3][60:, 100:] = 300
    frames[3][:2, 3] = 2
    frames[4][:] = 1
    return frames


@dataclass(frozen=True, eq=False)
class GivenMasks(SoftMasks):
    """Soft masks that are there already."""

    masks: Soft

    def make(self) -> Soft:
        return self.masks

    def packed(self) -> bytes:
        raise NotImplementedError


def results_of(
    labels: Iterable[LabelMap], known: tuple[int, ...] = (), soft: Soft | None = None
) -> list[Result]:
    """Label maps as results; `known` ids that are not seen are lost."""
    results = []
    for picture in labels:
        objects = {i: ObjectResult(0.0, 0, None, "lost") for i in known}
        objects |= {i: described(picture == i, 0.875, turned=False) for i in areas(picture)}
        results.append(Result(picture, objects, NOT_KEPT if soft is None else GivenMasks(soft)))
    return results


def pairs_of(results: list[Result], first: int = 0, images: Iterable | None = None) -> list[Pair]:
    """Results with frames, black unless `images` are given, 25 per second from index `first` on."""
    black = (np.zeros((*result.labels.shape, 3), np.uint8) for result in results)
    numbered = enumerate(zip(images if images is not None else black, results, strict=True), first)
    return [(Frame(image, i, i, BASE, 1), result) for i, (image, result) in numbered]


def soft_clip(clip: Clip) -> list[Result]:
    """A painted clip's label maps as results with soft masks: 0.5 on the left half, else 1."""
    results = []
    for labels in clip.labels:
        half = np.where(np.arange(labels.shape[1]) < labels.shape[1] // 2, 0.5, 1.0)
        masks = {i: ((labels == i) * half).astype(np.float32) for i in (1, 2)}
        results += results_of([labels], soft=masks)
    return results


def write(
    name: str, out: Path, pairs: list[Pair], info: VideoInfo | None = None, end: str = "close"
) -> None:
    """Everything a run does with a writer; `end` is its last call."""
    (writer,) = make_writers(name, out)
    height, width = pairs[0][1].labels.shape if pairs else SIZE[::-1]
    writer.open(info or VideoInfo("none.mp4", width, height, 1 / BASE, BASE))
    for frame, result in pairs:
        writer.write(frame, result)
    getattr(writer, end)()


def overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Intersection over union."""
    return (one & other).sum() / (one | other).sum()
