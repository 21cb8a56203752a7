"""Label maps: reading and writing them as pictures, one mask per object, boxes and areas.

A label map holds the object id of every pixel, uint8 or uint16, shape (H, W), 0 = background.
Pillow is imported by the functions that touch files only.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.files import replacing
from masktrail.masks.legend import Legend, colours_count, decide, interpret
from masktrail.masks.values import SOFTWARE, Values, stored
from masktrail.masks.values import palette as palette
from masktrail.types import LabelMap

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

log = logging.getLogger(__name__)

ORIENTATION = 0x0112
"""EXIF tag."""


def read_labels(
    path: str | os.PathLike[str], legend: Legend | None = None
) -> tuple[LabelMap, str | None]:
    """Read a mask picture of any mode as a label map.

    What a value means is decided for all masks of a sequence together, see `read_legend`; for one
    that stands alone from its own values:

    - Palette: index = object id. 255 beside other ids is void and becomes background. Where the
      palettes of a sequence give an index different colours, colours count.
    - One value beside 0, 255 of a palette or any of 32 and more in other modes: object 1.
    - Grey, in one channel or three: value = object id, 255 beside others void. Shades of 32 and
      more of which the lightest is white are colours.
    - Colours: one object per colour, numbered 1, 2, ... in ascending order of (R, G, B); DAVIS
      colours keep their DAVIS number. Black (or transparent) is background, failing that the most
      frequent colour along the border of the picture.

    It is turned as its EXIF orientation says, as pictures of a video are.

    Args:
        path: of the picture.
        legend: of the sequence it belongs to, if it does.

    Returns:
        The label map, shape (H, W), and a note to be said aloud where ids had to be made up or
        pixels were ignored, else None. An empty picture is an all-zero map.

    Raises:
        InputError: no such file, not a picture, or anti-aliased or photographic.
    """
    with _mask(path) as picture:
        if legend is None:
            labels, note = interpret(picture)
        else:
            labels, note = legend.read(picture)[0], None
        labels = upright(labels, picture.getexif().get(ORIENTATION, 1))
    return labels, f"{path}: {note}" if note else None


def read_legend(paths: Sequence[str | os.PathLike[str]]) -> Legend:
    """What the values of the masks of a sequence mean.

    Args:
        paths: of all of them.

    Raises:
        InputError: as `read_labels`, or they have more colours than there can be objects.
    """
    values = [read_values(path) for path in paths]
    by_colour = colours_count(values)
    if by_colour:
        values = [read_values(path, by_colour) for path in paths]
    try:
        return decide(values, by_colour)
    except InputError as error:
        raise InputError(f"The masks beside {paths[0]} {error}") from None


def read_values(path: str | os.PathLike[str], by_colour: bool = False) -> Values:
    """What values a mask picture holds, those of a palette by their colours if asked for.

    Raises:
        InputError: as `read_labels`.
    """
    with _mask(path) as picture:
        return stored(picture, by_colour).values


@contextmanager
def _mask(path: str | os.PathLike[str]) -> Iterator["PILImage"]:
    """A mask picture, opened; what is said of it then begins with its path."""
    from masktrail.pictures import opened

    with opened(path, "mask") as picture:
        try:
            yield picture
        except InputError as error:
            raise InputError(f"{path}: {error}") from None


def upright(labels: LabelMap, orientation: int) -> LabelMap:
    """A label map turned and mirrored as an EXIF orientation, 1 to 8, says."""
    if orientation in (5, 6, 7, 8):
        labels = labels.T
    rows = -1 if orientation in (3, 4, 7, 8) else 1
    columns = -1 if orientation in (2, 3, 6, 7) else 1
    return np.ascontiguousarray(labels[::rows, ::columns])


def read_first_mask(
    path: str | os.PathLike[str],
    size: tuple[int, int] | None = None,
    legend: Legend | None = None,
) -> tuple[LabelMap, str | None]:
    """`read_labels` for a mask that marks objects: it must hold one and fit the video.

    The note, if there is one, is logged as a warning too.

    Args:
        path: the picture.
        size: (width, height) of the video in pixels, where known.
        legend: see `read_labels`.

    Raises:
        InputError: as `read_labels`, an empty mask, or a mask of another size.
    """
    labels, note = read_labels(path, legend)
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
