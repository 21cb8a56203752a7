"""What a container's header says is no promise: a loss is told where something was lost."""

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from masktrail.video import open_video
from masktrail.video.bytes import is_whole
from painted_videos import PaintVideo, paint_clip, write_video


def shorten_edit(path: Path) -> int:
    """Has the edit list of an mp4 show 200 ms only; frames that are then shown."""
    content = bytearray(path.read_bytes())
    place = content.index(b"elst") + 12  # behind version, flags and number of entries
    content[place : place + 4] = (200).to_bytes(4, "big")
    path.write_bytes(content)
    return 5


def promise_100_seconds(path: Path) -> int:
    """Has the header of a Matroska or FLV file promise far too much."""
    content = bytearray(path.read_bytes())
    mark = {".mkv": b"\x44\x89\x88", ".flv": b"\x00\x08duration\x00"}[path.suffix]
    place = content.index(mark) + len(mark)
    content[place : place + 8] = struct.pack(">d", 100_000 if path.suffix == ".mkv" else 100)
    path.write_bytes(content)
    return 12


def add_subtitles(path: Path) -> int:
    """A subtitle that is shown for ten seconds after the picture has ended."""
    plain = path.rename(path.with_name(f"plain{path.suffix}"))
    said = path.with_suffix(".srt")
    said.write_text("1\n00:00:00,300 --> 00:00:10,000\nhello\n")
    with av.open(str(plain)) as film, av.open(str(said)) as text, av.open(str(path), "w") as target:
        streams = film.streams.video[0], text.streams.subtitles[0]
        copies: list[Any] = [target.add_stream_from_template(stream) for stream in streams]
        for source, copied in zip((film, text), copies, strict=True):
            for packet in source.demux():
                if packet.size:
                    packet.stream = copied
                    target.mux(packet)
    return 12


@pytest.mark.parametrize(
    ("name", "change", "how"),
    [
        ("edited.mp4", shorten_edit, {}),
        ("claims.mkv", promise_100_seconds, {}),
        ("claims.flv", promise_100_seconds, {"codec": "flv", "tone": None}),
        ("said.mkv", add_subtitles, {"tone": None}),
    ],
)
def test_a_header_that_is_wrong_is_no_loss(
    paint_video: PaintVideo, name: str, change: Callable[[Path], int], how: dict[str, Any]
) -> None:
    path = paint_video(name, **how)
    shown = change(path)
    video = open_video(path)
    assert len(list(video)) == shown
    assert video.loss is None
    if name == "edited.mp4":
        assert video.expected == shown


def test_frames_that_were_never_stored_are_no_loss(tmp_path: Path) -> None:
    """As AVI has it: an empty chunk stands for a picture that stays."""
    path, pts = tmp_path / "drop.avi", [*range(20), 26, 27, *range(33, 60)]
    write_video(path, paint_clip(len(pts)).images, codec="mpeg4", pts=pts, tone=None)
    video = open_video(path)
    assert [frame.pts for frame in video] == pts
    assert video.loss is None and video.expected == len(pts)
    os.truncate(path, path.stat().st_size * 8 // 10)
    assert 0 < len(list(video)) < len(pts) and video.loss


@pytest.mark.parametrize("name", ["claims.mkv", "claims.flv"])
def test_a_file_that_is_cut_is_a_loss(paint_video: PaintVideo, name: str) -> None:
    how = {"codec": "flv", "tone": None} if name.endswith("flv") else {}
    path = paint_video(name, frames=50, **how)
    assert is_whole(str(path), {"mkv": "matroska,webm", "flv": "flv"}[name[-3:]])
    os.truncate(path, path.stat().st_size * 6 // 10)
    video = open_video(path)
    assert 5 < len(list(video)) < 50
    assert video.loss and "end after" in video.loss
