"""What estimates optical flow: a function from two pictures to flow, whatever computes it.

Where the environment names a folder in MASKTRAIL_FLOW, what was computed is kept there as .flo, and
looked up the next time.
"""

import hashlib
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.files import make_folder
from masktrail.flow.files import read_flow, write_flow
from masktrail.types import Image

Estimator = Callable[[Image, Image], NDArray[np.float32]]
"""From pictures, uint8 RGB (H, W, 3), to where what the first one shows is in the second: (H, W,
2), x and y in pixels."""

VARIABLE = "MASKTRAIL_FLOW"


class Dis:
    """DIS, which needs no network.

    Source: Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016, in OpenCV's
    version, medium preset.

    Args:
        needed_by: who asks, for what is said.

    Raises:
        InputError: OpenCV is not installed.
    """

    def __init__(self, needed_by: str) -> None:
        try:
            cv2: Any = import_module("cv2")
        except ImportError as error:
            raise InputError(
                f"{needed_by} needs OpenCV's optical flow, which is not installed; "
                "install it with: pip install 'masktrail[flow]'"
            ) from error
        self._cv2, self._needed_by = cv2, needed_by
        self._dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def __call__(self, first: Image, second: Image) -> NDArray[np.float32]:
        """See `Estimator`; pictures may be in grey (H, W) already."""
        flow: NDArray[np.float32] = self._dis.calc(self.grey(first), self.grey(second), None)
        return flow

    def __reduce__(self) -> tuple[type["Dis"], tuple[str]]:
        """A copy is another one: what OpenCV has serves one thread."""
        return Dis, (self._needed_by,)

    def grey(self, picture: Image) -> NDArray[np.uint8]:
        """What counts of a picture: (H, W)."""
        if picture.ndim == 2:
            return picture
        grey: NDArray[np.uint8] = self._cv2.cvtColor(picture, self._cv2.COLOR_RGB2GRAY)
        return grey


def kept(estimator: Estimator, name: str) -> Estimator:
    """An estimator that computes nothing twice where MASKTRAIL_FLOW names a folder, else itself.

    Args:
        estimator: what computes it.
        name: says what that is: by it and by both pictures flow is found again; "" where nothing
            does, so that nothing can be kept.

    Raises:
        InputError: the folder cannot be made.
    """
    folder = os.environ.get(VARIABLE, "")
    return Kept(estimator, name, Path(folder)) if folder and name else estimator


class Kept:
    """See `kept`."""

    def __init__(self, estimator: Estimator, name: str, folder: Path) -> None:
        make_folder(folder)
        self._estimator, self._name, self._folder = estimator, name, folder

    def __call__(self, first: Image, second: Image) -> NDArray[np.float32]:
        """See `Estimator`."""
        path = self._folder / f"{self._digest(first, second)}.flo"
        flow = _read(path)
        if flow is None or flow.shape[:2] != first.shape[:2]:
            flow = self._estimator(first, second)
            with TemporaryDirectory(dir=self._folder) as own:  # others may compute the same
                write_flow(Path(own) / path.name, flow)
                (Path(own) / path.name).replace(path)
        return flow

    def _digest(self, *pictures: Image) -> str:
        digest = hashlib.sha256(self._name.encode())
        for picture in pictures:
            digest.update(repr(picture.shape).encode() + np.ascontiguousarray(picture).tobytes())
        return digest.hexdigest()[:32]


def _read(path: Path) -> NDArray[np.float32] | None:
    """What a file holds; nothing where there is none, or none that can be read."""
    try:
        return read_flow(path)[0] if path.is_file() else None
    except InputError:
        return None
