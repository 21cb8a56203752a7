"""Figures of a run: versions, memory."""

import platform
import re
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def versions() -> dict[str, str]:
    """Versions of what a result may depend on, of what is installed of it."""
    found = {"python": platform.python_version()}
    for name in ("masktrail", "numpy", "av", "pillow", "openvino", "onnxruntime", "torch"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def peak_memory_mb() -> float | None:
    """Largest resident memory of this process so far, MiB; None where the system does not tell."""
    try:  # `ru_maxrss` would count the process that started this one too
        match = re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())
    except OSError:
        match = None
    if match:
        return int(match[1]) / 2**10
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
