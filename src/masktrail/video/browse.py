"""Any frame of a recording at any time, as people want it who look through one."""

import threading
from collections import OrderedDict
from pathlib import Path

from masktrail.errors import InputError
from masktrail.types import Image
from masktrail.video.reader import open_video
from masktrail.video.seek import File

KEPT_BYTES = 96 * 2**20
"""Of decoded frames that are kept, those looked at last."""


class Browser:
    """The frames of a file or a folder, by index, as `open_video` would give them.

    A file is counted in the background, by decoding, from the moment it is opened; what is counted
    can be looked at. Memory is bounded, however long the video is. Any thread may ask.

    Args:
        path: of a video file, or of a folder of pictures.

    Attributes:
        info: what is known of the video.

    Raises:
        InputError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        with open_video(path) as video:
            self._recording = video.recording()
        if isinstance(self._recording, File):
            self._recording.count(1)  # there is one, and it is asked for first
            self._recording.count_behind()
        self.info = self._recording.info
        self._kept: OrderedDict[int, Image] = OrderedDict()
        self._room = max(2, KEPT_BYTES // (self.info.width * self.info.height * 3))
        self._lock = threading.Lock()

    @property
    def frames(self) -> int:
        """Frames that were counted so far, 1 or more."""
        return max(1, len(self._recording))

    @property
    def counted(self) -> bool:
        """Whether `frames` is the length of the video."""
        return self._recording.counted

    def frame(self, index: int) -> Image:
        """A frame, uint8 RGB (H, W, 3), not to be changed.

        Raises:
            InputError: there is no such frame, or it is not counted yet.
        """
        with self._lock:
            if index not in self._kept:
                self._keep(index)
            self._kept.move_to_end(index)
            return self._kept[index]

    def close(self) -> None:
        """Stops counting and closes the file."""
        with self._lock:
            self._recording.close()
            self._kept.clear()

    def _keep(self, index: int) -> None:
        if not 0 <= index < self.frames:
            so_far = "" if self.counted else " so far"
            raise InputError(
                f"There is no frame {index}; {self.info.source} has {self.frames}{so_far}, counted "
                "from 0."
            )
        ahead = min(self._recording.ahead, self._room // 2)
        end = min(index + ahead, max(len(self._recording), index + 1))
        for frame in self._recording.stretch(range(end - 1, index - 1, -1)):
            self._kept[frame.index] = frame.image
        while len(self._kept) > self._room:
            self._kept.popitem(last=False)
        if index not in self._kept:
            raise InputError(f"Frame {index} of {self.info.source} cannot be decoded.")
