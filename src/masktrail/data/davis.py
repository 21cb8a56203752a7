"""Folders of videos with masks: DAVIS-2016, DAVIS-2017, YouTube-VOS, MOSE and any that look alike.

All are `JPEGImages/[level/]<sequence>/<frame>.jpg` beside `Annotations/.../<frame>.png`; they
differ in the level (`480p`, `1080p`, `Full-Resolution` or none) and in how many frames carry a mask
(DAVIS every one, YouTube-VOS every fifth, MOSE's validation set the first alone).
"""

import logging
from collections.abc import Iterable
from pathlib import Path

from masktrail.data.held_out import HELD_OUT, refuse_held_out
from masktrail.data.sequence import Sequence
from masktrail.data.stills import MASK_SUFFIX, holds_stills
from masktrail.errors import InputError
from masktrail.pictures.kinds import is_picture, natural_key, numbered

log = logging.getLogger(__name__)

LEVELS = ("480p", "1080p", "Full-Resolution")


def find_sequences(
    root: Path | str, names: Iterable[str] | None = None, level: str | None = None
) -> list[Sequence]:
    """Lists the sequences of a data set, those that have pictures, sorted by name.

    Args:
        root: folder that holds `JPEGImages` and `Annotations`, or holds them in its `train`.
        names: only these sequences, in this order; all where None.
        level: see `find_level`.

    Raises:
        InputError: no such layout or level at `root`, or a name that is not there.
    """
    images, masks = layout(Path(root), level)
    listed = list_sequences(root, level)
    by_name = {s.name: s for s in listed if s.frames and (masks / s.name).is_dir()}
    if not by_name:
        raise InputError(f"{images} and {masks} have no sequence folder with pictures in common.")
    selected = list(by_name if names is None else names)
    missing = sorted(set(selected) - set(by_name))
    if missing:
        raise InputError(
            f"{root} has no sequence {', '.join(missing)}; it has {', '.join(list(by_name)[:30])}."
        )
    return [by_name[name] for name in selected]


def find_training_sequences(root: Path | str) -> list[Sequence]:
    """The sequences of a data set but for those in `HELD_OUT`; these are named in a warning.

    Raises:
        InputError: no such layout at `root`, or nothing else there.
    """
    sequences = find_sequences(root)
    held_out = [sequence.name for sequence in sequences if sequence.name in HELD_OUT]
    if len(held_out) == len(sequences):
        refuse_held_out(held_out, root)
    if held_out:
        log.warning(
            "Left out are %s: DAVIS-2016 sequences on which models are measured or chosen.",
            ", ".join(held_out),
        )
    return [sequence for sequence in sequences if sequence.name not in held_out]


def marked_sequences(root: Path | str, level: str | None = None) -> list[Sequence]:
    """Those of `list_sequences` that have any mask, but for those in `HELD_OUT`."""
    return [
        sequence
        for sequence in list_sequences(root, level)
        if sequence.name not in HELD_OUT and (any(sequence.annotations) or sequence.strays)
    ]


def training_root(root: Path) -> Path:
    """Where the layout begins: `root`, or its folder `train`, as MOSE and YouTube-VOS come."""
    inside = root / "train"
    return inside if not (root / "JPEGImages").is_dir() and inside.is_dir() else root


def are_stills(root: Path | str) -> bool:
    """Whether a data set is of pictures that stand alone, not of videos; see `data.stills`."""
    videos = training_root(Path(root)) / "JPEGImages"
    return not videos.is_dir() and holds_stills(root)


def find_level(root: Path | str, level: str | None = None) -> str:
    """The resolution that is read of a data set.

    Args:
        root: folder that holds `JPEGImages` and `Annotations`, or holds them in its `train`.
        level: one of `LEVELS`; None for the first of them that is there.

    Returns:
        One of `LEVELS`, or "" where `root` has no folders for resolutions.

    Raises:
        InputError: no such layout at `root`, or no such level.
    """
    root = training_root(Path(root))
    images, masks = root / "JPEGImages", root / "Annotations"
    if not (images.is_dir() and masks.is_dir()):
        if holds_stills(root):
            raise InputError(
                f"{root} holds pictures that stand alone (images beside masks), and no videos: "
                "they can be packed as stills and learned from; nothing moves in them."
            )
        raise InputError(
            f"{root} has no JPEGImages and Annotations folders; expected a data set laid out as "
            "DAVIS, YouTube-VOS or MOSE are, or pictures that stand alone: images beside masks."
        )
    levels = [name for name in LEVELS if (images / name).is_dir() and (masks / name).is_dir()]
    if level is None:
        return levels[0] if levels else ""
    if level not in levels:
        has = f"it has {', '.join(levels)}" if levels else "its sequences lie in no level's folder"
        raise InputError(
            f"{root} has no JPEGImages/{level} beside Annotations/{level}; {has}. Levels are "
            f"{', '.join(LEVELS)}."
        )
    return level


def layout(root: Path, level: str | None = None) -> tuple[Path, Path]:
    """The folders that hold one folder per sequence: of pictures, of masks; see `find_level`."""
    name, root = find_level(root, level), training_root(root)
    return root / "JPEGImages" / name, root / "Annotations" / name


def list_sequences(root: Path | str, level: str | None = None) -> list[Sequence]:
    """Every sequence that has a folder of pictures or of masks, sorted by name.

    Raises:
        InputError: no such layout or level at `root`, or no folder of a sequence in it.
    """
    images, masks = layout(Path(root), level)
    names = sorted({path.name for folder in (images, masks) for path in _folders(folder)})
    if not names:
        raise InputError(
            f"{images} and {masks} have no folders in them; expected one for each sequence."
        )
    return [_sequence(images / name, masks / name) for name in names]


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir() and path.name[0] != "."]


def _sequence(images: Path, masks: Path) -> Sequence:
    pictures, beside = _pictures(images), _pictures(masks)
    frames, by_stem = numbered(pictures), dict[str, Path]()
    for path in beside:
        if path.suffix.lower() == MASK_SUFFIX:
            by_stem.setdefault(path.stem, path)
    stems = {path.stem for path in frames}
    return Sequence(
        images.name,
        tuple(frames),
        tuple(by_stem.get(path.stem) for path in frames),
        strays=tuple(path for stem, path in by_stem.items() if stem not in stems),
        unread=tuple(path for path in beside if by_stem.get(path.stem) != path),
        left_out=tuple(path for path in pictures if path.stem not in stems),
    )


def _pictures(folder: Path) -> list[Path]:
    """Pictures of a folder, in natural order, as `track` takes them."""
    pictures = (path for path in folder.glob("*") if is_picture(path))
    return sorted(pictures, key=lambda path: natural_key(path.name))
