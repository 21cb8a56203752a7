"""Data sets packed for training: everything decoded and resized once, into uint8 memory maps.

A pack is a folder with `images.npy` (N, H, W, 3), `labels.npy` (N, H, W) and `index.json`. Frames
are stretched to one canvas so that they can be indexed as a batch, on the device where there is
room; each sequence keeps its aspect ratio, and the sampling grids of training undo the stretch.
`tracks.json`, where there is one, lists single-object sequences: rows of the pack, pixels shared.
"""

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch

from masktrail.errors import InputError

ASPECTS = (0.01, 100.0)
"""Between which those of videos lie."""

FILES = {"images.npy", "labels.npy", "index.json", "tracks.json"}
"""What a pack is made of."""


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


@dataclass(frozen=True)
class PackedTrack:
    """One object of one video, a sequence of its own.

    Attributes:
        video: name of the sequence it is in.
        id: its value in the label maps.
        rows: of the pack, ascending; the object is absent in some of them. Where a row of the video
            is missing here, what would be shown there is not meant for training.
        starts: those of the rows in which the object is large enough to be marked.
    """

    video: str
    id: int
    rows: tuple[int, ...]
    starts: tuple[int, ...]

    def clips(self, frames: int, stride: int = 1) -> list[tuple[int, ...]]:
        """Every clip that begins with the object marked: `frames` rows, `stride` rows apart."""
        rows = set(self.rows)
        spans = (tuple(range(row, row + frames * stride, stride)) for row in self.starts)
        return [span for span in spans if rows.issuperset(span)]


@dataclass
class Pack:
    """A packed data set, memory-mapped or on a device.

    Attributes:
        images: uint8 (N, H, W, 3) RGB.
        labels: uint8 (N, H, W), 0 background.
        sequences: in order of their rows.
        objects: what each row shows.
        tracks: single-object sequences, if it was packed for them.
    """

    images: torch.Tensor
    labels: torch.Tensor
    sequences: list[PackedSequence]
    objects: list[list[PackedObject]]
    tracks: list[PackedTrack] = field(default_factory=list)

    def sequence_of(self, row: int) -> PackedSequence:
        """The sequence that holds a row."""
        return self.sequences[bisect_right(self.sequences, row, key=lambda s: s.start) - 1]

    def aspect_of(self, row: int) -> float:
        """Width / height of what a row shows, before it was stretched to the canvas."""
        return self.sequence_of(row).aspect

    @property
    def nbytes(self) -> int:
        """Size of the pictures and label maps."""
        return self.images.nbytes + self.labels.nbytes

    def to(self, device: torch.device) -> "Pack":
        """The same with its pictures and label maps on `device`."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))

    def clip(self, track: PackedTrack, rows: Iterable[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Pictures uint8 (T, H, W, 3) and masks bool (T, H, W) of one object in T rows."""
        chosen = torch.tensor(list(rows), device=self.images.device)
        return self.images[chosen], self.labels[chosen] == track.id


def open_pack(folder: Path | str) -> Pack:
    """Opens a pack without reading it; pages come in as they are indexed.

    Raises:
        InputError: `folder` is not a complete pack.
    """
    folder = Path(folder)
    try:
        images, labels = (_array(folder / name) for name in ("images.npy", "labels.npy"))
        pack = Pack(images, labels, *_lists(folder))
        for problem in _problems(pack):
            raise ValueError(problem)
    except (OSError, ValueError, TypeError) as error:  # an array without rows has no length
        raise InputError(
            f"{folder} is not a complete packed data set ({error}); "
            "make one with `masktrail prepare`."
        ) from error
    return pack


def _array(path: Path) -> torch.Tensor:
    """Copy-on-write: torch wants writable memory, the file stays as it is."""
    try:
        return torch.from_numpy(np.load(path, mmap_mode="c"))
    except OSError:
        raise
    except Exception as error:  # NumPy's headers are Python, and fail as Python does
        raise ValueError(f"{path.name} is damaged: {error}") from error


def _lists(
    folder: Path,
) -> tuple[list[PackedSequence], list[list[PackedObject]], list[PackedTrack]]:
    index = json.loads((folder / "index.json").read_text())
    listed = folder / "tracks.json"
    tracks = json.loads(listed.read_text()) if listed.exists() else []
    try:
        return (
            [PackedSequence(**{**row, "ids": tuple(row["ids"])}) for row in index["sequences"]],
            [[PackedObject(*values) for values in row] for row in index["objects"]],
            [
                PackedTrack(row["video"], row["id"], tuple(row["rows"]), tuple(row["starts"]))
                for row in tracks
            ],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"its lists are not those of a pack: {error}") from error


def _problems(pack: Pack) -> Iterator[str]:
    """What a pack that can be read still gets wrong."""
    rows, kinds = len(pack.images), (pack.images.dtype, pack.labels.dtype)
    if kinds != (torch.uint8, torch.uint8) or pack.images.shape != (*pack.labels.shape, 3):
        yield "its pictures and masks are not of one size"
    if len(pack.objects) != rows:
        yield f"{len(pack.objects)} of {rows} frames have objects listed"
    counts, starts = ([getattr(s, name) for s in pack.sequences] for name in ("count", "start"))
    whole = all(_is_index(count, 1, rows) for count in counts)
    if not rows or not whole or [*starts, rows] != [0, *accumulate(counts)]:
        yield f"sequences that do not make up its {rows} frames"
    if not all(_is_length(s.aspect, *ASPECTS) for s in pack.sequences):
        yield "sequences of no aspect ratio"
    objects = [o for row in pack.objects for o in row]
    ids = [i for s in pack.sequences for i in s.ids] + [track.id for track in pack.tracks]
    if not all(_is_index(i, 1, 254) for i in (*ids, *(o.id for o in objects))):
        yield "objects whose ids are none"
    lengths = ((o.x, o.y, o.width, o.height, o.area) for o in objects)
    if not all(_is_length(value, 0, 1) for values in lengths for value in values):
        yield "objects lie beyond the frames"
    listed = (row for track in pack.tracks for row in (*track.rows, *track.starts))
    if not all(_is_index(row, 0, rows - 1) for row in listed):
        yield f"tracks lead beyond its {rows} frames"


def _is_index(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and least <= value <= most


def _is_length(value: object, least: float, most: float) -> bool:
    return isinstance(value, int | float) and least <= value <= most
