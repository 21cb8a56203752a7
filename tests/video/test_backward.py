"""Reading backwards: the frames that reading forwards gives, few alive, whatever the file."""

import weakref
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from masktrail.errors import InputError
from masktrail.types import Frame
from masktrail.video import index as indexing
from masktrail.video import open_video
from masktrail.video.container import ContainerSource
from masktrail.video.seek import File
from painted_videos import PaintVideo


def check_mirrored(path: Path, last: int, start: int = 0) -> None:
    """Backwards is forwards from its end, bit for bit and time for time."""
    video = open_video(path, start)
    forwards = list(islice(video, last - start + 1))
    backwards = list(video.backward(last))
    assert [f.index for f in backwards] == list(range(last, start - 1, -1))
    for one, other in zip(reversed(forwards), backwards, strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        assert (one.index, one.pts, one.time_base, one.duration) == (
            other.index, other.pts, other.time_base, other.duration,
        )  # fmt: skip


FORMATS: list[tuple[str, dict[str, Any]]] = [
    ("long.mp4", {"options": {"g": "250"}}),
    ("short.mp4", {"options": {"g": "7", "bf": "3"}}),
    ("open.mkv", {"options": {"g": "9", "x264-params": "open-gop=1:bframes=3"}}),
    ("intra.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p", "tone": None}),
    ("old.avi", {"codec": "mpeg4", "options": {"g": "6"}, "tone": None}),
    ("stream.ts", {"options": {"g": "8", "bf": "2"}, "tone": None}),
    ("turned.mov", {"rotation": 90, "options": {"g": "5"}}),
    ("odd.webm", {"codec": "libvpx", "options": {"g": "10"}, "tone": None}),
]


@pytest.mark.parametrize(("name", "how"), FORMATS, ids=[name for name, _ in FORMATS])
def test_backwards_is_forwards_mirrored(
    paint_video: PaintVideo, monkeypatch: pytest.MonkeyPatch, name: str, how: dict[str, Any]
) -> None:
    monkeypatch.setattr(indexing, "ROOM", 6)
    check_mirrored(paint_video(name, frames=25, **how), last=23)


def test_times_of_a_variable_frame_rate_are_kept(paint_video: PaintVideo) -> None:
    pts = [0, 40, 50, 200, 210, 500, 501, 1000, 1010, 1500, 1501, 1600]
    path = paint_video("vfr.mkv", pts=pts, time_base=Fraction(1, 1000), tone=None)
    check_mirrored(path, last=11, start=2)


def test_a_folder_goes_backwards_too(picture_folder: Path) -> None:
    check_mirrored(picture_folder, last=9, start=3)


def test_key_frames_save_decoding(paint_video: PaintVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "ROOM", 10)
    path = paint_video(frames=60, tone=None, options={"g": "8", "bf": "0"})
    decoded = []
    real = ContainerSource.raw_from
    opened = []
    monkeypatch.setattr(
        ContainerSource, "raw_from", lambda self, pts: map(_noting(decoded), real(self, pts))
    )
    real_open = ContainerSource.__init__
    monkeypatch.setattr(
        ContainerSource,
        "__init__",
        lambda self, *a, **k: (opened.append(1), real_open(self, *a, **k))[1],
    )
    check_mirrored(path, last=55)
    assert 40 < len(decoded) <= 56
    assert len(opened) == 4  # forwards, to seek in, counting, the first chunk of all


def _noting(into: list[int]) -> Any:
    return lambda frame: (into.append(1), frame)[1]


def test_a_seek_that_lands_elsewhere_is_noticed(
    paint_video: PaintVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "ROOM", 8)
    real = ContainerSource.raw_from

    def astray(self: ContainerSource, pts: int) -> Any:
        frames = list(real(self, 0))
        for frame in frames[1:]:
            frame.pts = (frame.pts or 0) + 512 * 5
        return iter(frames)

    monkeypatch.setattr(ContainerSource, "raw_from", astray)
    check_mirrored(paint_video(frames=30, tone=None, options={"g": "8"}), last=29)


def test_few_frames_are_alive(paint_video: PaintVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[Frame]] = []
    most = 0
    for frame in open_video(paint_video(frames=40, tone=None)).backward(39):
        alive = [ref for ref in alive if ref() is not None] + [weakref.ref(frame)]
        most = max(most, len(alive))
        del frame
    assert most <= 2


def test_chunks_are_bounded_by_frames_and_by_bytes(paint_video: PaintVideo) -> None:
    path = paint_video(frames=100, tone=None, options={"g": "300"})
    recording = File(ContainerSource(str(path)))
    recording.count(100)
    index = recording._counting.index
    assert (len(index), index.keys) == (100, [(0, 0)])
    assert index.chunk(0, 100) == 36 and index.chunk(50, 100) == 50 and index.chunk(0, 20) == 0
    index.frame_bytes = indexing.ROOM_BYTES // 3
    assert index.chunk(0, 100) == 97
    recording.close()


def test_what_is_not_there_is_told(paint_video: PaintVideo, picture_folder: Path) -> None:
    for path in (paint_video(tone=None), picture_folder):
        with pytest.raises(InputError, match=r"ends with (frame|picture) 11"):
            list(open_video(path).backward(12))


def test_live_sources_have_no_way_back(paint_video: PaintVideo) -> None:
    video = open_video(paint_video(tone=None), live=True)
    assert not video.repeatable
    with pytest.raises(InputError, match="is live or a pipe and cannot be read backwards"):
        list(video.backward(3))
