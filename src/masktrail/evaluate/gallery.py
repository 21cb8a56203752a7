"""The frames a model did best and worst in, with its mask and the outline of the true one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from masktrail.data.sequence import Sequence as Video
from masktrail.evaluate.scores import rules_of
from masktrail.evaluate.tables import Figures, over_time
from masktrail.masks import read_labels, read_legend
from masktrail.masks.draw import contour, overlay
from masktrail.types import Image, LabelMap

WIDTH = 640
"""Of a picture in the report, pixels."""

WHITE, BLACK = 255, 0


@dataclass(frozen=True)
class Shot:
    """One frame to look at.

    Attributes:
        title: sequence, frame and J.
        worst: whether it is one of the worst, else one of the best.
        picture: uint8 RGB (H, W, 3), the predicted mask tinted, the true outline white.
    """

    title: str
    worst: bool
    picture: Image


def shots(figures: Figures, sequences: Sequence[Video], masks: Path, count: int = 3) -> list[Shot]:
    """The worst and then the best frames by J, one of a sequence at most among each.

    Args:
        figures: of one model.
        sequences: those the figures are of.
        masks: folder `<sequence>/<frame>.png` of the model's label maps.
        count: of each; fewer where there are fewer sequences.

    Raises:
        InputError: a picture or mask cannot be read.
    """
    curves = {s.name: over_time(figures["sequences"][s.name]) for s in sequences}
    worst = sorted(sequences, key=lambda s: curves[s.name].min())[:count]
    best = sorted(sequences, key=lambda s: -curves[s.name].max())[:count]
    chosen = [(s, int(curves[s.name].argmin()), True) for s in worst]
    chosen += [(s, int(curves[s.name].argmax()), False) for s in best]
    return [
        _shot(s, k, curves[s.name], masks / s.name, is_worst, figures["protocol"])
        for s, k, is_worst in chosen
    ]


def picture(image: Image, labels: LabelMap, truth: LabelMap) -> Image:
    """A predicted mask tinted into its image, the true outline white over black on top.

    Args:
        image: uint8 RGB (H, W, 3).
        labels: predicted ids (H, W).
        truth: true ids (H, W).
    """
    out = overlay(image, labels, alpha=0.6, outline=False)
    line = max(1, round(min(truth.shape) / 240))
    out[contour(truth, 2 * line)] = BLACK
    out[contour(truth, line)] = WHITE
    return out


def _shot(
    sequence: Video,
    scored: int,
    curve: np.ndarray,
    masks: Path,
    worst: bool,
    protocol: str,
) -> Shot:
    """The frame at place `scored` of a curve whose end is the last frame that was scored."""
    annotated = [i for i, path in enumerate(sequence.annotations) if path is not None]
    if not rules_of(protocol).last_frame:
        annotated = annotated[:-1]
    index = annotated[len(annotated) - len(curve) + scored]
    truth, stem = sequence.truth(index), sequence.frames[index].stem
    assert truth is not None
    paths = [masks / f"{sequence.frames[i].stem}.png" for i in annotated]
    labels, _ = read_labels(
        masks / f"{stem}.png", read_legend([path for path in paths if path.is_file()])
    )
    title = f"{sequence.name} {stem}: J {curve[scored]:.2f}"
    return Shot(title, worst, _smaller(picture(sequence.image(index), labels, truth)))


def _smaller(image: Image) -> Image:
    from PIL import Image as Pictures

    whole = Pictures.fromarray(image)
    whole.thumbnail((WIDTH, WIDTH), Pictures.Resampling.LANCZOS)
    return np.asarray(whole)
