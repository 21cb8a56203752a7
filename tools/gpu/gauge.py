"""How busy a machine is, and how full its memory."""

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

GIB = 2**30

SMI = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]


def gauge(device: torch.device) -> Callable[[], str]:
    """A function that tells, in words, how busy `device` has been and how much of its memory is
    taken; what cannot be told is left out."""
    return partial(_graphics, device) if device.type == "cuda" else _Processor()


class _Processor:
    """Of all processors together, since it was last asked; Linux alone tells."""

    def __init__(self) -> None:
        self._before = _ticks()

    def __call__(self) -> str:
        now, memory = _ticks(), _memory()
        idle, total = (after - before for after, before in zip(now, self._before, strict=True))
        self._before = now
        busy = f"{100 * (1 - idle / total):.0f} % busy, " if total else ""
        return f"CPU: {busy}{_taken(*memory)}" if memory else ""


def _ticks() -> tuple[int, int]:
    """Time that was idle, and all."""
    file = Path("/proc/stat")
    if not file.is_file():
        return 0, 0
    fields = [int(field) for field in file.read_text().splitlines()[0].split()[1:9]]
    return fields[3] + fields[4], sum(fields)


def _memory() -> tuple[int, int] | None:
    """Bytes that are free, and all."""
    file = Path("/proc/meminfo")
    if not file.is_file():
        return None
    lines = dict(line.split(":") for line in file.read_text().splitlines())
    free, total = (int(lines[name].split()[0]) * 1024 for name in ("MemAvailable", "MemTotal"))
    return free, total


def _graphics(device: torch.device) -> str:
    try:
        memory = _taken(*torch.cuda.mem_get_info(device))
        index = device.index if device.index is not None else torch.cuda.current_device()
    except RuntimeError:
        return ""
    try:
        result = subprocess.run(
            [*SMI, f"--id={index}"], capture_output=True, text=True, check=True, timeout=10
        )
        busy = f"{int(result.stdout)} % busy, "
    except (OSError, subprocess.SubprocessError, ValueError):
        busy = ""
    return f"GPU: {busy}{memory}"


def _taken(free: int, total: int) -> str:
    return f"{(total - free) / GIB:.1f} of {total / GIB:.1f} GiB"
