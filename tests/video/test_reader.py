"""Frames, times and complaints of every kind of source."""

import logging
import os
import weakref
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from masktrail.errors import InputError
from masktrail.types import Frame
from masktrail.video import open_video
from masktrail.video.container import ContainerSource
from masktrail.video.images import list_pictures
from painted_videos import Clip, PaintVideo, paint_clip, write_video

FORMATS: list[tuple[str, dict[str, Any]]] = [
    ("clip.mp4", {}),
    ("clip.mkv", {}),
    ("clip.avi", {"tone": "pcm_s16le"}),  # stores no presentation times, H.264 reorders
    ("clip.ts", {}),
    ("clip.webm", {"codec": "libvpx-vp9", "tone": "libopus"}),
    ("clip.mov", {"codec": "prores_ks", "pix_fmt": "yuv422p10le", "tone": "pcm_s16le"}),
    ("clip.gif", {"codec": "gif", "pix_fmt": "rgb8", "tone": None}),
    ("clip.h264", {"tone": None}),  # no times at all
]


def difference(one: Any, two: Any) -> float:
    return float(np.abs(np.asarray(one, np.float32) - np.asarray(two, np.float32)).mean())


@pytest.mark.parametrize(("name", "how"), FORMATS)
def test_every_frame_of_every_container_in_order(
    paint_video: PaintVideo, clip: Clip, name: str, how: dict[str, Any]
) -> None:
    with open_video(paint_video(name, **how)) as video:
        frames = list(video)
    assert video.loss is None
    assert [frame.index for frame in frames] == list(range(12))
    assert (video.info.width, video.info.height) == (96, 64)
    steps = np.diff([frame.time for frame in frames])
    assert np.allclose(steps, 1 / 25, atol=0.002)
    for frame, painted in zip(frames, clip.images, strict=True):
        assert frame.image.dtype == np.uint8 and frame.image.flags.c_contiguous
        assert difference(frame.image, painted) < (25 if name.endswith("gif") else 8)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Containers that were closed."""
    told, close = list[object](), ContainerSource.close

    def closing(self: ContainerSource) -> None:
        told.append(self)
        close(self)

    monkeypatch.setattr(ContainerSource, "close", closing)
    return told


def test_a_video_that_is_closed_ends_what_is_being_iterated(
    video_file: Path, closed: list[object]
) -> None:
    with open_video(video_file) as video:
        left, begun = iter(video), iter(video)
        assert next(begun).index == 0
    assert len(closed) == 1 and list(begun) == list(left) == []
    seen = []
    for frame in video:
        seen.append(frame.index)
        if frame.index == 3:
            video.close()
    assert seen == [0, 1, 2, 3] and len(closed) == 2
    assert len(list(video)) == 12, "it can be read again"
    backward = video.backward(5)
    assert next(backward).index == 5
    video.close()
    assert list(backward) == []


def test_what_closes_badly_is_told_and_all_else_is_closed(
    video_file: Path, closed: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, close = open_video(video_file), ContainerSource.close

    def failing(self: ContainerSource) -> None:
        close(self)
        raise ValueError("the disk is gone")

    first, second = iter(one), iter(one)
    assert next(first).index == next(second).index == 0
    monkeypatch.setattr(ContainerSource, "close", failing)
    with pytest.raises(ValueError, match="the disk is gone"):
        one.close()
    assert len(closed) == 2


def test_a_video_closed_before_a_thread_begins_gives_it_nothing(video_file: Path) -> None:
    video = open_video(video_file)
    frames = video._frames(video._closings)
    video.close()
    assert list(frames) == []


def test_a_video_that_another_thread_reads_is_closed_too(
    video_file: Path, closed: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    decode, busy, go_on = ContainerSource.frames, Event(), Event()

    def slow(self: ContainerSource, *span: Any) -> Iterator[Frame]:
        for frame in decode(self, *span):
            if frame.index == 2:
                busy.set()
                assert go_on.wait(30)
            yield frame

    monkeypatch.setattr(ContainerSource, "frames", slow)
    video, seen = open_video(video_file), list[int]()
    reader = Thread(target=lambda: seen.extend(frame.index for frame in video))
    reader.start()
    assert busy.wait(30)
    video.close()
    go_on.set()
    reader.join(30)
    assert seen == [0, 1] and len(closed) == 1


@pytest.mark.parametrize("source", [None, {1: 2}, {3}, 1.5, True, -1, "", b"clip.mp4"])
def test_what_is_no_source_is_refused(source: Any) -> None:
    with pytest.raises(InputError, match=r"is no video; give the path of a file or a folder, a U"):
        open_video(source)


@pytest.mark.parametrize(("name", "wrong"), [("start", 1.5), ("start", "1"), ("end", 2.0)])
def test_frames_are_asked_for_in_whole_numbers(video_file: Path, name: str, wrong: Any) -> None:
    with pytest.raises(InputError, match=f"The {name} {wrong!r} is no integer; give one, as 1"):
        open_video(video_file, **{name: wrong})
    assert len(list(open_video(video_file, np.int64(1), np.uint8(3)))) == 2


def test_a_video_says_what_it_is(video_file: Path) -> None:
    with open_video(video_file, 2, 7) as video:
        assert repr(video) == f"<Video {str(video_file)!r}, 96x64, frames 2:7>"


def test_info_is_known_before_the_first_frame(video_file: Path) -> None:
    with open_video(video_file) as video:
        info = video.info
    assert (info.frames, info.rate, info.has_audio) == (12, Fraction(25), True)
    assert info.source == str(video_file)
    assert video.expected == 12


def test_variable_frame_rate_keeps_every_time(paint_video: PaintVideo) -> None:
    pts = [0, 3000, 3600, 9000, 9100, 20000, 21000, 45000, 46000, 47000, 90000, 91234]
    path = paint_video(pts=pts, time_base=Fraction(1, 90000), tone=None)
    frames = list(open_video(path))
    assert [frame.pts for frame in frames] == pts
    assert frames[0].time_base == Fraction(1, 90000)


@pytest.mark.parametrize("degrees", [90, -90, 180])
def test_phone_rotation_is_applied(paint_video: PaintVideo, clip: Clip, degrees: int) -> None:
    video = open_video(paint_video(rotation=degrees))
    upright = np.rot90(clip.images[0], degrees // 90)
    assert (video.info.height, video.info.width) == upright.shape[:2]
    assert difference(next(iter(video)).image, upright) < 8


def test_odd_sizes(paint_video: PaintVideo) -> None:
    path = paint_video("odd.mkv", size=(95, 63), codec="ffv1", pix_fmt="bgr0", tone=None)
    frame = next(iter(open_video(path)))
    assert np.array_equal(frame.image, paint_clip(1, (95, 63)).images[0])


@given(start=st.integers(0, 11), length=st.none() | st.integers(1, 20))
@settings(max_examples=12)
def test_a_range_is_a_slice(
    tmp_path_factory: pytest.TempPathFactory, start: int, length: int | None
) -> None:
    path = tmp_path_factory.getbasetemp() / "range.mkv"
    if not path.exists():
        write_video(path, paint_clip().images, codec="ffv1", pix_fmt="bgr0", tone=None)
    end = None if length is None else start + length
    video = open_video(path, start, end)
    frames = list(video)
    expected = list(range(12))[start:end]
    assert [frame.index for frame in frames] == expected
    assert [frame.pts for frame in frames] == [index * 40 for index in expected]
    assert video.expected == len(expected)
    assert video.loss is None


def test_iterating_twice_starts_again(video_file: Path) -> None:
    video = open_video(video_file)
    first, again = list(video), list(video)
    assert len(first) == len(again) == 12
    assert np.array_equal(first[5].image, again[5].image)


def test_few_frames_are_alive(paint_video: PaintVideo) -> None:
    alive: list[weakref.ref[Frame]] = []
    most = 0
    for frame in open_video(paint_video(frames=80, size=(64, 48), tone=None)):
        alive = [ref for ref in alive if ref() is not None] + [weakref.ref(frame)]
        most = max(most, len(alive))
    assert most <= 2


def test_pictures_in_natural_order(picture_folder: Path, clip: Clip) -> None:
    (picture_folder / "notes.txt").write_text("not a picture")
    (picture_folder / ".3.png").write_bytes(b"hidden")
    video = open_video(picture_folder)
    frames = list(video)
    assert np.array_equal(np.stack([frame.image for frame in frames]), clip.images)
    assert [frame.pts for frame in frames] == list(range(12))
    assert (video.info.rate, video.info.frames) == (Fraction(25), 12)
    assert [f.index for f in open_video(picture_folder, 3, 5)] == [3, 4]


@given(st.sets(st.integers(0, 3000), min_size=1, max_size=20))
@settings(max_examples=20)
def test_numbers_sort_as_numbers(
    tmp_path_factory: pytest.TempPathFactory, numbers: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("numbers")
    for number in numbers:
        (folder / f"frame{number}.JPG").touch()
    found = [int(path.stem[5:]) for path in list_pictures(folder)]
    assert found == sorted(numbers)


@pytest.mark.parametrize("suffix", ["jpg", "JPEG", "webp", "bmp", "tif"])
def test_kinds_of_pictures(tmp_path: Path, clip: Clip, suffix: str) -> None:
    Image.fromarray(clip.images[0]).save(tmp_path / f"a.{suffix}", quality=95)
    assert difference(next(iter(open_video(tmp_path))).image, clip.images[0]) < 8


def test_pictures_of_other_modes_and_orientations(tmp_path: Path, clip: Clip) -> None:
    grey16 = clip.images[0, ..., 0].astype(np.uint16) * 257
    Image.fromarray(grey16).save(tmp_path / "a.png")
    turned = Image.fromarray(np.rot90(clip.images[1]).copy()).convert("RGBA")
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned clockwise
    turned.save(tmp_path / "b.png", exif=exif)
    grey, upright = list(open_video(tmp_path))
    assert np.array_equal(grey.image, np.repeat(clip.images[0, ..., :1], 3, -1))
    assert np.array_equal(upright.image, clip.images[1])


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("clip.mp4", {"faststart": True}),
        ("clip.mkv", {}),
        ("clip.avi", {"tone": "pcm_s16le"}),
        ("silent.webm", {"codec": "libvpx-vp9", "tone": None}),
    ],
)
def test_a_truncated_file_keeps_what_was_decoded(
    paint_video: PaintVideo, name: str, how: dict[str, Any]
) -> None:
    path = paint_video(name, frames=50, **how)
    os.truncate(path, path.stat().st_size * 6 // 10)
    video = open_video(path)
    frames = list(video)
    assert 5 < len(frames) < 50
    assert video.loss and "truncated" in video.loss and str(len(frames)) in video.loss


def test_a_cut_that_was_asked_for_is_no_loss(paint_video: PaintVideo) -> None:
    path = paint_video(faststart=True)
    os.truncate(path, path.stat().st_size * 8 // 10)
    video = open_video(path, 0, 3)
    assert len(list(video)) == 3
    assert video.loss is None


def test_sound_longer_than_the_picture_is_no_loss(paint_video: PaintVideo) -> None:
    for name in ("long.mp4", "long.mkv"):
        video = open_video(paint_video(name, tone_seconds=2.0))
        assert (len(list(video)), video.loss) == (12, None)


def test_video_over_http(video_file: Path) -> None:
    handler = partial(QuietHandler, directory=str(video_file.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        video = open_video(f"http://127.0.0.1:{server.server_port}/{video_file.name}")
        assert (len(list(video)), video.loss, video.info.has_audio) == (12, None, False)
        with pytest.raises(InputError, match="cannot be opened"):
            open_video(f"http://127.0.0.1:{server.server_port}/missing.mp4")
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder without writing about it."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _nothing(folder: Path) -> Path:
    return folder / "missing.mp4"


def _empty(folder: Path) -> Path:
    (folder / "empty.mp4").touch()
    return folder / "empty.mp4"


def _text(folder: Path) -> Path:
    (folder / "notes.txt").write_text("a shopping list\n" * 50)
    return folder / "notes.txt"


def _noise(folder: Path) -> Path:
    (folder / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    return folder / "noise.mp4"


def _picture(folder: Path) -> Path:
    Image.new("RGB", (64, 48)).save(folder / "one.png")
    return folder / "one.png"


def _empty_folder(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def _sound(folder: Path) -> Path:
    path = write_video(folder / "both.mp4", paint_clip(3).images)
    import av

    with av.open(str(path)) as both, av.open(str(folder / "song.m4a"), "w") as song:
        stream = song.add_stream_from_template(both.streams.audio[0])
        for packet in both.demux(both.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                song.mux(packet)
    return folder / "song.m4a"


def _index_at_the_end(folder: Path) -> Path:
    path = write_video(folder / "cut.mp4", paint_clip(12).images)
    os.truncate(path, path.stat().st_size * 6 // 10)
    return path


def _mixed_sizes(folder: Path) -> Path:
    Image.new("RGB", (64, 48)).save(folder / "1.png")
    Image.new("RGB", (60, 48)).save(folder / "2.png")
    return folder


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_nothing, "no file or folder"),
        (_empty, "empty"),
        (_text, "is text, not a video"),
        (_noise, "not a video"),
        (_picture, "single picture"),
        (_empty_folder, "holds no pictures"),
        (_sound, "no video stream"),
        (_index_at_the_end, "index is missing"),
        (_mixed_sizes, "2.png is 60x48 but 1.png is 64x48"),
    ],
)
def test_bad_input_gets_a_sentence(tmp_path: Path, make: Any, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        open_video(make(tmp_path))
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/a.mp4", "rtsp://127.0.0.1:9/a", 97])
def test_what_does_not_answer_gets_a_sentence(url: str | int) -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        open_video(url)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_gets_a_sentence(video_file: Path) -> None:
    video_file.chmod(0)
    with pytest.raises(InputError, match="permissions"):
        open_video(video_file)


@pytest.mark.parametrize(("start", "end"), [(-1, None), (3, 3), (5, 2)])
def test_empty_range_gets_a_sentence(video_file: Path, start: int, end: int | None) -> None:
    with pytest.raises(InputError, match="asked for"):
        open_video(video_file, start, end)


def test_start_beyond_the_end(video_file: Path, picture_folder: Path) -> None:
    for source in (video_file, picture_folder):
        with pytest.raises(InputError, match="ends before frame 12"):
            list(open_video(source, 12))


def test_the_stream_that_players_show_is_taken(
    paint_video: PaintVideo, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    small, large = (paint_video(f"{w}.mkv", size=(w, 48), tone=None) for w in (64, 96))
    path = tmp_path / "two.mkv"
    with av.open(str(small)) as one, av.open(str(large)) as other, av.open(str(path), "w") as two:
        for source, kind in ((one, 0), (other, av.stream.Disposition.default)):
            copied: Any = two.add_stream_from_template(source.streams.video[0])
            copied.disposition = kind
        for place, source in enumerate((one, other)):
            for packet in source.demux():
                if packet.size:
                    packet.stream = two.streams[place]
                    two.mux(packet)
    with caplog.at_level(logging.WARNING):
        video = open_video(path)
    assert (video.info.width, len(list(video))) == (96, 12)
    assert "holds 2 video streams" in caplog.text and "number 2 of 96x48" in caplog.text


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".ts"])
def test_frames_that_a_decoder_holds_back_come_where_sound_is_first(
    paint_video: PaintVideo, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"sound_first{suffix}"
    with av.open(str(paint_video(f"plain{suffix}"))) as plain, av.open(str(path), "w") as turned:
        order = [plain.streams.audio[0], plain.streams.video[0]]
        copies: dict[int, Any] = {s.index: turned.add_stream_from_template(s) for s in order}
        for packet in plain.demux():
            if packet.size:
                packet.stream = copies[packet.stream_index]
                turned.mux(packet)
    video = open_video(path)
    assert (len(list(video)), video.loss) == (12, None)
