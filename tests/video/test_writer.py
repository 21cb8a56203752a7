"""What the writer keeps of its source: times, sound, colours; and what it never leaves behind."""

import errno
import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masktrail.errors import InputError
from masktrail.types import Frame, VideoInfo
from masktrail.video import VideoWriter, audio, open_video
from painted_videos import PaintVideo, paint_clip

SIZE = (64, 48)


def copy(source: Path, target: Path, start: int = 0, end: int | None = None) -> Path:
    with open_video(source, start, end) as video, VideoWriter(target, video.info) as writer:
        for frame in video:
            writer.write(frame.image, frame)
    return target


def sound(path: Path) -> list[tuple[bytes, float]]:
    """Audio packets and when they begin, in seconds."""
    with av.open(str(path)) as container:
        packets: list[Any] = [p for p in container.demux(audio=0) if p.size]
        return [(bytes(p), float(p.pts * p.time_base)) for p in packets]


def silent(frames: int = 5, base: Fraction = Fraction(1, 25)) -> VideoInfo:
    return VideoInfo("nowhere", *SIZE, 1 / base, base, frames=frames)


def write_pts(path: Path, pts: list[int], durations: list[int], base: Fraction) -> None:
    images = paint_clip(len(pts), SIZE).images
    with VideoWriter(path, silent(len(pts), base)) as writer:
        for index, image in enumerate(images):
            writer.write(image, Frame(image, index, pts[index], base, durations[index]))


@given(st.lists(st.integers(500, 90000), min_size=1, max_size=12))
@settings(max_examples=12)
def test_times_and_durations_survive(
    tmp_path_factory: pytest.TempPathFactory, durations: list[int]
) -> None:
    path = tmp_path_factory.getbasetemp() / "times.mp4"
    pts = [sum(durations[:index]) for index in range(len(durations))]
    write_pts(path, pts, durations, Fraction(1, 90000))
    frames = list(open_video(path))
    assert [frame.pts for frame in frames] == pts
    assert [frame.duration for frame in frames] == durations


@pytest.mark.parametrize("base", [Fraction(1, 1000), Fraction(1001, 30000), Fraction(1, 24)])
def test_other_time_bases(tmp_path: Path, base: Fraction) -> None:
    write_pts(tmp_path / "a.mp4", [0, 40, 90, 100], [40, 50, 10, 30], base)
    frames = list(open_video(tmp_path / "a.mp4"))
    times = [float(base * pts) for pts in (0, 40, 90, 100)]
    assert [frame.time for frame in frames] == pytest.approx(times)


def test_variable_frame_rate_of_a_file_survives(paint_video: PaintVideo, tmp_path: Path) -> None:
    pts = [0, 3000, 3600, 9000, 9100, 20000, 21000, 45000, 46000, 47000, 90000, 91234]
    source = paint_video(pts=pts, time_base=Fraction(1, 90000))
    frames = list(open_video(copy(source, tmp_path / "out.mp4")))
    assert [frame.pts for frame in frames] == pts


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("in.mp4", {}),
        ("in.mkv", {}),
        ("in.webm", {"codec": "libvpx-vp9", "tone": "libopus"}),
        ("in.mpg", {"codec": "mpeg2video", "tone": "mp2"}),
        ("long.mp4", {"tone_seconds": 1.5}),
    ],
)
def test_sound_is_copied_byte_for_byte(
    paint_video: PaintVideo, tmp_path: Path, name: str, how: dict[str, Any]
) -> None:
    source = paint_video(name, **how)
    target = copy(source, tmp_path / "out.mp4")
    before, after = sound(source), sound(target)
    assert [packet for packet, _ in after] == [packet for packet, _ in before]
    shift = next(iter(open_video(source))).time - next(iter(open_video(target))).time
    assert [t + shift for _, t in after] == pytest.approx([t for _, t in before], abs=0.002)


def test_a_cut_starts_at_zero_and_cuts_the_sound(paint_video: PaintVideo, tmp_path: Path) -> None:
    source = paint_video(frames=50)
    target = copy(source, tmp_path / "out.mp4", 10, 35)
    frames = list(open_video(target))
    assert len(frames) == 25
    assert frames[0].pts == 0 and frames[-1].time == pytest.approx(24 / 25)
    before, after = sound(source), sound(target)
    kept = [packet for packet, time in before if 0.4 <= time < 1.4]
    assert [packet for packet, _ in after] == kept
    assert 0 <= after[0][1] < 0.064 and after[-1][1] < 1.0


def test_stopping_early_stops_the_sound(paint_video: PaintVideo, tmp_path: Path) -> None:
    video = open_video(paint_video(frames=50))
    writer = VideoWriter(tmp_path / "out.mp4", video.info)
    for frame in video:
        writer.write(frame.image, frame)
        if frame.index == 9:
            break
    writer.close(whole=False)
    assert len(list(open_video(tmp_path / "out.mp4"))) == 10
    assert 0.3 < sound(tmp_path / "out.mp4")[-1][1] < 0.4


@pytest.mark.parametrize("name", ["in.mkv", "in.mov"])
def test_sound_that_outlasts_the_picture_is_whole(paint_video: PaintVideo, name: str) -> None:
    """However many frames are guessed from the length of the file."""
    source = paint_video(name, tone_seconds=3.0)
    for target, end in (("all.mp4", None), ("more.mp4", 20)):
        copied = copy(source, source.with_name(target), end=end)
        assert [packet for packet, _ in sound(copied)] == [packet for packet, _ in sound(source)]
    cut = copy(source, source.with_name("cut.mp4"), end=12)
    assert sound(cut)[-1][1] < 12 / 25


def test_recordings_put_end_to_end_keep_their_sound(
    paint_video: PaintVideo, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    parts = [paint_video(f"{n}.ts", frames=25) for n in range(2)]
    (tmp_path / "both.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    with caplog.at_level(logging.WARNING):
        target = copy(tmp_path / "both.ts", tmp_path / "out.mp4")
    assert not caplog.text
    times = [frame.time for frame in open_video(target)]
    assert np.diff(times) == pytest.approx(np.full(49, 0.04))
    before, after = sound(parts[0]), sound(target)
    assert len(after) == 2 * len(before)
    gaps = np.diff([time for _, time in after])
    assert gaps == pytest.approx(np.full(len(gaps), 0.064), abs=0.002)


def test_sound_that_cannot_be_written_is_left_out_aloud(
    video_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    """The picture is finished all the same."""
    monkeypatch.setattr(audio, "_in_time", lambda packets: (early(packet) for packet in packets))

    def early(packet: Any) -> Any:
        packet.dts = -packet.dts
        return packet

    with caplog.at_level(logging.WARNING):
        target = copy(video_file, tmp_path / "out.mp4")
    assert "breaks off" in caplog.text
    assert len(list(open_video(target))) == 12


def test_sound_that_mp4_cannot_hold_is_left_out(
    paint_video: PaintVideo, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = paint_video("in.avi", codec="mjpeg", pix_fmt="yuvj420p", tone="pcm_u8")
    with caplog.at_level(logging.WARNING):
        video = open_video(copy(source, tmp_path / "out.mp4"))
    assert "left out" in caplog.text
    assert len(list(video)) == 12 and not video.info.has_audio


def test_sound_that_has_gone_is_left_out(
    video_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frames = list(open_video(video_file))
    info = open_video(video_file).info
    video_file.unlink()
    with VideoWriter(tmp_path / "out.mp4", info) as writer:
        for frame in frames:
            writer.write(frame.image, frame)
    assert "cannot be copied" in caplog.text
    assert len(list(open_video(tmp_path / "out.mp4"))) == 12


@pytest.mark.parametrize("rotation", [0, 90])
def test_pixels_that_are_not_square_stay_so(
    paint_video: PaintVideo, tmp_path: Path, rotation: int
) -> None:
    source = paint_video(rotation=rotation, pixel_aspect=Fraction(4, 3))
    shown = open_video(copy(source, tmp_path / "out.mp4")).info.pixel_aspect
    assert shown == (Fraction(3, 4) if rotation else Fraction(4, 3))


def test_odd_sizes_are_padded_by_repetition(paint_video: PaintVideo, tmp_path: Path) -> None:
    source = paint_video("odd.mkv", size=(95, 63), codec="ffv1", pix_fmt="bgr0", tone=None)
    frame = next(iter(open_video(copy(source, tmp_path / "out.mp4"))))
    assert frame.image.shape == (64, 96, 3)
    painted = paint_clip(1, (95, 63)).images[0].astype(np.float32)
    assert np.abs(frame.image[:63, :95] - painted).mean() < 8
    assert np.abs(frame.image[:63, 95] - painted[:, 94]).mean() < 12


@pytest.mark.parametrize("size", [(64, 48), (1280, 720)])
def test_colours_come_back(tmp_path: Path, size: tuple[int, int]) -> None:
    colours = [[220, 30, 40], [20, 200, 60], [30, 60, 210], [250, 250, 250], [8, 8, 8]]
    base = Fraction(1, 25)
    with VideoWriter(tmp_path / "a.mp4", VideoInfo("", *size, 1 / base, base)) as writer:
        for index, colour in enumerate(colours):
            image = np.full((size[1], size[0], 3), colour, np.uint8)
            writer.write(image, Frame(image, index, index, base))
    for frame, colour in zip(open_video(tmp_path / "a.mp4"), colours, strict=True):
        assert np.abs(frame.image.reshape(-1, 3).mean(0) - colour).max() <= 4


def test_the_file_is_h264_for_every_player(video_file: Path, tmp_path: Path) -> None:
    with av.open(str(copy(video_file, tmp_path / "out.mp4"))) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.colorspace, context.color_range) == (1, 1)
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_the_final_name_appears_only_when_complete(video_file: Path, tmp_path: Path) -> None:
    video, target = open_video(video_file), tmp_path / "deep" / "out.mp4"
    with VideoWriter(target, video.info) as writer:
        for frame in video:
            writer.write(frame.image, frame)
            assert not target.exists()
            assert [p.name for p in target.parent.iterdir()] == [".out.mp4.part.mp4"]
    assert [p.name for p in target.parent.iterdir()] == ["out.mp4"]


def test_an_exception_leaves_nothing(video_file: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "out.mp4"
    video = open_video(video_file)
    with pytest.raises(RuntimeError), VideoWriter(target, video.info) as writer:
        for frame in video:
            writer.write(frame.image, frame)
            if frame.index == 5:
                raise RuntimeError
    assert list(target.parent.iterdir()) == []


def test_no_frames_make_no_file(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", silent()):
        pass
    assert list(tmp_path.iterdir()) == []


class FullDisk:
    """Stands in for an output container when the disk has filled up."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def mux(self, packet: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def close(self) -> None:
        self._container.close()


def test_a_full_disk_gets_a_sentence(tmp_path: Path) -> None:
    image = paint_clip(1, SIZE).images[0]
    writer = VideoWriter(tmp_path / "out.mp4", silent())
    writer.write(image, Frame(image, 0, 0, Fraction(1, 25)))
    writer._container = FullDisk(writer._container)
    with pytest.raises(InputError, match="disk is full"):
        writer.close()
    writer.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_way_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    image = paint_clip(1, SIZE).images[0]
    writer = VideoWriter(tmp_path / "file" / "out.mp4", silent())
    with pytest.raises(InputError, match="could not be written"):
        writer.write(image, Frame(image, 0, 0, Fraction(1, 25)))
