"""Making packs: sequences decoded and stretched to one canvas, whole or not at all."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, astuple
from pathlib import Path

import numpy as np
from PIL import Image

from masktrail.data.pack import FILES, PackedObject, PackedSequence, PackedTrack
from masktrail.data.sequence import Sequence
from masktrail.errors import InputError
from masktrail.files import cannot_write
from masktrail.masks import areas, tight_box
from masktrail.types import LabelMap

VOID = 255
"""Label of pixels nobody labelled; packed as background."""


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
        InputError: no frame has a mask, an image and its mask cannot be read or do not fit, the
            disk is too full, or `out` is something else than a pack.
    """
    rows = [(s, i) for s in sequences for i in range(len(s)) if s.annotations[i] is not None]
    if not rows:
        raise InputError(f"None of the {len(sequences)} sequences for {out} has a mask.")
    with replacing_folder(out) as part:
        require_space(part, len(rows), height, width)
        _fill(part, rows, height, width, progress)


@contextmanager
def replacing_folder(out: Path) -> Iterator[Path]:
    """Gives a folder beside `out` to fill; it takes the place of `out` if the block succeeds.

    Raises:
        InputError: `out` holds anything but packs, or cannot be written.
    """
    out = Path(os.path.abspath(out))
    _refuse_others(out)
    part, old = (out.with_name(f".{out.name}.{name}") for name in ("part", "old"))
    try:
        for folder in (part, old):
            shutil.rmtree(folder, ignore_errors=True)
        part.mkdir(parents=True)
        yield part
        if out.exists():
            out.rename(old)
        part.rename(out)
    except OSError as error:
        if old.exists() and not out.exists():
            old.rename(out)
        raise cannot_write(out, error) from error
    finally:
        for folder in (part, old):
            shutil.rmtree(folder, ignore_errors=True)


def require_space(folder: Path, frames: int, height: int, width: int) -> None:
    """Asks first: a disk that fills up under a memory map kills the process.

    Raises:
        InputError: the disk of `folder` has no room for a pack of that size.
    """
    needed, free = 4 * frames * height * width, shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"{frames} frames of {height}x{width} take {needed / 1e9:.1f} GB and the disk has "
            f"{free / 1e9:.1f} GB left; free some space or choose a smaller canvas."
        )


def write_tracks(tracks: list[PackedTrack], folder: Path) -> None:
    """Adds single-object sequences to the pack in `folder`."""
    (folder / "tracks.json").write_text(json.dumps([asdict(track) for track in tracks]))


def _fill(
    part: Path,
    rows: list[tuple[Sequence, int]],
    height: int,
    width: int,
    progress: Callable[[int, int], None],
) -> None:
    """Writes the files of a pack into the folder `part`; `rows` are sequences and frame indices."""
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


def _refuse_others(out: Path) -> None:
    """Replacing a folder deletes what is in it: only packs, or parts of one, may be replaced."""
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError(f"{out} is a file; name a folder for the pack.")
    others = [
        path.name
        for path in sorted(out.iterdir())
        if path.name not in FILES
        and not (path.is_dir() and {inner.name for inner in path.iterdir()} <= FILES)
    ]
    if others:
        raise InputError(
            f"{out} holds {others[0]}, which is no part of a pack, and would be replaced; "
            "name a new folder for the pack."
        )


def _create(path: Path, shape: tuple[int, ...]) -> np.memmap:
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)


def _stretch(
    sequence: Sequence, index: int, height: int, width: int
) -> tuple[np.ndarray, LabelMap, float]:
    """Image (height, width, 3) and label map of a frame on the canvas, and its aspect ratio."""
    path, labels = sequence.frames[index], sequence.truth(index)
    assert labels is not None
    picture = Image.fromarray(sequence.image(index))
    size, pixels = picture.size, picture.resize((width, height), Image.Resampling.BICUBIC)
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
    objects = []
    for object_id, area in areas(labels).items():
        box = tight_box(labels == object_id)
        assert box is not None
        x0, y0, x1, y1 = box
        objects.append(
            PackedObject(
                id=object_id,
                x=(x0 + x1) / 2 / width,
                y=(y0 + y1) / 2 / height,
                width=(x1 - x0) / width,
                height=(y1 - y0) / height,
                area=area / labels.size,
            )
        )
    return objects


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
