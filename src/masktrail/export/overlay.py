"""The video with its objects tinted."""

from pathlib import Path
from typing import TYPE_CHECKING

from masktrail.draw import overlay
from masktrail.types import Frame, Result, VideoInfo

if TYPE_CHECKING:
    from masktrail.video.writer import VideoWriter


class OverlayWriter:
    """`overlay.mp4`: H.264 with the source's timing and sound, objects tinted and outlined.

    Args:
        out: folder of the video.
    """

    def __init__(self, out: Path) -> None:
        self.path = Path(out) / "overlay.mp4"
        self._video: VideoWriter | None = None

    def open(self, info: VideoInfo) -> None:
        from masktrail.video.writer import VideoWriter

        self._video = VideoWriter(self.path, info)

    def write(self, frame: Frame, result: Result) -> None:
        if self._video is None:
            raise ValueError("Call open(info) before write.")
        self._video.write(overlay(frame.image, result.labels), frame)

    def close(self) -> None:
        """Completes the video and gives it its name."""
        if self._video is not None:
            self._video.close()
            self._video = None

    def abort(self) -> None:
        """Drops the unfinished video."""
        if self._video is not None:
            self._video.abort()
            self._video = None
