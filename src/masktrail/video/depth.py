"""Pictures with more than 8 bits a value, as microscopes and depth cameras make them, made visible.

One range of values is found for a whole sequence, so that brightness does not flicker.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError

log = logging.getLogger(__name__)

Range = tuple[float, float]
"""The value that is black, and the one that is white."""

FIRST = 8
"""Pictures in which the range is found."""

TAILS = (0.1, 99.9)
"""Percentiles of their values that become black and white."""

FULL = 65535


class Depth:
    """Deep values as bytes.

    Args:
        name: of the sequence.
        first: gives the values of its first pictures, those that are deep.
        given: the range, where the user knows it better.

    Raises:
        InputError: a range that is none.
    """

    def __init__(
        self, name: str, first: Callable[[], Iterable[NDArray[Any]]], limits: Range | None = None
    ) -> None:
        if limits is not None and not limits[0] < limits[1]:
            raise InputError(
                f"The range {limits[0]:g},{limits[1]:g} is none; give LOW,HIGH with LOW below "
                "HIGH, as 0,4095."
            )
        self._name, self._first, self._range = name, first, limits

    def to_bytes(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Values of any kind and shape as 0 (black) to 255 (white)."""
        if self._range is None:
            self._range = self._found()
        low, high = self._range
        steps = 256 / (high - low + (values.dtype.kind in "iu"))
        return np.floor((values.astype(np.float64) - low) * steps).clip(0, 255).astype(np.uint8)

    def _found(self) -> Range:
        values = np.concatenate([array.reshape(-1) for array in self._first()])
        values = values[np.isfinite(values)] if values.dtype.kind == "f" else values
        low, high = (float(x) for x in usual_range(values))
        log.warning(
            "Values of %s from %g (black) to %g (white) are shown, as found in its first pictures; "
            "--range LOW,HIGH chooses others.",
            self._name, low, high,
        )  # fmt: skip
        return low, high


def read_range(text: str | None) -> Range | None:
    """A range written as LOW,HIGH.

    Raises:
        InputError: it is written otherwise.
    """
    if text is None:
        return None
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        raise InputError(f"The range {text!r} cannot be read; write LOW,HIGH, as 0,4095.") from None
    return low, high


def usual_range(values: NDArray[Any]) -> Range:
    """What is to be black and white of values: all of 16 bits, or from 0 to 1, where they are used,
    else nearly all that there are."""
    if not values.size:
        return 0.0, 1.0
    least, most = float(values.min()), float(values.max())
    if values.dtype.kind == "f":
        if least >= 0 and 0.5 < most <= 1:
            return 0.0, 1.0
    elif least >= 0 and FULL / 2 < most <= FULL:
        return 0.0, float(FULL)
    low, high = (float(x) for x in np.percentile(values, TAILS))
    return (low, high) if low < high else (low, low + 1)
