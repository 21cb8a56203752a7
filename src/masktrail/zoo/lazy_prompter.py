"""A prompter that is made when it is first needed."""

from collections.abc import Callable, Iterator
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from masktrail.prompts.kinds import Box, Points
from masktrail.tracking.propagator import Prompter, WarmingUp
from masktrail.types import Image


class LazyPrompter:
    """See `Prompter` and `WarmingUp`.

    Args:
        make: gives the prompter; what it raises, whoever needs the prompter gets.
    """

    def __init__(self, make: Callable[[], Prompter]) -> None:
        self._make, self._one_by_one = make, Lock()
        self._made: Prompter | None = None

    def __call__(
        self, image: Image, prompt: Box | Points, previous: NDArray[np.float32] | None
    ) -> NDArray[np.bool_]:
        return self._ready()(image, prompt, previous)

    def warm_up(self, height: int, width: int, count: int, shown: int) -> Iterator[None]:
        """See `WarmingUp.warm_up`."""
        prompter = self._ready()
        yield
        if isinstance(prompter, WarmingUp):
            yield from prompter.warm_up(height, width, count, shown)

    def _ready(self) -> Prompter:
        with self._one_by_one:
            if self._made is None:
                self._made = self._make()
            return self._made
