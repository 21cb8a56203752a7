"""How fast things move, beside the camera: a picture of the flow's length.

Source: Lucid Data Dreaming (Khoreva et al., IJCV 2019), section 3: the median of the flow, which is
the camera's, is taken off; lengths of the flow back and forth are averaged and scaled to the range
of the colours. Where nothing moves, noise would be scaled up: then nothing is told.
"""

import numpy as np
from numpy.typing import NDArray

from masktrail.flow.warping import warped

STILL = 0.5
"""Pixels: what moves no further than this, does not move."""


def motion_cue(backward: NDArray[np.float32], forward: NDArray[np.float32]) -> NDArray[np.float32]:
    """How fast what a frame shows moves.

    Args:
        backward: flow from the frame to the one before (H, W, 2), in pixels.
        forward: from the one before to it; its length is looked up where each pixel was.

    Returns:
        (H, W) in [0, 1]; 0 everywhere where nothing moves by half a pixel.
    """
    back, forth = (_length(flow) for flow in (backward, forward))
    length = np.float32(0.5) * (back + warped(forth, backward))
    most = float(length.max(initial=0.0))
    return np.zeros_like(length) if most < STILL else length / np.float32(most)


def _length(flow: NDArray[np.float32]) -> NDArray[np.float32]:
    camera = np.median(flow, (0, 1))
    length: NDArray[np.float32] = np.linalg.norm(flow - camera, axis=2)
    return length
