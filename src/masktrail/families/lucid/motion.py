"""What Lucid Tracker's network is told of motion between two frames."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from masktrail.flow.cue import motion_cue
from masktrail.flow.estimators import Estimator
from masktrail.flow.warping import warped
from masktrail.geometry import Soft
from masktrail.types import Image


class Motion(NamedTuple):
    """Between a frame and the one before.

    Attributes:
        cue: how fast everything moves (H, W), see `flow.cue`; 0 where nobody is to know.
        backward: flow from the frame to the one before (H, W, 2); None: masks stay where they were.
    """

    cue: NDArray[np.float32]
    backward: NDArray[np.float32] | None

    def moved(self, mask: Soft) -> Soft:
        """A mask of the frame before (H, W) as it is in this one."""
        return mask if self.backward is None else warped(mask, self.backward)


class MotionSettings(NamedTuple):
    """What is to be known of motion.

    Attributes:
        estimator: of flow; None where nothing is to be known.
        cue: whether the network is told how fast everything moves.
        warp: whether masks are moved along.
    """

    estimator: Estimator | None
    cue: bool
    warp: bool

    def between(self, before: Image, now: Image) -> Motion:
        """Between two frames, uint8 RGB (H, W, 3)."""
        backward, cue = None, None
        if self.estimator and (self.cue or self.warp):
            backward = self.estimator(now, before)
            if self.cue:
                cue = motion_cue(backward, self.estimator(before, now))
        if cue is None:
            cue = np.zeros(now.shape[:2], np.float32)
        return Motion(cue, backward if self.warp else None)
