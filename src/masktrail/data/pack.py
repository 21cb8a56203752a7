"""Data sets packed for training: everything decoded and resized once, into uint8 memory maps.

A pack is a folder with `images.npy` (N, H, W, 3), `labels.npy` (N, H, W) and `index.json`. Frames
are stretched to one canvas so that they can be indexed as a batch, on the device where there is
room; each sequence keeps its aspect ratio, and the sampling grids of training undo the stretch.
"""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy import ndimage

from masktrail.data.davis import Sequence
from masktrail.errors import InputError
from masktrail.types import LabelMap

VOID = 255
"""Label of pixels nobody labelled; packed as background."""


@dataclass(frozen=True)
class PackedSequence:
    """Where one sequence lies in a pack.

    Attributes:
        name: as in its data set.
        start: row of its first frame.
        count: number of frames.
        aspect: width / height before the frames were stretched to the canvas.
        ids: object ids that occur, ascending.
    """

    name: str
    start: int
    count: int
    aspect: float
    ids: tuple[int, ...]


@dataclass(frozen=True)
class PackedObject:
    """One object in one row of a pack; lengths are fractions of the canvas.

    Attributes:
        id: its value in the label map.
        x: centre, 0 to 1.
        y: centre, 0 to 1.
        width: of the tight box.
        height: of the tight box.
        area: of the mask.
    """

    id: int
    x: float
    y: float
    width: float
    height: float
    area: float


@dataclass
class Pack:
    """A packed data set, memory-mapped or on a device.

    Attributes:
        images: uint8 (N, H, W, 3) RGB.
        labels: uint8 (N, H, W), 0 background.
        sequences: in order of their rows.
        objects: what each row shows.
    """

    images: torch.Tensor
    labels: torch.Tensor
    sequences: list[PackedSequence]
    objects: list[list[PackedObject]]

    def to(self, device: torch.device) -> "Pack":
        """Moves the whole set to `device`, so that training never waits for the host."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))


def write_pack(
    sequences: list[Sequence],
    out: Path,
    height: int,
    width: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Packs `sequences` into the folder `out`; frames without a mask are left out.

    Images are resized with an antialiased bicubic kernel, label maps by nearest neighbour. The
    folder appears under its name only when it is complete.

    Args:
        sequences: what to pack.
        out: the folder; a pack that is there already is replaced.
        height: of the canvas, pixels.
        width: of the canvas, pixels.
        progress: called with the numbers of packed frames and of all.

    Raises:
        InputError: no frame has a mask, or an image and its mask cannot be read or do not fit.
    """
    rows = [(s, i) for s in sequences for i in range(len(s)) if s.annotations[i] is not None]
    if not rows:
        raise InputError(f"None of the {len(sequences)} sequences for {out} has a mask.")
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    images = _create(part / "images.npy", (len(rows), height, width, 3))
    labels = _create(part / "labels.npy", (len(rows), height, width))
    aspects = np.empty(len(rows))

    def pack_row(row: int) -> None:
        sequence, index = rows[row]
        images[row], labels[row], aspects[row] = _stretch(sequence, index, height, width)

    with ThreadPoolExecutor() as pool:
        for done, _ in enumerate(pool.map(pack_row, range(len(rows))), start=1):
            progress(done, len(rows))
    objects = [_objects(row) for row in labels]
    index = {
        "sequences": [asdict(s) for s in _index(rows, objects, aspects)],
        "objects": [[astuple(o) for o in row] for row in objects],
    }
    images.flush()
    labels.flush()
    (part / "index.json").write_text(json.dumps(index))
    shutil.rmtree(out, ignore_errors=True)
    part.rename(out)


def open_pack(folder: Path | str) -> Pack:
    """Opens a pack without reading it; pages come in as they are indexed.

    Raises:
        InputError: `folder` is not a complete pack.
    """
    folder = Path(folder)
    try:
        index = json.loads((folder / "index.json").read_text())
        # copy-on-write: torch wants writable memory, the file stays as it is
        images, labels = (
            torch.from_numpy(np.load(folder / name, mmap_mode="c"))
            for name in ("images.npy", "labels.npy")
        )
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{folder} is not a complete packed data set ({error}); "
            "make one with `masktrail prepare`."
        ) from error
    return Pack(
        images,
        labels,
        [PackedSequence(**{**row, "ids": tuple(row["ids"])}) for row in index["sequences"]],
        [[PackedObject(*values) for values in row] for row in index["objects"]],
    )


def _create(path: Path, shape: tuple[int, ...]) -> np.memmap:
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)


def _stretch(
    sequence: Sequence, index: int, height: int, width: int
) -> tuple[np.ndarray, LabelMap, float]:
    """Image (height, width, 3) and label map of a frame on the canvas, and its aspect ratio."""
    path, labels = sequence.frames[index], sequence.truth(index)
    assert labels is not None
    try:
        with Image.open(path) as image:
            size = image.size
            pixels = image.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    except OSError as error:
        raise InputError(f"{path} cannot be read as a picture: {error}.") from error
    if labels.shape != size[::-1] or labels.max(initial=0) > VOID:
        raise InputError(
            f"{path} is {size[0]}x{size[1]} and its mask {labels.shape[1]}x{labels.shape[0]} with "
            f"ids up to {labels.max()}; expected one size, and ids up to {VOID - 1}."
        )
    ids = Image.fromarray(np.where(labels == VOID, 0, labels).astype(np.uint8))
    stretched = ids.resize((width, height), Image.Resampling.NEAREST)
    return np.asarray(pixels), np.asarray(stretched), size[0] / size[1]


def _objects(labels: np.ndarray) -> list[PackedObject]:
    """The objects of a label map (H, W), by ascending id."""
    height, width = labels.shape
    found = []
    for value, slices in enumerate(ndimage.find_objects(labels), start=1):
        if slices is not None:
            y, x = slices
            found.append(
                PackedObject(
                    id=value,
                    x=(x.start + x.stop) / 2 / width,
                    y=(y.start + y.stop) / 2 / height,
                    width=(x.stop - x.start) / width,
                    height=(y.stop - y.start) / height,
                    area=float((labels[slices] == value).sum() / labels.size),
                )
            )
    return found


def _index(
    rows: list[tuple[Sequence, int]], objects: list[list[PackedObject]], aspects: np.ndarray
) -> list[PackedSequence]:
    """Where each sequence lies, from what every row was made of, shows, and was stretched from."""
    starts = [row for row in range(len(rows)) if row == 0 or rows[row][0] is not rows[row - 1][0]]
    return [
        PackedSequence(
            name=rows[start][0].name,
            start=start,
            count=stop - start,
            aspect=float(aspects[start]),
            ids=tuple(sorted({o.id for row in objects[start:stop] for o in row})),
        )
        for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True)
    ]
