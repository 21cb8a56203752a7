"""What pictures of numbers show where flow leads."""

import numpy as np
from numpy.typing import NDArray


def warped(values: NDArray[np.float32], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values (H, W) where flow (H, W, 2), x and y in pixels, leads; 0 where that is outside.

    Between pixels they are interpolated, also between the outermost and the 0 around them.
    """
    height, width = values.shape
    padded = np.pad(values, ((1, 2), (1, 2)))
    # what is farther out than one pixel is all alike
    x = np.clip(np.arange(width, dtype=np.float32) + flow[..., 0], -1, width) + 1
    y = np.clip(np.arange(height, dtype=np.float32)[:, None] + flow[..., 1], -1, height) + 1
    left, top = np.floor(x), np.floor(y)
    right, below = x - left, y - top
    corner = top.astype(np.int32) * padded.shape[1] + left.astype(np.int32)
    flat, down = padded.ravel(), padded.shape[1]
    upper = flat[corner] * (1 - right) + flat[corner + 1] * right
    lower = flat[corner + down] * (1 - right) + flat[corner + down + 1] * right
    result: NDArray[np.float32] = upper * (1 - below) + lower * below
    return result
