"""Soft masks at working size: kept small, enlarged when a writer asks.

One format serves all that is stored of them: a byte per pixel of a map of logits, compressed.
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from masktrail.geometry import Soft, Stretch
from masktrail.results import SoftMasks
from masktrail.tracking.competition import soft_aggregate, softmax
from masktrail.types import LabelMap

CURVE = np.float32(4)
"""Kept are steps of the hyperbolic tangent of logits divided by this: fine where edges are, coarse
where a pixel is certain, so that few different ones are to be compressed."""

MOST = 48
"""Steps either way: of a twelfth of a logit around 0."""

MAGIC = b"S"
"""What packed opinions begin with."""

_HEAD = struct.Struct("<HHH")
_OBJECT = struct.Struct("<HfB")


class Kind(IntEnum):
    """Where a mask comes from."""

    TRACKED = 0
    GIVEN = 1
    LOST = 2


class Opinion(NamedTuple):
    """What is said of an object in a frame.

    Attributes:
        logits: float32 (h, w), before objects compete.
        score: confidence, 0 to 1.
        kind: whether the user gave the mask, or nothing is seen of the object.
    """

    logits: Soft
    score: float
    kind: Kind = Kind.TRACKED


def packed(opinions: Mapping[int, Opinion]) -> bytes:
    """Opinions by object id, their logits all of one size, as `unpacked` reads them."""
    shape = next((opinion.logits.shape for opinion in opinions.values()), (0, 0))
    parts = [_HEAD.pack(len(opinions), *shape)]
    for object_id, (logits, score, kind) in opinions.items():
        parts += [_OBJECT.pack(object_id, score, kind), _in_steps(logits).tobytes()]
    return MAGIC + zlib.compress(b"".join(parts), 1)


def unpacked(content: bytes) -> dict[int, Opinion]:
    """Opinions by object id, logits rounded to steps.

    Raises:
        ValueError, zlib.error: it is damaged.
    """
    data = zlib.decompress(content.removeprefix(MAGIC))
    try:
        count, height, width = _HEAD.unpack_from(data)
        opinions, place, size = {}, _HEAD.size, height * width
        for _ in range(count):
            object_id, score, kind = _OBJECT.unpack_from(data, place)
            place += _OBJECT.size
            steps = np.frombuffer(data, np.int8, size, place).reshape(height, width)
            opinions[object_id] = Opinion(_of_steps(steps), score, Kind(kind))
            place += size
    except struct.error as error:
        raise ValueError(str(error)) from error
    return opinions


@dataclass(frozen=True, eq=False)
class OpinionMasks(SoftMasks):
    """Soft masks of opinions: the same from a run as from its journal.

    Attributes:
        opinions: by object id, their logits all of one size.
        labels: label map (H, W) of the frame.
    """

    opinions: Mapping[int, Opinion]
    labels: LabelMap

    def packed(self) -> bytes:
        """What it takes, besides the label map, to make it again."""
        return packed(self.opinions)

    def make(self) -> dict[int, Soft]:
        """See `SoftMasks.make`; what the user gave is 0 or 1, what is lost is 0."""
        if not self.opinions:
            return {}
        rounded = np.stack(
            [_of_steps(_in_steps(opinion.logits)) for opinion in self.opinions.values()]
        )
        logits = soft_aggregate(rounded)
        stretch = Stretch(*self.labels.shape, *logits.shape[1:])
        full = softmax(np.stack([stretch.logits_out(each) for each in logits]))
        masks = dict(zip(self.opinions, full[1:], strict=True))
        for object_id, opinion in self.opinions.items():
            if opinion.kind == Kind.GIVEN:
                masks[object_id] = (self.labels == object_id).astype(np.float32)
            elif opinion.kind == Kind.LOST:
                masks[object_id] = np.zeros_like(full[0])
        return masks


def _in_steps(logits: Soft) -> NDArray[np.int8]:
    return np.rint(MOST * np.tanh(logits / CURVE)).astype(np.int8)


def _of_steps(steps: NDArray[np.int8]) -> Soft:
    return CURVE * np.arctanh(steps.astype(np.float32) / np.float32(MOST + 0.5))
