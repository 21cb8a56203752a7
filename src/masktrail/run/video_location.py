"""Where the video of a run lies, found again from any folder and after both were moved."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from masktrail.errors import InputError
from masktrail.video.names import is_url, local


def describe(source: str | os.PathLike[str] | int, run: Path) -> dict[str, str]:
    """What a run writes down of its video: as it was named, and where that was.

    Args:
        source: whatever `open_video` opens.
        run: folder of the run.
    """
    name = local(source)
    if not os.path.exists(name):  # a camera, a URL, a pipe that is standard input
        return {"source": str(source)}
    path = Path(name).resolve()
    try:
        beside = Path(os.path.relpath(path, run.resolve())).as_posix()
    except ValueError:  # on another drive of Windows
        return {"source": str(source), "path": str(path)}
    return {"source": str(source), "path": str(path), "beside": beside}


def places(about: Mapping[str, Any], run: Path) -> list[str]:
    """Where the video of a run may lie: from the run's folder, where it was, as it was named.

    Args:
        about: what the run's journal tells.
        run: its folder, which may have been moved.

    Raises:
        InputError: it is at none of these places.
    """
    source = str(about["source"])
    candidates = [about.get("path", source), source]
    if "beside" in about:
        candidates.insert(0, os.path.normpath(run.resolve() / about["beside"]))
    existing = [place for place in dict.fromkeys(candidates) if os.path.exists(place)]
    if not existing and is_url(source):
        return [source]
    if not existing:
        raise InputError(
            f"The video of the run in {run} is no longer at {candidates[-2]}; say where it lies "
            'now, as video="clip.mp4".'
        )
    return existing
