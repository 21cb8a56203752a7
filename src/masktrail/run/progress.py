"""How far a run is, for whoever wants to know."""

from collections.abc import Callable

from masktrail.errors import InputError

Progress = Callable[[int, int | None], None]
"""Called with frames done and frames expected (None where nobody knows)."""

Share = Callable[[float], None]
"""Called with the share, 0 to 1, of what is learned from a prompted frame."""


def ignored(*told: object) -> None:
    """Progress that nobody wants to know of."""


def called(function: Callable[..., None] | None) -> Callable[..., None]:
    """What is called where somebody wants to know, and where nobody does.

    Raises:
        InputError: it cannot be called.
    """
    if function is not None and not callable(function):
        raise InputError(f"Progress is told to a function or to None, not to {function!r}.")
    return function or ignored


class Counted:
    """Tells how many frames are done, of all passes together."""

    def __init__(self, progress: Progress, expected: int | None, extra: int) -> None:
        self._progress, self._done = progress, 0
        self._total = None if expected is None else expected + extra

    def one_more(self) -> None:
        """A frame is done."""
        self._done += 1
        self.tick()

    def tick(self) -> None:
        """Nothing new, but whoever watches may want to end the run."""
        self._progress(self._done, self._total)
