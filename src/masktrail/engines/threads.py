"""How many threads compute."""

import os


def threads() -> int:
    """As many as there are cores for this process, fewer where `OMP_NUM_THREADS` says so."""
    everywhere = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if everywhere else os.cpu_count() or 1
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(allowed)) if allowed.isdecimal() and int(allowed) else cores
