"""Where the video of a run lies, found again from any folder and after both were moved."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from masktrail.errors import InputError
from masktrail.video.names import local


def told(source: str | Path | int, run: Path) -> dict[str, str]:
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


def find(about: Mapping[str, Any], run: Path) -> str:
    """The video of a run: from the run's folder, where it was, or as it was named.

    Args:
        about: what the run's journal tells.
        run: its folder, which may have been moved.

    Raises:
        InputError: it is at none of these places.
    """
    source = str(about["source"])
    places = [about.get("path", source), source]
    if "beside" in about:
        places.insert(0, os.path.normpath(run.resolve() / about["beside"]))
    found = next((place for place in places if os.path.exists(place)), None)
    if found is None and "path" in about:
        raise InputError(
            f"The video of the run in {run} is no longer at {about['path']}; say where it lies "
            "now with --video."
        )
    return found or source
