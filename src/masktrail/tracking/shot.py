"""A frame that was marked, as it is learned from."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from masktrail.geometry import Soft
from masktrail.types import Image


class Shot(NamedTuple):
    """A frame that was marked.

    Attributes:
        image: uint8 RGB (H, W, 3), at working size.
        labels: whose object each pixel is, uint16 (H, W), 0 nobody's.
    """

    image: Image
    labels: NDArray[np.uint16]

    @property
    def ids(self) -> set[int]:
        """Objects that it shows."""
        return set(np.unique(self.labels).tolist()) - {0}

    @classmethod
    def of(cls, image: Image, masks: dict[int, Soft]) -> "Shot":
        """That of a frame and the coverage (H, W) of its objects by id."""
        ids = sorted(masks)
        stacked = np.stack([np.full(image.shape[:2], 0.5, np.float32), *(masks[i] for i in ids)])
        return cls(image, np.array([0, *ids], np.uint16)[stacked.argmax(0)])
