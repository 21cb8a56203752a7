"""Videos of several objects as single-object sequences, split into training and held-out videos.

A pack keeps the pixels of a frame once, however many objects it shows. A track is an entry over its
rows: which object of which video, in which rows it may be shown, and from which of them a clip may
begin. Objects are told apart by palette index and sought in all frames, not in the first alone.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from masktrail.data.check import require_sound
from masktrail.data.davis import find_training_sequences, marked_sequences
from masktrail.data.pack import Pack, PackedSequence, PackedTrack, open_pack
from masktrail.data.packing import replacing_folder, require_space, write_pack, write_tracks
from masktrail.data.sequence import Sequence
from masktrail.data.split import (
    PARTS,
    SplitSettings,
    check_recordings,
    check_settings,
    split_videos,
)
from masktrail.errors import InputError

MIN_AREA = 0.0005
"""An object smaller than this share of the picture is not marked: no clip begins there."""


@dataclass(frozen=True)
class Part:
    """What a part of the data set holds.

    Attributes:
        name: of its folder.
        videos: number of them.
        frames: packed, each once.
        objects: tracks.
        objects_dropped: objects too small wherever they are, or never followed by another frame.
        visible: frames of tracks that show the object.
        negatives: frames of tracks that do not.
        negatives_dropped: frames without the object that its track leaves out.
        size: of the folder, bytes.
    """

    name: str
    videos: int
    frames: int
    objects: int
    objects_dropped: int
    visible: int
    negatives: int
    negatives_dropped: int
    size: int


def pack_single_objects(
    root: Path,
    out: Path,
    height: int,
    width: int,
    settings: SplitSettings,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Part]:
    """Packs MOSE, YouTube-VOS or DAVIS-2017 into `out/train` and `out/held-out`, with tracks.

    What models are measured or chosen on is left out, and a warning is logged. `out` appears under
    its name only when both parts are complete.

    Args:
        root: the data set, or the folder that holds it as `train`.
        out: folder of the two packs; one that is there already is replaced.
        height: of the canvas, pixels.
        width: of the canvas, pixels.
        settings: of the split.
        progress: called with frames done and frames in all.

    Returns:
        What each part holds; without `held-out` where none is asked for.

    Raises:
        InputError: no such data set, settings out of range, errors in it, no object to follow, one
            recording where some are to be held out, or as `write_pack`.
    """
    check_settings(settings)
    sequences = _annotated(root)
    total = _count(sequences)
    held_out = split_videos([s.name for s in sequences], settings)
    check_recordings([s.name for s in sequences], settings)
    groups = [
        [s for s in sequences if s.name not in held_out],
        [s for s in sequences if s.name in held_out],
    ]
    parts: list[Part] = []
    with replacing_folder(out) as folder:
        require_space(folder, total, height, width)
        for name, group in zip(PARTS, filter(None, groups), strict=False):
            before = sum(part.frames for part in parts)
            part_progress = partial(_tell, progress, before, total)
            write_pack(group, folder / name, height, width, part_progress)
            parts.append(_add_tracks(folder / name, settings))
        if not parts[0].objects:
            raise InputError(
                f"No object of {root} can be followed: each is marked in one frame only, as in a "
                f"validation set, or covers less than {MIN_AREA:.2%} of the picture."
            )
    return parts


def find_tracks(pack: Pack, negatives: float, seed: int) -> list[PackedTrack]:
    """The objects of a pack that can be followed: marked in one frame, with another after it.

    Args:
        pack: label maps by object id.
        negatives: see `SplitSettings`.
        seed: chooses among frames that are equally far from the object.
    """
    tracks = [
        _track(pack, sequence, object_id, negatives, seed)
        for sequence in pack.sequences
        for object_id in sequence.ids
    ]
    return [track for track in tracks if track.starts and track.starts[0] < track.rows[-1]]


def _track(
    pack: Pack, sequence: PackedSequence, object_id: int, negatives: float, seed: int
) -> PackedTrack:
    """All rows that show the object and, of the others, those nearest to them in time."""
    span = range(sequence.start, sequence.start + sequence.count)
    areas = {row: o.area for row in span for o in pack.objects[row] if o.id == object_id}
    distance = _distances(set(areas), span)
    chance = random.Random(f"{seed}/{sequence.name}/{object_id}")
    absent = [row for row in span if row not in areas]
    absent.sort(key=lambda row: (distance[row], chance.random()))
    chosen = absent[: int(negatives * len(areas) + 1e-9)]
    return PackedTrack(
        sequence.name,
        object_id,
        rows=tuple(sorted([*areas, *chosen])),
        starts=tuple(row for row, area in areas.items() if area >= MIN_AREA),
    )


def _distances(present: set[int], span: range) -> dict[int, int]:
    """From every row of `span` to the nearest of the rows `present`."""
    distance = dict.fromkeys(span, len(span))
    for walk in (span, reversed(span)):
        steps = len(span)
        for row in walk:
            steps = 0 if row in present else steps + 1
            distance[row] = min(distance[row], steps)
    return distance


def _add_tracks(folder: Path, settings: SplitSettings) -> Part:
    pack = open_pack(folder)
    tracks = find_tracks(pack, settings.negatives, settings.seed)
    write_tracks(tracks, folder)
    counts = {sequence.name: sequence.count for sequence in pack.sequences}
    visible = sum(o.id == t.id for t in tracks for row in t.rows for o in pack.objects[row])
    total = sum(len(track.rows) for track in tracks)
    return Part(
        folder.name,
        videos=len(pack.sequences),
        frames=len(pack.objects),
        objects=len(tracks),
        objects_dropped=sum(len(sequence.ids) for sequence in pack.sequences) - len(tracks),
        visible=visible,
        negatives=total - visible,
        negatives_dropped=sum(counts[track.video] for track in tracks) - total,
        size=sum(path.stat().st_size for path in folder.iterdir()),
    )


def _annotated(root: Path) -> list[Sequence]:
    """The videos that may be trained on and have masks."""
    sequences = find_training_sequences(root)
    require_sound(marked_sequences(root), root)
    annotated = [sequence for sequence in sequences if any(sequence.annotations)]
    if not annotated:
        raise InputError(f"None of the {len(sequences)} sequences of {root} has a mask.")
    return annotated


def _tell(progress: Callable[[int, int], None], before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)


def _count(sequences: list[Sequence]) -> int:
    return sum(path is not None for s in sequences for path in s.annotations)
