"""Pictures with more than 8 bits a value, as microscopes and depth cameras make them, made visible.

One range of values is found for a whole sequence, so that brightness does not flicker.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterable, Mapping, Set
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
        limits: the range, where the user knows it better.
        loud: whether a range that is found is a warning; else it is logged as information.

    Raises:
        InputError: a range that is none.
    """

    def __init__(
        self,
        name: str,
        first: Callable[[], Iterable[NDArray[Any]]],
        limits: Range | None = None,
        loud: bool = True,
    ) -> None:
        self._name, self._first, self._range = name, first, checked_range(limits)
        self._level = logging.WARNING if loud else logging.INFO
        self._lock = threading.Lock()

    def to_bytes(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Values of any kind and shape as 0 (black) to 255 (white)."""
        with self._lock:  # several threads may decode pictures of one sequence
            if self._range is None:
                self._range = self._found()
            low, high = self._range
        steps = 256 / (high - low + (values.dtype.kind in "iu"))
        return np.floor((values.astype(np.float64) - low) * steps).clip(0, 255).astype(np.uint8)

    def _found(self) -> Range:
        deep = [array.reshape(-1) for array in self._first()]
        if not deep:
            raise InputError(
                f"Some pictures of {self._name} have more than 8 bits, and the first do not; save "
                "all of them alike, or give a range."
            )
        values = np.concatenate(deep)
        values = values[np.isfinite(values)] if values.dtype.kind == "f" else values
        low, high = (float(x) for x in usual_range(values))
        log.log(
            self._level,
            "Values of %s from %g (black) to %g (white) are shown, as found in its first pictures; "
            "give a range to see others.",
            self._name, low, high,
        )  # fmt: skip
        return low, high


def checked_range(values: object) -> Range | None:
    """A range as plain numbers; None stays None.

    Raises:
        InputError: it is no two numbers of which the first is less.
    """
    if values is None:
        return None
    shown = f"{values!r:.60}"
    try:
        if not isinstance(values, (str, bytes, Mapping, Set)):
            low, high = (float(value) for value in values)  # type: ignore[attr-defined]
            shown = f"({low:g}, {high:g})"
            if -math.inf < low < high < math.inf:
                return _plain(low), _plain(high)
    except (TypeError, ValueError, OverflowError):
        pass
    raise InputError(
        f"values={shown} is no range; expected the value that is black below the one that is "
        "white, as values=(0, 4095)."
    )


def _plain(number: float) -> float:
    """A whole number as one."""
    return int(number) if number.is_integer() else number


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
