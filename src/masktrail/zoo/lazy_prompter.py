"""A prompter that is made when it is first needed."""

from collections.abc import Callable, Iterator
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from masktrail.tracking.propagator import Preparing, Prompter
from masktrail.types import Box, Image, Points


class LazyPrompter:
    """See `Prompter` and `Preparing`.

    Args:
        make: gives the prompter; what it raises, whoever needs the prompter gets.
    """

    def __init__(self, make: Callable[[], Prompter]) -> None:
        self._make, self._one_by_one = make, Lock()
        self._made: Prompter | None = None

    def __call__(
        self, image: Image, prompt: Box | Points, previous: NDArray[np.float32] | None = None
    ) -> NDArray[np.bool_]:
        return self._ready()(image, prompt, previous)

    def prepare(self, height: int, width: int, count: int) -> Iterator[None]:
        """See `Preparing.prepare`."""
        prompter = self._ready()
        yield
        if isinstance(prompter, Preparing):
            yield from prompter.prepare(height, width, count)

    def _ready(self) -> Prompter:
        with self._one_by_one:
            if self._made is None:
                self._made = self._make()
            return self._made
