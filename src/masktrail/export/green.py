"""The objects before a green screen."""

from typing import ClassVar

from masktrail.export.matte import opacity, over_colour
from masktrail.export.rendered_video import RenderedVideoWriter
from masktrail.results import Result
from masktrail.types import Frame, Image

GREEN = (0, 255, 0)
"""What keyers take for green unless told otherwise."""


class GreenWriter(RenderedVideoWriter):
    """`green.mp4`: H.264 with the source's timing and sound, all but the objects green.

    Edges are soft where the run keeps soft masks, else they follow the label map.
    """

    about: ClassVar[str] = "video on green"
    files: ClassVar[tuple[str, ...]] = ("green.mp4",)
    needs_soft: ClassVar[bool] = True

    def picture(self, frame: Frame, result: Result) -> Image:
        """The objects before green."""
        return over_colour(frame.image, opacity(result), GREEN)
