"""Whether there may be a GPU is told without importing torch."""

import importlib.util
from pathlib import Path

import pytest

from masktrail.engines import gpu


@pytest.mark.parametrize(
    ("driver", "amd", "torch", "expected"),
    [
        (True, False, True, True),
        (False, True, True, True),
        (False, False, True, False),
        (True, True, False, False),
    ],
)
def test_a_driver_and_torch_are_needed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    driver: bool,
    amd: bool,
    torch: bool,
    expected: bool,
) -> None:
    def loads(name: str) -> None:
        if not driver:
            raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(gpu.sys, "platform", "linux")
    monkeypatch.setattr(gpu, "CDLL", loads)
    monkeypatch.setattr(gpu, "AMD", tmp_path if amd else tmp_path / "none")
    real = importlib.util.find_spec
    monkeypatch.setattr(gpu, "find_spec", lambda name: real(name) if torch else None)
    assert gpu.is_possible() == expected


def test_other_systems_have_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gpu.sys, "platform", "darwin")
    monkeypatch.setattr(gpu, "AMD", tmp_path / "none")
    assert not gpu.is_possible()
