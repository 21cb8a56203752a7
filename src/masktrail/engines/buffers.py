"""Arrays that are written to again and again, each time when nobody holds the last one any more.

Large arrays that come and go are given back to the system and asked for anew, which for some takes
as long as what computes them.
"""

import weakref
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

SPARE = 3
"""So many are kept to be written to again; if more are held at once, the oldest is let go."""


class Buffers:
    """Memory for arrays of one shape and kind.

    Args:
        shape: of the arrays.
        kind: of their numbers.
    """

    def __init__(self, shape: tuple[int, ...], kind: DTypeLike) -> None:
        self._shape, self._kind = shape, kind
        self._kept: list[tuple[NDArray[Any], weakref.ref[_Lease]]] = []
        self._lock = Lock()

    def clear(self) -> None:
        """Lets go of what nobody holds."""
        with self._lock:
            self._kept = [(memory, lease) for memory, lease in self._kept if lease() is not None]

    def take(self) -> NDArray[Any]:
        """An array, anything in it, that is the caller's until it and all views of it are gone."""
        with self._lock:
            free = [i for i, (_, lease) in enumerate(self._kept) if lease() is None]
            if free:
                memory, _ = self._kept.pop(free[-1])  # the latest is likely to be at hand yet
            else:
                memory = np.empty(self._shape, self._kind)
                del self._kept[: max(0, len(self._kept) + 1 - SPARE)]
            lease = _Lease(memory)
            self._kept.append((memory, weakref.ref(lease)))
        return np.asarray(lease)


class _Lease:
    """What an array and all views of it hold on to."""

    def __init__(self, memory: NDArray[Any]) -> None:
        self._memory = memory
        self.__array_interface__ = memory.__array_interface__
