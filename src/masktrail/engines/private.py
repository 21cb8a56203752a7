"""Importing what would tell its makers of it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

TELEMETRY = "openvino_telemetry"
"""The package by which OpenVINO and NNCF send that they are imported, and by whom; it writes an id
into the home folder. Without it both do the same."""


@contextmanager
def untold() -> Iterator[None]:
    """What is imported meanwhile finds nothing to tell by."""
    there = TELEMETRY in sys.modules
    before = sys.modules.get(TELEMETRY)
    sys.modules[TELEMETRY] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[TELEMETRY]
        if there and before is not None:
            sys.modules[TELEMETRY] = before
