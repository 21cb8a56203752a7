"""What this machine's processor computes fast, by its instructions."""

import os
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

LIMIT = "ONEDNN_MAX_CPU_ISA"
"""Variable that keeps oneDNN, which computes for OpenVINO and torch, from newer instructions."""

ALLOWED = {
    **dict.fromkeys(("SSE41", "AVX"), ()),
    **dict.fromkeys(("AVX2", "AVX2_VNNI", "AVX2_VNNI_2"), ("avx2",)),
    **dict.fromkeys(("AVX512_CORE", "AVX512_CORE_VNNI"), ("avx2",)),
    **dict.fromkeys(("AVX512_CORE_BF16", "AVX512_CORE_FP16"), ("avx2", "avx512_bf16")),
}
"""What its values leave of the instruction sets that count here; any other leaves all."""


@cache
def instructions() -> frozenset[str]:
    """Names of the instruction sets that count here, as Linux calls them, but for those that
    `LIMIT` forbids; on other systems AVX2 where the processor is of the kind that has it."""
    limit = os.environ.get(LIMIT, "").upper()
    return _there().intersection(ALLOWED.get(limit, [name for name, _ in PREFERENCES]))


def _there() -> frozenset[str]:
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
