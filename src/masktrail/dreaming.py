"""Dreams of an annotated picture as files: a data set that training reads, a sheet to look at."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pictures
from PIL import ImageDraw
from torch import Tensor

from masktrail.dreams.dreamer import Dreamer, Dreams, DreamSettings
from masktrail.errors import InputError
from masktrail.files import check_new, make_folder, new_folder, replacing
from masktrail.flow.colours import flow_colours
from masktrail.flow.files import write_flow
from masktrail.geometry import resampled
from masktrail.masks import read_labels, write_labels
from masktrail.masks.draw import overlay
from masktrail.pictures import opened
from masktrail.pictures.decoding import upright_rgb
from masktrail.pictures.depth import Depth
from masktrail.pictures.kinds import is_picture
from masktrail.types import Image, LabelMap
from masktrail.video.reader import open_video

log = logging.getLogger(__name__)

COLUMNS = ("frame before", "frame", "its masks", "handed on", "flow back")
ROWS = 10
"""Dreams on a sheet, at most."""

TILE = 240
"""Height of a picture there, pixels."""

SHEET = "sheet.png"

TRIES = 20
"""Dreams until one begins with an object in view."""

LARGEST = 2**63 - 1
"""Number that a seed can be."""


def dream(
    picture: Path,
    mask: Path,
    count: int,
    out: Path,
    size: int = 480,
    frames: int = 2,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Writes dreams of an annotated picture.

    Dream number k is a sequence of its own, `dream-0000k`: its frames in `JPEGImages`, its masks in
    `Annotations`, masks as a tracker might hand them on in `Previous`, and in `Flow` the exact
    optical flow between a frame and that before it, as .flo: `00001-backward.flo` from frame 1 to
    frame 0, `00000-forward.flo` from frame 0 to frame 1. It is unknown where what a pixel shows is
    hidden or outside in the other frame. `sheet.png` shows the first ten.

    Args:
        picture: a file; of a video its first frame counts.
        mask: label map, or whatever `masks.read_labels` reads, of the same size.
        count: of dreams, at least 1.
        out: a folder that is empty or not there yet.
        size: short side of the dreams, pixels, at most that of the picture.
        frames: of a dream, at least 2.
        seed: all follows from it.
        progress: called with dreams done and dreams in all.

    Raises:
        InputError: a file that cannot be read, sizes that differ, no sensible number, a folder that
            holds something, or a disk that is full.
    """
    _check(("count", count, 1), ("frames", frames, 2, 100), ("size", size, 16), ("seed", seed, 0))
    image, labels = _read(picture, mask)
    check_new(out)
    dreamer, ids = _dreamer(image, labels, size, frames, seed)
    rows: list[list[Image]] = []
    with new_folder(out) as folder:
        for number in range(count):
            drawn = _Drawn(dreamer.draw(1), ids)
            drawn.write(folder, f"dream-{number:05}")
            if number < ROWS:
                rows.append(list(drawn.tiles()))
            progress(number + 1, count)
        with replacing(folder / SHEET) as part:
            _sheet(rows).save(part, "PNG")


def set_in_motion(
    image: Image, labels: LabelMap, out: Path, name: str, size: int, frames: int, seed: int
) -> bool:
    """Writes a dream of a picture as a sequence of a data set: a video with exact masks.

    Args:
        image: RGB, shape (H, W, 3).
        labels: its label map, shape (H, W).
        out: the data set, which other sequences may be in.
        name: of the sequence.
        size: short side, pixels, at most that of the picture.
        frames: of it, at least 2.
        seed: all follows from it.

    Returns:
        Whether there is one: not where no object is large enough to be seen.
    """
    dreamer, ids = _dreamer(image, labels, size, frames, seed)
    for _ in range(TRIES if len(ids) else 0):
        drawn = _Drawn(dreamer.draw(1), ids)
        if drawn.labels[0].any():
            drawn.write_video(out, name)
            return True
    return False


def _check(*numbers: tuple[str, int, int] | tuple[str, int, int, int]) -> None:
    """Refuses numbers that are not between the least and the most they may be."""
    for name, value, least, *most in numbers:
        limit = most[0] if most else LARGEST
        if not least <= value <= limit:
            expected = f"{least} or more" if value < least else f"{limit} or less"
            raise InputError(f"{name}={value} is not possible; use {expected}.")


class _Drawn:
    """One dream as arrays.

    Args:
        dreams: a batch of one.
        ids: of its objects.
    """

    def __init__(self, dreams: Dreams, ids: NDArray[np.uint16]) -> None:
        self._ids = ids
        images = (dreams.images[0] * 255).round().byte()
        self.images: list[Image] = list(images.permute(0, 2, 3, 1).numpy())
        self.labels = [self._label_map(masks) for masks in dreams.masks[0].numpy()]
        self.spoilt = [self._label_map(masks) for masks in dreams.spoilt[0].numpy()]
        self.backward = _fields(dreams.backward, dreams.backward_valid)
        self.forward = _fields(dreams.forward, dreams.forward_valid)

    def write(self, out: Path, name: str) -> None:
        """Writes all of it, as `dream` tells."""
        self.write_video(out, name)
        for kind in ("Previous", "Flow"):
            make_folder(out / kind / name)
        for t, spoilt in enumerate(self.spoilt):
            write_labels(out / "Previous" / name / f"{t:05}.png", spoilt)
        for t, (back, forth) in enumerate(zip(self.backward, self.forward, strict=True)):
            write_flow(out / "Flow" / name / f"{t + 1:05}-backward.flo", *back)
            write_flow(out / "Flow" / name / f"{t:05}-forward.flo", *forth)

    def write_video(self, out: Path, name: str) -> None:
        """Writes frames and masks."""
        for kind in ("JPEGImages", "Annotations"):
            make_folder(out / kind / name)
        for t, (image, labels) in enumerate(zip(self.images, self.labels, strict=True)):
            with replacing(out / "JPEGImages" / name / f"{t:05}.png") as part:
                Pictures.fromarray(image).save(part, "PNG", compress_level=1)
            write_labels(out / "Annotations" / name / f"{t:05}.png", labels)

    def tiles(self) -> Iterator[Image]:
        """What `COLUMNS` name, of its first two frames."""
        yield self.images[0]
        yield self.images[1]
        yield overlay(self.images[1], self.labels[1])
        yield overlay(np.zeros_like(self.images[1]), self.spoilt[1], 1.0, outline=False)
        vectors, valid = self.backward[0]
        yield flow_colours(vectors, valid=valid)

    def _label_map(self, masks: NDArray[np.float32]) -> LabelMap:
        """Ids (H, W) of masks (N, H, W), which may overlap: the later one lies on top."""
        labels = np.zeros(masks.shape[1:], self._ids.dtype)
        for object_id, mask in zip(self._ids, masks, strict=True):
            labels[mask > 0] = object_id
        return labels


def _read(picture: Path, mask: Path) -> tuple[Image, LabelMap]:
    image = _read_picture(picture) if is_picture(picture) else _first_frame(picture)
    labels, _ = read_labels(mask)
    if labels.shape != image.shape[:2]:
        (height, width), (rows, columns) = image.shape[:2], labels.shape
        raise InputError(
            f"{mask} is {columns}x{rows} but {picture} is {width}x{height}; "
            "the mask must have the size of the picture."
        )
    return image, labels


def _read_picture(path: Path) -> Image:
    with opened(path) as file:
        depth = Depth(str(path), lambda: iter([np.asarray(file)]), None)
        return upright_rgb(file, depth)


def _first_frame(path: Path) -> Image:
    with open_video(path, end=1) as video:
        for frame in video:
            return frame.image
    raise InputError(f"Not one frame of {path} can be decoded; give a picture.")


def _dreamer(
    image: Image, labels: LabelMap, size: int, frames: int, seed: int
) -> tuple[Dreamer, NDArray[np.uint16]]:
    """What dreams of a picture at another size, and the ids of its objects."""
    short = min(image.shape[:2])
    scale = min(1.0, size / short)
    inner = tuple(max(1, round(side * scale)) for side in image.shape[:2])
    small = np.array(Pictures.fromarray(labels).resize(inner[::-1], Pictures.Resampling.NEAREST))
    dreamer = Dreamer(
        torch.from_numpy(resampled(image, inner).copy()),
        torch.from_numpy(small.astype(np.int32)),
        seed,
        DreamSettings(frames=frames),
    )
    ids = np.array(dreamer.ids, np.uint16)
    if gone := sorted({*np.unique(labels).tolist()} - {0, *dreamer.ids}):
        log.warning("Too small to be seen at %d px, and left out: objects %s.", size, gone)
    return dreamer, ids


def _fields(flow: Tensor, valid: Tensor) -> list[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    return list(zip(flow[0].numpy(), valid[0].numpy(), strict=True))


def _sheet(rows: list[list[Image]]) -> Pictures.Image:
    """Tiles in rows, with a line of what they are above."""
    height, width = rows[0][0].shape[:2]
    size = max(1, round(width * TILE / height)), TILE
    sheet = Pictures.new("RGB", (size[0] * len(COLUMNS), 20 + TILE * len(rows)), "white")
    pen = ImageDraw.Draw(sheet)
    for column, title in enumerate(COLUMNS):
        pen.text((column * size[0] + 4, 4), title, "black")
        for row, tiles in enumerate(rows):
            tile = Pictures.fromarray(tiles[column]).resize(size, Pictures.Resampling.BILINEAR)
            sheet.paste(tile, (column * size[0], 20 + row * TILE))
    return sheet
