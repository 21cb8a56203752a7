"""J and F of whole sequences and data sets, by one of two protocols.

Two sets of rules: `davis`, those of the official toolkits, and `report`, those of a student
report whose figures we stand beside (frames at 256x256, every frame but the first, one average
over all frames). The second is biased low: its ground truth grows a ring when it is resized.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.evaluate.measures import (
    Statistics,
    contour_accuracy,
    region_similarity,
    statistics,
)
from masktrail.masks import areas
from masktrail.types import LabelMap

log = logging.getLogger(__name__)

Bool = NDArray[np.bool_]


class LabelMaps(Protocol):
    """Label maps in temporal order: a list in memory, or files read when asked for."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> LabelMap: ...


@dataclass(frozen=True)
class Rules:
    """How a protocol compares two masks and which frames it takes.

    Attributes:
        compare: (truth, prediction), bool (H, W) each, to (J, F).
        last_frame: whether the last annotated frame is scored; the first never is.
        by_frame: global figures are means over all frames instead of over objects.
    """

    compare: Callable[[Bool, Bool], tuple[float, float]]
    last_frame: bool = False
    by_frame: bool = False


@dataclass(frozen=True)
class ObjectMeasure:
    """J and F of one object in every scored frame, float64, shape (N,) each."""

    j: NDArray[np.float64]
    f: NDArray[np.float64]


def measure_sequence(
    truths: LabelMaps, predictions: LabelMaps, ids: Sequence[int], protocol: str = "davis"
) -> dict[int, ObjectMeasure]:
    """J and F per frame of every object of one sequence.

    With `davis` frames 1 .. T-2 of the T annotated ones are scored (the first is given, the last
    dropped), with `report` 1 .. T-1. An object that first appears later is scored from the frame
    after its first on.

    Args:
        truths: label maps (H, W) of the annotated frames.
        predictions: label maps of the same frames; those not scored are never asked for.
        ids: objects to score.
        protocol: "davis" or "report".

    Raises:
        InputError: an unknown protocol.
        ValueError: the sizes of truth and prediction differ.
    """
    rules = rules_of(protocol)
    scores: dict[int, list[tuple[float, float]]] = {object_id: [] for object_id in ids}
    present = areas(truths[0]).keys() & scores.keys()
    for index in range(1, len(truths) - (not rules.last_frame)):
        truth, prediction = truths[index], predictions[index]
        for object_id in present:
            scores[object_id].append(rules.compare(truth == object_id, prediction == object_id))
        present |= areas(truth).keys() & scores.keys()
    pairs = {i: np.asarray(s, np.float64).reshape(-1, 2) for i, s in scores.items()}
    return {object_id: ObjectMeasure(p[:, 0], p[:, 1]) for object_id, p in pairs.items()}


def summarise(
    measures: Mapping[str, Mapping[int, ObjectMeasure]], protocol: str = "davis"
) -> dict[str, Any]:
    """Figures of a whole data set as JSON takes them, fractions in [0, 1], not rounded.

    The global J and F are means over objects (over all frames with `report`, decay excepted).

    Args:
        measures: by sequence name and object id.
        protocol: "davis" or "report".

    Returns:
        {"protocol", "J": {"mean", "recall", "decay"}, "F": {same}, "J&F",
        "sequences": {NAME: {ID: {"J", "F", "per_frame": {"J": [...], "F": [...]}}}}}.

    Raises:
        InputError: no object has a scored frame, or an unknown protocol.
    """
    rules = rules_of(protocol)
    scored = {
        name: {i: m for i, m in objects.items() if m.j.size} for name, objects in measures.items()
    }
    flat = [m for objects in scored.values() for m in objects.values()]
    if not flat:
        raise InputError("Nothing to score: a sequence needs three annotated frames at least.")
    skipped = [name for name, objects in measures.items() if len(scored[name]) < len(objects)]
    if skipped:
        log.warning("Objects without a scored frame are left out in %s.", ", ".join(skipped))
    j = _overall([m.j for m in flat], rules.by_frame)
    f = _overall([m.f for m in flat], rules.by_frame)
    return {
        "protocol": protocol,
        "J": asdict(j),
        "F": asdict(f),
        "J&F": (j.mean + f.mean) / 2,
        "sequences": {
            name: {str(i): _object_figures(m) for i, m in objects.items()}
            for name, objects in scored.items()
        },
    }


def rules_of(protocol: str) -> Rules:
    """The rules of a protocol by name.

    Raises:
        InputError: no such protocol.
    """
    if protocol not in PROTOCOLS:
        raise InputError(f"No protocol {protocol!r}; there are {', '.join(PROTOCOLS)}.")
    return PROTOCOLS[protocol]


def _overall(values: list[NDArray[np.float64]], by_frame: bool) -> Statistics:
    of_objects = [statistics(v) for v in values]
    decay = float(np.mean([s.decay for s in of_objects]))
    if by_frame:
        of_frames = statistics(np.concatenate(values))
        return Statistics(of_frames.mean, of_frames.recall, decay)
    mean, recall = ([getattr(s, name) for s in of_objects] for name in ("mean", "recall"))
    return Statistics(float(np.mean(mean)), float(np.mean(recall)), decay)


def _object_figures(measure: ObjectMeasure) -> dict[str, Any]:
    return {
        "J": asdict(statistics(measure.j)),
        "F": asdict(statistics(measure.f)),
        "per_frame": {"J": measure.j.tolist(), "F": measure.f.tolist()},
    }


def _compare(truth: Bool, prediction: Bool) -> tuple[float, float]:
    return region_similarity(truth, prediction), contour_accuracy(truth, prediction)


def _compare_small(truth: Bool, prediction: Bool) -> tuple[float, float]:
    """The report's comparison at 256x256; two empty masks count 0 in its J, 1 in its F."""
    from PIL import Image

    # Lanczos overshoots, and whatever is not zero was foreground to that script.
    truth = _stretch(truth, Image.Resampling.LANCZOS) > 0
    prediction = _stretch(prediction, Image.Resampling.BILINEAR) >= 128
    j, f = _compare(truth, prediction)
    return (j if truth.any() or prediction.any() else 0.0), f


def _stretch(mask: Bool, resampling: Any) -> NDArray[np.uint8]:
    from PIL import Image

    picture = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(picture.resize((256, 256), resampling))


PROTOCOLS = {
    "davis": Rules(_compare),
    "report": Rules(_compare_small, last_frame=True, by_frame=True),
}
