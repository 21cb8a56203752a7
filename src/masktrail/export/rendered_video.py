"""Videos with a picture per frame; which picture, the writers built on this say."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from masktrail.results import Result
from masktrail.types import Frame, Image, VideoInfo

if TYPE_CHECKING:
    from masktrail.video.encoding import Encoding
    from masktrail.video.writer import VideoWriter


log = logging.getLogger(__name__)


class RenderedVideoWriter(ABC):
    """A video with the source's timing and sound. Built on it, a writer names its file in `files`
    and makes the pictures; it may choose the encoding too. What cannot be encoded is left out,
    which is said: the rest of a run is finished.

    Args:
        out: folder of the video.
    """

    files: ClassVar[tuple[str, ...]]
    needs_soft: ClassVar[bool] = False

    def __init__(self, out: Path) -> None:
        self.path = Path(out) / self.files[0]
        self._video: VideoWriter | None = None

    @abstractmethod
    def picture(self, frame: Frame, result: Result) -> Image:
        """What is shown instead of a frame: uint8 (H, W, 3), or (H, W, 4) with transparency."""

    def encoding(self) -> "Encoding":
        """How the video is encoded."""
        from masktrail.video.encoding import h264

        return h264()

    def open(self, info: VideoInfo) -> None:
        from masktrail.video.writer import VideoWriter

        self._video = VideoWriter(self.path, info, encoding=self.encoding())

    def write(self, frame: Frame, result: Result) -> None:
        with self._left_out_if_need_be():
            if self._video is not None:
                self._video.write(self.picture(frame, result), frame)

    def close(self, whole: bool = True) -> None:
        """Completes the video and gives it its name."""
        with self._left_out_if_need_be():
            if self._video is not None:
                self._video.close(whole)
        self._video = None

    @contextmanager
    def _left_out_if_need_be(self) -> Iterator[None]:
        from masktrail.video.writer import CannotEncode

        try:
            yield
        except CannotEncode as error:
            self._video = None
            log.warning("%s It is left out.", error)

    def abort(self) -> None:
        """Drops the unfinished video."""
        if self._video is not None:
            self._video.abort()
            self._video = None
