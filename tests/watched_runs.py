"""Runs that are ended on the way, and what of them was tracked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from masktrail.run import loop


class Stopped(Exception):
    """What ends a run."""


def stop_after(frames: int) -> Callable[[int, int | None], None]:
    """A progress that ends a run after so many frames."""

    def progress(done: int, expected: int | None) -> None:
        if done == frames:
            raise Stopped

    return progress


def masks_of(out: Path) -> list[bytes]:
    """The label maps that a run left, in order."""
    return [path.read_bytes() for path in sorted((out / "masks").iterdir())]


def count_steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Fills with the frames that are tracked from now on."""
    stepped: list[int] = []
    real = loop.ForwardPass.step

    def step(self: Any, frame: Any, seen: Any) -> Any:
        stepped.append(frame.index)
        return real(self, frame, seen)

    monkeypatch.setattr(loop.ForwardPass, "step", step)
    return stepped
