"""Times of frames: as they are told, mended where they cannot be meant."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masktrail.video import open_video
from masktrail.video.clock import AT_ONCE, Clock, finer
from painted_videos import paint_clip, write_video


def times(told: list[int | None], duration: int = 40, **how: Any) -> list[int]:
    frames = [SimpleNamespace(pts=pts, dts=pts) for pts in told]
    given = list(Clock(how.pop("by_dts", False), duration, **how).timed(iter(frames)))
    assert [frame for frame, _ in given] == frames
    return [time for _, time in given]


@pytest.mark.parametrize(
    ("told", "right"),
    [
        ([0, 40, 90, 120], [0, 40, 90, 120]),
        ([7, 47, 200], [7, 47, 200]),
        ([0, 40, 40, 80, 120], [0, 40, 60, 80, 120]),  # told twice
        ([0, 40, 40, 40, 100, 140], [0, 40, 60, 80, 100, 140]),
        ([0, 40, 10, 80, 120], [0, 40, 60, 80, 120]),  # too early
        ([0, 40, 40, 500], [0, 40, 80, 500]),  # before a pause
        ([0, 40, 40], [0, 40, 80]),
        ([0, 40, None, 120], [0, 40, 80, 120]),
        ([None, None, None], [0, 40, 80]),
        ([5, 45, 45, 46, 90], [5, 45, 46, 68, 90]),  # no room between
    ],
)
def test_a_mended_time_moves_nothing_but_itself(told: list[int | None], right: list[int]) -> None:
    assert times(told) == right


def test_where_time_begins_anew_it_goes_on() -> None:
    first = [1000 + 40 * i for i in range(12)]
    assert times(first * 3) == [1000 + 40 * i for i in range(36)]
    assert len(first) > AT_ONCE


def test_times_of_decoding_begin_at_zero() -> None:
    assert times([3, 4, 6, None, 8], duration=1, by_dts=True) == [0, 1, 3, 4, 5]


def test_every_frame_has_a_time_of_its_own_in_a_finer_unit() -> None:
    assert finer(Fraction(1, 1000), Fraction(25)) == 1
    assert finer(Fraction(1, 1000), Fraction(2000)) == 2
    assert finer(Fraction(1, 90000), Fraction(24000, 1001)) == 1
    assert times([0, 0, 1, 1, 2, 2], duration=1, parts=2) == [0, 1, 2, 3, 4, 5]


@given(st.lists(st.none() | st.integers(-200, 2000), min_size=1, max_size=40), st.integers(1, 50))
def test_times_always_increase(told: list[int | None], duration: int) -> None:
    found = times(told, duration)
    assert all(one < other for one, other in pairwise(found))


def test_frames_faster_than_the_clock_of_a_container(tmp_path: Path) -> None:
    images = paint_clip(16).images
    path = write_video(tmp_path / "fast.mkv", images, codec="ffv1", rate=2000, tone=None)
    video = open_video(path)
    spans = [frame.time for frame in video]
    assert spans == pytest.approx([i / 2000 for i in range(16)], abs=0.0006)
    backward = [frame.pts for frame in open_video(path).backward(15)]
    assert backward == [frame.pts for frame in open_video(path)][::-1]


@pytest.mark.parametrize("codec", ["mpeg4", "libx264", "mpeg2video"])
def test_b_frames_of_an_avi_come_in_order_and_in_time(tmp_path: Path, codec: str) -> None:
    """The container tells when pictures are decoded, not when they are shown."""
    clip = paint_clip(20, (96, 64)).images
    path = write_video(tmp_path / "a.avi", clip, codec=codec, options={"bf": "2"}, tone="mp2")
    with av.open(str(path)) as container:
        kinds = {int(picture.pict_type) for picture in container.decode(video=0)}
    assert int(av.video.frame.PictureType.B) in kinds
    frames = list(open_video(path))
    assert [frame.time for frame in frames] == [index / 25 for index in range(20)]
    for frame in frames:
        off = np.abs(clip.astype(int) - frame.image).mean((1, 2, 3))
        assert off.argmin() == frame.index
