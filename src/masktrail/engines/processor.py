"""What this machine's processor computes fast, by its instructions."""

import platform
from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
"""Where Linux tells."""

PREFERENCES = (
    ("amx_bf16", ("bfloat16", "int8", "float")),
    ("avx512_bf16", ("int8", "bfloat16", "float")),
    ("avx2", ("int8", "float")),
)
"""Precisions by an instruction set, the best one first, from measurements in docs/engines.md;
the first that a processor has counts."""


@cache
def instructions() -> frozenset[str]:
    """Names of the instruction sets that count here, as Linux calls them; on other systems AVX2
    where the processor is of the kind that has it."""
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    try:
        lines = CPUINFO.read_text().splitlines()
    except OSError:
        return frozenset({"avx2"} if x86 else ())
    flags = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(flags.partition(":")[2].split()) & {name for name, _ in PREFERENCES}


def precisions() -> tuple[str, ...]:
    """Those that this processor is fast in, the best one first."""
    has = instructions()
    return next((order for name, order in PREFERENCES if name in has), ("float",))
