"""What a run leaves beside its results: `run.json`, and the figures in it."""

import hashlib
import platform
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from masktrail.run.plan import Plan
from masktrail.types import Box, Mask, Prompt
from masktrail.video.reader import Video


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    packages = ("masktrail", "torch", "numpy", "av", "pillow")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def peak_memory_mb() -> float | None:
    """Largest resident memory of this process so far, MiB; None where the system does not tell."""
    try:  # `ru_maxrss` would count the process that started this one too
        own = re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())
    except OSError:
        own = None
    if own:
        return int(own[1]) / 2**10
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def fingerprint(video: Video) -> dict[str, Any]:
    """What tells a video from another one, wherever it lies."""
    info, path = video.info, Path(video.info.source)
    size = path.stat().st_size if path.is_file() else None
    return {"size": [info.width, info.height], "frames": info.frames, "bytes": size}


def told_prompts(plan: Plan) -> dict[int, Any]:
    """Prompts as `run.json` holds them: by object id where they are for the first frame alone."""
    told = {
        frame: {i: _told(prompt) for i, prompt in of.items()} for frame, of in plan.prompts.items()
    }
    return told[plan.start] if plan.last == plan.start else told


def _told(prompt: Prompt) -> Any:
    if isinstance(prompt, Mask):
        return {"mask": hashlib.sha256(prompt.mask.tobytes()).hexdigest()[:16]}
    if isinstance(prompt, Box):
        return [prompt.x0, prompt.y0, prompt.x1, prompt.y1]
    clicks = [[*point, int(on)] for point, on in zip(prompt.points, prompt.labels, strict=True)]
    box = {"box": _told(prompt.box)} if prompt.box else {}
    return {"points": clicks, **box, **(_told(prompt.mask) if prompt.mask else {})}
