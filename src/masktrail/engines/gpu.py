"""Whether there may be a GPU for torch: importing torch to ask takes longer than a short video."""

import sys
from ctypes import CDLL
from importlib.util import find_spec
from pathlib import Path

DRIVERS = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}
"""What every program loads that uses a GPU of NVIDIA, by system; it comes with the driver."""

AMD = Path("/dev/kfd")
"""The same of AMD, on Linux."""


def is_possible() -> bool:
    """Whether torch is installed and a driver is; what torch makes of it is to be asked of torch.

    Apple's is not taken unless it is asked for.
    """
    if find_spec("torch") is None:
        return False
    driver = DRIVERS.get(sys.platform)
    return AMD.exists() or (driver is not None and _loads(driver))


def _loads(driver: str) -> bool:
    try:
        CDLL(driver)
    except OSError:
        return False
    return True
