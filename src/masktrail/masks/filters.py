"""Smoothing: arrays blurred, means of the squares around pixels."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Soft = NDArray[np.floating]

Beyond = Literal["symmetric", "constant", "wrap"]
"""What lies outside an array: itself mirrored, zeros, or itself again."""

DEVIATIONS = 4
"""A blur ends at so many of them."""

BLOCK = 2**15
"""About so many values are worked on at once: what a processor keeps at hand."""


def blurred(values: NDArray[Any], sigma: float, beyond: Beyond = "symmetric") -> NDArray[Any]:
    """An array blurred by a Gaussian along each of its axes, in double precision.

    Args:
        values: float, of any shape.
        sigma: the Gaussian's deviation, in steps of the array.
        beyond: what is taken to lie outside.

    Returns:
        An array of the same shape and type.
    """
    radius = int(DEVIATIONS * sigma + 0.5)
    weights = np.exp(-0.5 / sigma**2 * np.arange(-radius, radius + 1) ** 2)
    weights /= weights.sum()
    for axis in range(values.ndim):
        first = np.moveaxis(values, axis, 0)
        lines = _blurred_down(first.reshape(len(first), -1), weights[radius:], beyond)
        values = np.moveaxis(lines.reshape(first.shape), 0, axis)
    return values


def box_mean(plane: Soft, radius: int) -> Soft:
    """The mean of the square around every pixel of (H, W), border pixels repeated outside.

    Args:
        plane: float (H, W); its precision is that of the sums.
        radius: how far the squares reach on either side, pixels.
    """
    side = 2 * radius + 1
    padded = np.pad(plane, radius, "edge")
    means = np.empty_like(plane)
    step = max(side, BLOCK // padded.shape[1])
    for top in range(0, len(plane), step):
        down = _sums(padded[top : top + step + 2 * radius], side)
        np.divide(_sums(down.T, side).T, side**2, out=means[top : top + step])
    return means


def _blurred_down(
    lines: NDArray[Any], weights: NDArray[np.float64], beyond: Beyond
) -> NDArray[Any]:
    """Columns of (N, M) weighted: by weights[k] what is k away on either side."""
    count, radius = len(lines), len(weights) - 1
    out = np.empty_like(lines)
    step = max(1, BLOCK // count)
    for left in range(0, lines.shape[1], step):
        part = lines[:, left : left + step].astype(np.float64)
        padded = np.pad(part, ((radius, radius), (0, 0)), beyond)
        part *= weights[0]
        for away in range(radius, 0, -1):  # the small ones first, so that less is rounded off
            pair = padded[radius - away :][:count] + padded[radius + away :][:count]
            pair *= weights[away]
            part += pair
        out[:, left : left + step] = part
    return out


def _sums(values: Soft, width: int) -> Soft:
    """Sums of `width` successive rows, an odd number: (N, M) to (N - width + 1, M).

    Put together from sums of 1, 2, 4, ... rows, which are exact to a few roundings.
    """
    count = len(values) - width + 1
    total, done, step = values[:count].copy(), 1, 1
    while 2 * step <= width:
        values = values[step:] + values[:-step]
        step *= 2
        if width & step:
            total += values[done : done + count]
            done += step
    return total
