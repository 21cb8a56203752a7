"""Folders of videos with masks: DAVIS-2016, DAVIS-2017, YouTube-VOS, MOSE and any that look alike.

All are `JPEGImages/[level/]<sequence>/<frame>.jpg` beside `Annotations/.../<frame>.png`; they
differ in the level (`480p`, `1080p`, `Full-Resolution` or none) and in how many frames carry a mask
(DAVIS every one, YouTube-VOS every fifth, MOSE's validation set the first alone).
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from masktrail.errors import InputError
from masktrail.masks import read_labels
from masktrail.types import LabelMap

log = logging.getLogger(__name__)

LEVELS = ("480p", "1080p", "Full-Resolution")
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}

DAVIS2016_VAL = frozenset(
    [
        "blackswan",
        "bmx-trees",
        "breakdance",
        "camel",
        "car-roundabout",
        "car-shadow",
        "cows",
        "dance-twirl",
        "dog",
        "drift-chicane",
        "drift-straight",
        "goat",
        "horsejump-high",
        "kite-surf",
        "libby",
        "motocross-jump",
        "paragliding-launch",
        "parkour",
        "scooter-black",
        "soapbox",
    ]
)
"""The 20 sequences kept for measuring; no training set may hold one."""

TUNING = frozenset(["dance-jump", "drift-turn", "horsejump-low"])
"""Three of DAVIS-2016's 30 training sequences on which settings, and the better of two weights, are
chosen; no training set may hold one either."""

HELD_OUT = DAVIS2016_VAL | TUNING


@dataclass(frozen=True)
class Sequence:
    """One video of a data set.

    Attributes:
        name: folder name.
        frames: image paths in temporal order.
        annotations: mask path of each frame, None where the frame carries none.
    """

    name: str
    frames: tuple[Path, ...]
    annotations: tuple[Path | None, ...]

    def __len__(self) -> int:
        return len(self.frames)

    def truth(self, index: int) -> LabelMap | None:
        """Label map of frame `index`, shape (H, W), 0 background; None where not annotated."""
        path = self.annotations[index]
        return None if path is None else read_labels(path)[0]

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """Object ids seen in any annotated frame, ascending; 255 (void) is none."""
        ids: set[int] = set()
        for index in range(len(self)):
            labels = self.truth(index)
            if labels is not None:
                ids.update(np.unique(labels).tolist())
        return tuple(sorted(ids - {0, 255}))


def find_sequences(
    root: Path | str, names: Iterable[str] | None = None, level: str | None = None
) -> list[Sequence]:
    """Lists the sequences of a data set, those that have pictures, sorted by name.

    Args:
        root: folder that holds `JPEGImages` and `Annotations`.
        names: only these sequences, in this order; all where None.
        level: see `find_level`.

    Raises:
        InputError: no such layout or level at `root`, or a name that is not there.
    """
    images, masks = layout(Path(root), level)
    listed = [
        _sequence(folder, masks / folder.name)
        for folder in sorted(images.iterdir())
        if not folder.name.startswith(".") and (masks / folder.name).is_dir()
    ]
    by_name = {sequence.name: sequence for sequence in listed if sequence.frames}
    if not by_name:
        raise InputError(f"{images} and {masks} have no sequence folder with pictures in common.")
    selected = list(by_name if names is None else names)
    missing = sorted(set(selected) - set(by_name))
    if missing:
        raise InputError(
            f"{root} has no sequence {', '.join(missing)}; it has {', '.join(list(by_name)[:30])}."
        )
    return [by_name[name] for name in selected]


def refuse_held_out(names: Iterable[str], source: Path | str) -> None:
    """Keeps what is measured on out of training.

    Args:
        names: of the sequences in a training set.
        source: where they come from, for the message.

    Raises:
        InputError: one of them is in `HELD_OUT`.
    """
    held_out = sorted({name for name in names if name.rsplit("/", 1)[-1] in HELD_OUT})
    if held_out:
        raise InputError(
            f"{source} holds {', '.join(held_out)}: DAVIS-2016 sequences on which models are "
            "measured or chosen and none may be trained. Leave them out of the pack (or rename "
            "a sequence of your own that happens to be called so)."
        )


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


def training_root(root: Path) -> Path:
    """Where the layout begins: `root`, or its folder `train`, as MOSE and YouTube-VOS come."""
    inside = root / "train"
    return inside if not (root / "JPEGImages").is_dir() and inside.is_dir() else root


def find_level(root: Path | str, level: str | None = None) -> str:
    """The resolution that is read of a data set.

    Args:
        root: folder that holds `JPEGImages` and `Annotations`.
        level: one of `LEVELS`; None for the first of them that is there.

    Returns:
        One of `LEVELS`, or "" where `root` has no folders for resolutions.

    Raises:
        InputError: no such layout at `root`, or no such level.
    """
    images, masks = Path(root) / "JPEGImages", Path(root) / "Annotations"
    if not (images.is_dir() and masks.is_dir()):
        raise InputError(
            f"{root} has no JPEGImages and Annotations folders; expected a data set laid out as "
            "DAVIS, YouTube-VOS or MOSE are."
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
    name = find_level(root, level)
    return root / "JPEGImages" / name, root / "Annotations" / name


def is_picture(path: Path) -> bool:
    """Whether the name is a visible picture's: macOS leaves hidden `._*.jpg` that are none."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def _sequence(images: Path, masks: Path) -> Sequence:
    frames = sorted(path for path in images.glob("*") if is_picture(path))
    by_stem = {path.stem: path for path in masks.glob("*.png")}
    return Sequence(images.name, tuple(frames), tuple(by_stem.get(path.stem) for path in frames))
