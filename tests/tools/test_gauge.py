"""How busy a machine is said to be."""

import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gpu import gauge

GIB = 2**30


@pytest.mark.skipif(not Path("/proc/stat").is_file(), reason="only Linux tells")
def test_a_processor_tells_how_busy_it_has_been(monkeypatch: pytest.MonkeyPatch) -> None:
    assert re.fullmatch(
        r"CPU: (\d+ % busy, )?[\d.]+ of [\d.]+ GiB", gauge.gauge(torch.device("cpu"))()
    )
    ticks = iter([(100, 200), (150, 400), (150, 400)])
    monkeypatch.setattr(gauge, "_ticks", lambda: next(ticks))
    monkeypatch.setattr(gauge, "_memory", lambda: (6 * GIB, 8 * GIB))
    tell = gauge.gauge(torch.device("cpu"))
    assert tell() == "CPU: 75 % busy, 2.0 of 8.0 GiB"
    assert tell() == "CPU: 2.0 of 8.0 GiB", "no time has passed"


def test_where_nothing_is_told_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauge, "_ticks", lambda: (0, 0))
    monkeypatch.setattr(gauge, "_memory", lambda: None)
    assert gauge.gauge(torch.device("cpu"))() == ""


def test_a_gpu_is_asked_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(command: list[str], **how: object) -> SimpleNamespace:
        asked.append(command)
        return SimpleNamespace(stdout="97\n")

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (60 * GIB, 80 * GIB))
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(subprocess, "run", run)
    assert gauge.gauge(torch.device("cuda:1"))() == "GPU: 97 % busy, 20.0 of 80.0 GiB"
    assert asked[-1][0] == "nvidia-smi" and asked[-1][-1] == "--id=1"
    tell = gauge.gauge(torch.device("cuda"))
    tell()
    assert asked[-1][-1] == "--id=0"

    def missing(command: list[str], **how: object) -> None:
        raise FileNotFoundError(command[0])

    monkeypatch.setattr(subprocess, "run", missing)
    assert tell() == "GPU: 20.0 of 80.0 GiB"
