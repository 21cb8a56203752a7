"""Label maps: reading and writing them as pictures, one mask per object, boxes and areas.

A label map holds the object id of every pixel, uint8 or uint16, shape (H, W), 0 = background.
Pillow is imported by the functions that touch files only.
"""

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.files import replacing
from masktrail.masks.values import SOFTWARE, interpret
from masktrail.masks.values import palette as palette
from masktrail.types import LabelMap

log = logging.getLogger(__name__)

ORIENTATION = 0x0112
"""EXIF tag."""


def read_labels(path: str | os.PathLike[str]) -> tuple[LabelMap, str | None]:
    """Read a mask picture of any mode as a label map.

    - Palette: index = object id. 255 beside other ids is void and becomes background.
    - Two values, any mode (1, L, P with 0/255, RGB, RGBA): object 1.
    - Grey with values up to 31, 16-bit grey: value = object id.
    - Grey or RGB with other few values: one object per colour, numbered 1, 2, ... in ascending
      order of (R, G, B); DAVIS colours keep their DAVIS number. Black (or transparent) is
      background, failing that the most frequent colour along the border of the picture.

    It is turned as its EXIF orientation says, as pictures of a video are.

    Returns:
        The label map, shape (H, W), and a note to be said aloud where ids had to be made up or
        pixels were ignored, else None. An empty picture is an all-zero map.

    Raises:
        InputError: no such file, not a picture, or anti-aliased or photographic.
    """
    from masktrail.pictures import opened

    path = Path(path)
    with opened(path, "mask") as picture:
        try:
            labels, note = interpret(picture)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        labels = upright(labels, picture.getexif().get(ORIENTATION, 1))
    return labels, f"{path}: {note}" if note else None


def upright(labels: LabelMap, orientation: int) -> LabelMap:
    """A label map turned and mirrored as an EXIF orientation, 1 to 8, says."""
    if orientation in (5, 6, 7, 8):
        labels = labels.T
    rows = -1 if orientation in (3, 4, 7, 8) else 1
    columns = -1 if orientation in (2, 3, 6, 7) else 1
    return np.ascontiguousarray(labels[::rows, ::columns])


def read_first_mask(
    path: str | os.PathLike[str], size: tuple[int, int] | None = None
) -> tuple[LabelMap, str | None]:
    """`read_labels` for a mask that marks objects: it must hold one and fit the video.

    The note, if there is one, is logged as a warning too.

    Args:
        path: the picture.
        size: (width, height) of the video in pixels, where known.

    Raises:
        InputError: as `read_labels`, an empty mask, or a mask of another size.
    """
    labels, note = read_labels(path)
    height, width = labels.shape
    if size is not None and (width, height) != tuple(size):
        raise InputError(
            f"{path} is {width}x{height} but the video is {size[0]}x{size[1]}; "
            "the mask must have the size of the video's frames."
        )
    if not labels.any():
        raise InputError(f"{path} is empty: no object is marked. Paint the object (not black).")
    if note:
        log.warning(note)
    return labels, note


def write_labels(path: str | os.PathLike[str], labels: LabelMap) -> None:
    """Write a label map as PNG: DAVIS palette up to id 255, 16-bit grey above.

    The file appears under its name only when complete.

    Raises:
        InputError: the file cannot be written, a full disk among the reasons.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Software", SOFTWARE)
    if labels.dtype == np.uint8 or labels.max(initial=0) <= 255:
        picture = Image.fromarray(np.ascontiguousarray(labels, np.uint8))
        picture.putpalette(palette().tobytes())
    else:
        picture = Image.fromarray(np.ascontiguousarray(labels, np.uint16))
    with replacing(path) as temporary:
        picture.save(temporary, "PNG", compress_level=1, pnginfo=info)


def tight_box(mask: NDArray[Any]) -> tuple[int, int, int, int] | None:
    """Smallest (x0, y0, x1, y1), end exclusive, around the non-zero pixels of (H, W), or None."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not rows.size:
        return None
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(mask[y0:y1].any(axis=0))
    return int(columns[0]), y0, int(columns[-1]) + 1, y1


def areas(labels: LabelMap) -> dict[int, int]:
    """Pixels of every object that is in the label map, by ascending id."""
    counts = np.bincount(labels.reshape(-1))
    return {int(i): int(counts[i]) for i in np.flatnonzero(counts) if i}
