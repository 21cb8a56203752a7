"""Cameras, streams and pipes: the newest frame wins, nothing queues, and its age is known."""

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
from masktrail.video import live, open_video
from masktrail.video.container import ContainerSource
from masktrail.video.live import NewestFrame, RealTime
from painted_videos import PaintVideo, through_pipe

PAUSE = 9
LONG = 60.0
"""Seconds after which nothing comes any more."""


class Camera:
    """A live source of twenty frames, as fast as can be, but for a pause when `PAUSE` was given."""

    def __init__(self, info: VideoInfo) -> None:
        self.info, self.loss, self.closed, self.repeatable = info, None, False, False
        self.pausing, self.going_on = threading.Event(), threading.Event()

    def frames(self, start: int, end: int | None) -> Iterator[Frame]:
        for index in range(start, 20):
            yield Frame(np.zeros((48, 64, 3), np.uint8), index, index, Fraction(1, 25))
            if index == PAUSE:
                self.pausing.set()
                self.going_on.wait(LONG)

    def backward(self, start: int, last: int, tick: object = None) -> Iterator[Frame]:
        raise AssertionError("a camera cannot be read backwards")

    def close(self) -> None:
        self.closed = True


def test_a_live_source_drops_what_nobody_waited_for(video_file: Path) -> None:
    camera = Camera(open_video(video_file).info)
    newest = NewestFrame(camera)
    frames = newest.frames()
    assert next(frames).index == 0
    assert camera.pausing.wait(LONG)
    assert next(frames).index == PAUSE
    camera.going_on.set()
    rest = [frame.index for frame in frames]
    newest.close()
    assert rest == sorted(set(rest)) and rest[-1] == 19
    assert camera.closed


def test_a_live_source_can_be_left_early(video_file: Path) -> None:
    camera = Camera(open_video(video_file).info)
    camera.going_on.set()
    newest = NewestFrame(camera)
    assert next(newest.frames()).index == 0
    newest.close()
    assert newest._thread is not None
    newest._thread.join(LONG)
    assert camera.closed


class Clock:
    """Stands in for `time`: it moves when somebody sleeps, or is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("work", [0.0, 0.15])
def test_a_recording_played_live_gives_frames_when_they_are_due(
    paint_video: PaintVideo, monkeypatch: pytest.MonkeyPatch, work: float
) -> None:
    """Or as soon as a caller is ready who needs longer than that."""
    clock = Clock()
    monkeypatch.setattr(live, "time", clock)
    due = 0.0
    for frame in RealTime(ContainerSource(str(paint_video(tone=None)))).frames():
        assert clock.now - 100 == pytest.approx(max(due, frame.time))
        clock.now += work
        due = clock.now - 100


def test_a_frame_says_when_it_came(video_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, camera = Clock(), Camera(open_video(video_file).info)
    monkeypatch.setattr(live, "time", clock)
    frames = NewestFrame(camera).frames()
    assert next(frames).arrived == 100
    assert camera.pausing.wait(LONG)
    clock.now = 107.0
    camera.going_on.set()
    assert [frame.arrived for frame in frames][-1] == 107


def test_a_slow_tracker_skips_frames_of_a_recording_played_live(paint_video: PaintVideo) -> None:
    began, indices = time.monotonic(), []
    for frame in open_video(paint_video(frames=30, tone=None), live=True):
        indices.append(frame.index)
        time.sleep(0.3)
    assert time.monotonic() - began > 1.1  # as long as it takes to show it
    assert indices == sorted(set(indices)) and (indices[0], indices[-1]) == (0, 29)
    assert len(indices) < 30


def test_a_recording_is_no_live_source_unless_asked(video_file: Path) -> None:
    video = open_video(video_file)
    assert video.repeatable and all(frame.arrived is None for frame in video)


@pytest.fixture
def pipe(tmp_path: Path, paint_video: PaintVideo) -> Path:
    """A named pipe through which a film of twelve frames comes."""
    return through_pipe(tmp_path / "pipe.ts", paint_video("film.ts", tone=None).read_bytes())


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
