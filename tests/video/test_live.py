"""Cameras, streams and pipes: the newest frame wins, nothing queues, and its age is known."""

import os
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from masktrail.errors import InputError
from masktrail.types import Frame, VideoInfo
from masktrail.video import open_video
from masktrail.video.live import NewestFrame
from painted_videos import PaintVideo


class Camera:
    """A live source of twenty frames, faster than anyone can use them."""

    def __init__(self, info: VideoInfo) -> None:
        self.info, self.loss, self.closed, self.repeatable = info, None, False, False

    def frames(self, start: int, end: int | None) -> Iterator[Frame]:
        for index in range(start, 20):
            yield Frame(np.zeros((48, 64, 3), np.uint8), index, index, Fraction(1, 25))

    def backward(self, start: int, last: int) -> Iterator[Frame]:
        raise AssertionError("a camera cannot be read backwards")

    def close(self) -> None:
        self.closed = True


def test_a_live_source_drops_what_nobody_waited_for(video_file: Path) -> None:
    camera = Camera(open_video(video_file).info)
    newest = NewestFrame(camera)
    seen = []
    for frame in newest.frames():
        seen.append(frame.index)
        time.sleep(0.05)
    newest.close()
    assert seen == sorted(set(seen)) and len(seen) < 20
    assert (seen[0], seen[-1]) == (0, 19)
    assert camera.closed


def test_a_live_source_can_be_left_early(video_file: Path) -> None:
    camera = Camera(open_video(video_file).info)
    newest = NewestFrame(camera)
    assert next(newest.frames()).index == 0
    newest.close()
    assert camera.closed


def ages(frames: Iterator[Frame], seconds: float) -> tuple[list[int], list[float]]:
    """Indices of the frames a caller gets who needs `seconds` for each, and their ages then."""
    indices, old = [], []
    for frame in frames:
        assert frame.arrived is not None
        time.sleep(seconds)
        indices.append(frame.index)
        old.append(time.monotonic() - frame.arrived)
    return indices, old


def test_a_slow_tracker_skips_frames_of_a_recording_played_live(paint_video: PaintVideo) -> None:
    path = paint_video(frames=30, tone=None)
    began = time.monotonic()
    indices, old = ages(iter(open_video(path, live=True)), 0.15)
    assert indices[0] == 0 and indices[-1] == 29
    assert 4 <= len(indices) <= 12
    assert time.monotonic() - began > 1.1  # as long as it takes to show it
    assert max(old[1:]) < 0.6  # the work and a wait for the one before, never a queue


def test_a_recording_is_no_live_source_unless_asked(video_file: Path) -> None:
    video = open_video(video_file)
    assert video.repeatable and all(frame.arrived is None for frame in video)


@pytest.fixture
def pipe(tmp_path: Path, paint_video: PaintVideo) -> Iterator[Path]:
    """A named pipe through which a film of twelve frames comes."""
    film = paint_video("film.ts", tone=None).read_bytes()
    fifo = tmp_path / "pipe.ts"
    os.mkfifo(fifo)
    sender = threading.Thread(target=fifo.write_bytes, args=(film,), daemon=True)
    sender.start()
    yield fifo
    sender.join(timeout=5)


def test_a_named_pipe_is_read_once_without_loss(pipe: Path) -> None:
    video = open_video(pipe)
    assert not video.repeatable
    assert [frame.index for frame in video] == list(range(12))


def test_a_pipe_has_no_way_back(pipe: Path) -> None:
    video = open_video(pipe)
    list(video)
    with pytest.raises(InputError, match="is live or a pipe and cannot be read backwards"):
        list(video.backward(3))


COUNT = """
import sys
from masktrail.video import open_video
video = open_video("-")
print(video.repeatable, *(frame.index for frame in video), video.info.width)
"""


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("film.ts", {}),
        ("film.mkv", {}),
        ("film.y4m", {"codec": "wrapped_avframe"}),
    ],
)
def test_standard_input_is_a_video(paint_video: PaintVideo, name: str, how: dict[str, str]) -> None:
    film = paint_video(name, tone=None, **how)
    with film.open("rb") as sent:
        done = subprocess.run(
            [sys.executable, "-c", COUNT], stdin=sent, capture_output=True, text=True, check=True
        )
    assert done.stdout.split() == ["False", *map(str, range(12)), "96"]


def test_noise_on_standard_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = subprocess.run(
        [sys.executable, "-c", "from masktrail.video import open_video; open_video('-')"],
        input=np.random.default_rng(0).bytes(5000),
        capture_output=True,
    )
    assert b"What comes through the pipe is no video" in noise.stderr


def test_a_live_source_says_that_it_cannot_go_back(video_file: Path) -> None:
    with pytest.raises(InputError, match="is live and cannot be read backwards"):
        list(NewestFrame(Camera(open_video(video_file).info)).backward(0, 3))


def test_the_example_prints_what_is_there_and_how_old(
    paint_video: PaintVideo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from fake import fake_tracker

    path = paint_video(frames=10, tone=None)
    monkeypatch.setattr("masktrail.load", lambda *a, **k: fake_tracker(), raising=False)
    monkeypatch.setattr(sys, "argv", ["live.py", str(path), "--box", "8,8,40,40"])
    example = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "live.py"))
    example["main"]()
    lines = capsys.readouterr().out.splitlines()
    assert 2 <= len(lines) <= 10
    assert lines[0].startswith("frame      0  present  score 1.00  box (8, 8, 40, 40)  latency")
    assert all(" ms  dropped " in line for line in lines)
