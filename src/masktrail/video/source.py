"""What a source of frames is, whatever it reads from."""

from collections.abc import Callable, Iterator
from typing import Protocol

from masktrail.types import Frame, VideoInfo

Tick = Callable[[], None]
"""Called now and then."""


def nothing() -> None:
    """Does nothing."""


class Source(Protocol):
    """A container, a folder of pictures or a camera, opened and ready to be read once.

    Attributes:
        info: what is known before decoding, for the whole source.
        repeatable: whether it can be read again, as a file can and a camera or a pipe cannot.
        loss: set when frames could not be had: one sentence.
    """

    info: VideoInfo
    repeatable: bool
    loss: str | None

    def frames(self, start: int, end: int | None) -> Iterator[Frame]:
        """Frames with `start <= index < end`."""
        ...

    def close(self) -> None:
        """Lets go of the file or device."""
        ...
