"""J and F of label maps in memory, by the rules by which `masktrail measure` scores folders."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from masktrail.errors import InputError
from masktrail.evaluate.scores import measure_sequence, summarise
from masktrail.masks import areas
from masktrail.masks.values import VOID

MOST = 65535
"""Greatest object id."""


@dataclass(frozen=True)
class ObjectScores:
    """How good masks are, fractions in [0, 1], means over scored frames.

    Attributes:
        j: region similarity, intersection over union.
        f: contour accuracy.
    """

    j: float
    f: float

    @property
    def jf(self) -> float:
        """Mean of J and F, what tables call J&F."""
        return (self.j + self.f) / 2


@dataclass(frozen=True)
class Scores(ObjectScores):
    """J and F, means over objects.

    Attributes:
        objects: the same of each object, by id; of those that have a scored frame.
    """

    objects: dict[int, ObjectScores]


def jf(truth: ArrayLike, mine: ArrayLike) -> Scores:
    """J and F of a video's label maps, equal to what `masktrail measure` says of them as files.

    Those are the official rules of DAVIS: the first frame is given and the last one is not scored;
    an object that first appears later is scored from the frame after that on. In frames in which an
    object is in neither map it has 1.

    Args:
        truth: object ids, integers (T, H, W), 0 = background; 255 stands for pixels that nobody
            labelled, which count as background.
        mine: the label maps to judge, of the same shape.

    Raises:
        InputError: shapes differ or are not (T, H, W), values are no object ids, `truth` holds no
            object, `mine` one that `truth` lacks in a scored frame, or there are fewer than three
            frames.
    """
    true, judged = _label_maps(truth, "truth"), _label_maps(mine, "mine")
    if true.shape != judged.shape:
        raise InputError(
            f"truth is {true.shape} and mine {judged.shape}; expected equal shapes (T, H, W), a "
            "label map for every frame."
        )
    ids = sorted(_ids(true) - {VOID})
    if not ids:
        raise InputError(
            f"truth holds no object, only {_some(np.unique(true).tolist())}; expected object ids, "
            "0 for background (255 for pixels that nobody labelled). Give a mask of 0 and 255 as "
            "(mask > 0).astype('uint8')."
        )
    unknown = sorted(_ids(judged[1:-1]) - set(ids))
    if unknown:
        raise InputError(
            f"mine has objects {_some(unknown)} that truth lacks; it has {_some(ids)}. Give equal "
            "objects equal ids."
        )
    figures = summarise({"truth": measure_sequence(true, judged, ids)})
    objects = {
        int(i): ObjectScores(entry["J"]["mean"], entry["F"]["mean"])
        for i, entry in figures["sequences"]["truth"].items()
    }
    return Scores(figures["J"]["mean"], figures["F"]["mean"], objects)


def _label_maps(given: ArrayLike, name: str) -> NDArray[np.unsignedinteger]:
    """Label maps (T, H, W), uint8 or uint16."""
    try:
        maps = np.asarray(given)
    except ValueError:  # rows of different lengths
        raise InputError(
            f"{name} is no array; expected label maps of one size, integers (T, H, W)."
        ) from None
    if maps.ndim != 3:
        hint = f"; give {name}[None] for one frame" if maps.ndim == 2 else ""
        raise InputError(f"{name} has the shape {maps.shape}; expected (T, H, W){hint}.")
    if not np.issubdtype(maps.dtype, np.integer):
        raise InputError(
            f"{name} holds {maps.dtype}; expected integers, the object id of every pixel. Give a "
            f"mask of one object as {name}.astype('uint8'), 0 and 1."
        )
    low, high = int(maps.min(initial=0)), int(maps.max(initial=0))
    if low < 0 or high > MOST:
        raise InputError(
            f"{name} holds {low if low < 0 else high}; object ids are 1 to {MOST}, 0 is background."
        )
    return maps if maps.dtype == np.uint8 else maps.astype(np.uint16, copy=False)


def _ids(maps: NDArray[np.unsignedinteger]) -> set[int]:
    return {object_id for labels in maps for object_id in areas(labels)}


def _some(items: list[int]) -> str:
    text = ", ".join(map(str, items[:5]))
    return f"{text}, ..." if len(items) > 5 else text
