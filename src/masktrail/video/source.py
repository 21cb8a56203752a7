"""What a source of frames is, whatever it reads from."""

from collections.abc import Iterator
from typing import Protocol

from masktrail.types import Frame, VideoInfo


class Source(Protocol):
    """A container, a folder of pictures or a camera, opened and ready to be read once.

    Attributes:
        info: what is known before decoding, for the whole source.
        loss: set when frames could not be had: one sentence.
    """

    info: VideoInfo
    loss: str | None

    def frames(self, start: int, end: int | None) -> Iterator[Frame]:
        """Frames with `start <= index < end`."""
        ...

    def close(self) -> None:
        """Lets go of the file or device."""
        ...
