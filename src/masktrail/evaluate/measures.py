"""J, F and their statistics, as the official DAVIS toolkits compute them.

Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation"
(CVPR 2016), with the toolkits' treatment of the details the paper leaves open.
"""

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from masktrail.masks import tight_box

BOUND = 0.008
"""Tolerance of F as a fraction of the picture's diagonal."""

Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Statistics:
    """One measure over the frames of one object, or means of these over objects.

    Attributes:
        mean: mean over frames.
        recall: fraction of frames above 0.5.
        decay: mean of the first quarter minus mean of the last; negative = it got better.
    """

    mean: float
    recall: float
    decay: float


def region_similarity(
    truth: NDArray[Any], prediction: NDArray[Any], void: NDArray[Any] | None = None
) -> float:
    """J: intersection over union of two masks (H, W), 1 where both are empty.

    Args:
        truth: ground truth, non-zero = object.
        prediction: the mask to judge, non-zero = object.
        void: pixels that count for neither, non-zero = void.

    Raises:
        ValueError: the shapes differ.
    """
    truth, prediction = _without_void(truth, prediction, void)
    union = np.count_nonzero(truth | prediction)
    return np.count_nonzero(truth & prediction) / union if union else 1.0


def contour_accuracy(
    truth: NDArray[Any],
    prediction: NDArray[Any],
    void: NDArray[Any] | None = None,
    bound: float = BOUND,
) -> float:
    """F: harmonic mean of the contours' precision and recall within a tolerance.

    A contour pixel is right if a pixel of the other contour lies within `tolerance(shape, bound)`
    of it; no one-to-one matching. Two empty contours agree (1): the border of the picture is no
    contour, so a mask that fills the frame has none.

    Args:
        truth: ground truth (H, W), non-zero = object.
        prediction: the mask to judge, non-zero = object.
        void: pixels that count for neither, non-zero = void.
        bound: tolerance as a fraction of the diagonal; from 1 up, in pixels.

    Raises:
        ValueError: the shapes differ.
    """
    truth, prediction = _without_void(truth, prediction, void)
    radius = tolerance(truth.shape, bound)
    truth, prediction = _crop(truth, prediction)
    truth, prediction = boundary(truth), boundary(prediction)
    if not truth.any() or not prediction.any():
        return float(truth.any() == prediction.any())
    precision = _fraction_near(prediction, truth, radius)
    recall = _fraction_near(truth, prediction, radius)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def tolerance(shape: tuple[int, ...], bound: float = BOUND) -> float:
    """Pixels within which contours match in a picture (H, W); 8 at 480x854."""
    return bound if bound >= 1 else math.ceil(bound * math.hypot(*shape))


def boundary(mask: Bool) -> Bool:
    """Contour of a mask (H, W): pixels that differ from their right, lower or diagonal neighbour.

    One pixel thick, half a pixel toward the origin. In the last row and column only the
    neighbour along the border counts; the last corner is never contour.
    """
    edge = np.zeros_like(mask)
    edge[:, :-1] = mask[:, :-1] ^ mask[:, 1:]
    edge[:-1] |= mask[:-1] ^ mask[1:]
    edge[:-1, :-1] |= mask[:-1, :-1] ^ mask[1:, 1:]
    return edge


def statistics(values: ArrayLike, uint8_bins: bool = False) -> Statistics:
    """Mean, recall and decay of one object's values over its frames, shape (N,).

    NaN counts as a miss and is left out of the means. The quarters of decay share their end
    frames. No values give NaN.

    Args:
        values: J or F per frame.
        uint8_bins: repeat the official code's overflow, which spoils decay where N > 256.
    """
    values = np.asarray(values, np.float64)
    if not values.size:
        return Statistics(math.nan, math.nan, math.nan)
    ends = np.round(np.linspace(1, len(values), 5) + 1e-10).astype(np.int64) - 1
    if uint8_bins:
        ends = ends.astype(np.uint8).astype(np.int64)
    first, last = values[ends[0] : ends[1] + 1], values[ends[3] : ends[4] + 1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing is NaN, as wanted
        mean, decay = np.nanmean(values), np.nanmean(first) - np.nanmean(last)
    return Statistics(float(mean), float(np.mean(values > 0.5)), float(decay))


def _without_void(
    truth: NDArray[Any], prediction: NDArray[Any], void: NDArray[Any] | None
) -> tuple[Bool, Bool]:
    shapes = {m.shape for m in (truth, prediction, void) if m is not None}
    if len(shapes) > 1 or truth.ndim != 2:
        raise ValueError(f"Masks to compare must have one shape (H, W), not {sorted(shapes)}.")
    truth, prediction = truth.astype(bool, copy=False), prediction.astype(bool, copy=False)
    if void is None:
        return truth, prediction
    valid = np.logical_not(void)
    return truth & valid, prediction & valid


def _crop(truth: Bool, prediction: Bool) -> tuple[Bool, Bool]:
    """Both masks around their union, one pixel more on each side so that contours stay whole."""
    box = tight_box(truth | prediction)
    if box is None:
        return truth[:0], prediction[:0]
    x0, y0, x1, y1 = box
    window = slice(max(y0 - 1, 0), y1 + 1), slice(max(x0 - 1, 0), x1 + 1)
    return truth[window], prediction[window]


def _fraction_near(points: Bool, others: Bool, radius: float) -> float:
    """Fraction of the pixels of a map (H, W) that have one of another within the Euclidean radius.

    The same as a dilation of `others` by the disk dx^2 + dy^2 <= radius^2, looked up at the points
    alone: whether there is any in each row of the disk, by how many come before its ends.
    """
    height, width = others.shape
    limit = math.floor(min(radius, height + width) ** 2)
    reach = min(math.isqrt(limit), height - 1)
    before = np.zeros((height + 2 * reach, width + 1), np.int32)
    np.cumsum(others, axis=1, out=before[reach : reach + height, 1:])
    rows, columns = np.nonzero(points)
    count = len(rows)
    for down in sorted(range(-reach, reach + 1), key=abs):
        half = math.isqrt(limit - down**2)
        counts = before[reach + down :]
        left, right = np.maximum(columns - half, 0), np.minimum(columns + half + 1, width)
        none = counts[rows, right] == counts[rows, left]
        rows, columns = rows[none], columns[none]
        if not len(rows):
            break
    return (count - len(rows)) / count
