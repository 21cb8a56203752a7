"""What is printed of networks in training."""

from types import SimpleNamespace
from typing import Any

import pytest

from gpu.learner import Report
from gpu.progress_table import forecast, samples_per_second, table


def job(
    name: str, *reports: Report, failure: str = "", around: tuple[float, float] = (0, 0)
) -> Any:
    task = SimpleNamespace(name=name)
    return SimpleNamespace(task=task, reports=list(reports), failure=failure, seconds=list(around))


def report(minutes: float, clips: int) -> Report:
    return Report(clips // 10, clips, minutes, 0.25, 3 * 2**29)


def test_speed_is_that_of_late() -> None:
    assert samples_per_second([]) == 0
    assert samples_per_second([report(0.5, 60)]) == pytest.approx(2)
    slow = [report(n, 60 * n) for n in range(5)]
    fast = [report(4 + n, 240 + 600 * n) for n in range(1, 4)]
    assert samples_per_second([*slow, *fast]) == pytest.approx(10)


def test_a_line_for_every_network() -> None:
    jobs = [
        job("memory-s", report(1, 120), report(2, 240)),
        job("unet"),
        job("prompt", report(1, 60), failure="too large"),
    ]
    head, first, second, third = table(jobs, "GPU: 97 % busy, 20.1 of 79.6 GiB").splitlines()
    assert head.split()[:6] == ["minutes", "network", "step", "samples/s", "loss", "memory"]
    assert head.endswith("GPU: 97 % busy, 20.1 of 79.6 GiB")
    assert first.split() == ["2.0", "memory-s", "24", "2.0", "0.2500", "1.5", "GiB"]
    assert second.split() == ["unet", "begins"]
    assert third.split() == ["prompt", "too", "large"]


def test_what_a_full_run_takes() -> None:
    """Side by side the slowest to begin and end counts, one after the other all of them do."""
    jobs = [
        job("memory-s", report(1, 120), around=(30, 60)),
        job("unet", report(1, 60), around=(12, 18)),
        job("broken", failure="too large", around=(600, 600)),
    ]
    assert forecast(jobs, 8, 6, at_once=True).splitlines() == [
        "memory-s: 30 s to begin, 2.0 samples/s, 60 s to end, 1.5 GiB",
        "unet: 12 s to begin, 1.0 samples/s, 18 s to end, 1.5 GiB",
        "A full run takes 9.6 minutes: 0.1 to prepare, 8.0 of training, 1.5 to begin and to end.",
    ]
    one_by_one = forecast(jobs, 8, 6, at_once=False).splitlines()[-1]
    assert one_by_one.startswith("A full run takes 18.1 minutes: 0.1 to prepare, 16.0 of training")
    assert "takes 0.1 minutes" in forecast(jobs[2:], 8, 6, at_once=False)
