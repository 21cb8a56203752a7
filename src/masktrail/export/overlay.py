"""The video with its objects tinted."""

from typing import ClassVar

from masktrail.export.rendered_video import RenderedVideoWriter
from masktrail.masks.draw import overlay
from masktrail.results import Result
from masktrail.types import Frame, Image


class OverlayWriter(RenderedVideoWriter):
    """`overlay.mp4`: H.264 with the source's timing and sound, objects tinted and outlined."""

    about: ClassVar[str] = "video with the objects tinted, the sound kept"
    files: ClassVar[tuple[str, ...]] = ("overlay.mp4",)

    def picture(self, frame: Frame, result: Result) -> Image:
        """The frame under the colours of its objects."""
        return overlay(frame.image, result.labels)
