"""Pictures among the frames of a folder that are no frames: masks, copies of another kind."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from masktrail.errors import InputError
from masktrail.pictures.kinds import numbered

log = logging.getLogger(__name__)


def without_strays(folder: Path, pictures: Sequence[Path]) -> list[Path]:
    """Pictures that are frames; those that are left out are said.

    Of pictures that share a name but for its suffix, such as `00000.jpg` and `00000.png`, the kind
    counts that has more. A few without a number among numbered ones are left out, too.

    Raises:
        InputError: two kinds share names, and neither has more.
    """
    frames = numbered(_of_one_kind(folder, pictures))
    strays = sorted(set(pictures) - set(frames))
    if strays:
        names = ", ".join(path.name for path in strays[:3]) + (", ..." if strays[3:] else "")
        log.warning(
            "%d of %d pictures in %s are taken for no frames and are left out: %s.",
            len(strays), len(pictures), folder, names,
        )  # fmt: skip
    return frames


def _of_one_kind(folder: Path, pictures: Sequence[Path]) -> list[Path]:
    kinds: dict[str, list[Path]] = {}
    for path in sorted(pictures):
        kinds.setdefault(_kind(path), []).append(path)
    frames: list[Path] = []
    for kind in sorted(kinds.values(), key=len, reverse=True):
        stems = {path.stem for path in frames}
        twins = [path for path in kind if path.stem in stems]
        if twins and len(kind) == len(frames):
            raise InputError(
                f"{folder} holds {len(frames)} {_kind(frames[0])} and as many {_kind(kind[0])} of "
                f"the same names, as {frames[0].name} and {twins[0].name}; keep one kind there."
            )
        frames += [path for path in kind if path.stem not in stems]
    return frames


def _kind(path: Path) -> str:
    return {".jpeg": ".jpg", ".tiff": ".tif"}.get(path.suffix.lower(), path.suffix.lower())
