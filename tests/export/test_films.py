"""Cutout, alpha and green-screen videos: what is seen, where, when, and what is heard."""

import logging
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from masktrail.export.matte import HAZE, MARGIN, opacity
from masktrail.results import Result
from masktrail.types import Frame, VideoInfo
from masktrail.video import open_video
from painted_results import GivenMasks, overlap, pairs_of, results_of, soft_clip, write
from painted_videos import paint_clip

FILES = {"cutout": "cutout.mov", "alpha": "alpha.webm", "green": "green.mp4"}
CLEAR = ("cutout", "alpha")


def decoded(path: Path) -> list[av.VideoFrame]:
    """Frames; those of VP9 by the decoder that sees transparency."""
    with av.open(str(path)) as container:
        if path.suffix != ".webm":
            return list(container.decode(video=0))
        decoder = av.CodecContext.create("libvpx-vp9", "r")
        packets = [p for p in container.demux(video=0) if p.size]
        for packet in packets:
            packet.time_base = container.streams.video[0].time_base
        return [f for packet in [*packets, None] for f in decoder.decode(packet)]


def rgba(path: Path) -> np.ndarray:
    """All frames, int (T, H, W, 4)."""
    return np.stack([frame.to_ndarray(format="rgba") for frame in decoded(path)]).astype(int)


def sound(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        streams = container.streams.audio
        return [bytes(p) for p in container.demux(*streams) if p.size] if streams else []


@pytest.mark.parametrize("name", CLEAR)
def test_objects_are_opaque_and_the_rest_is_not_there(tmp_path, clip, name):
    labels = [*clip.labels[:3], np.zeros_like(clip.labels[3])]
    pairs = pairs_of(results_of(labels), images=clip.images[:4])
    write(name, tmp_path, pairs)
    shown = rgba(tmp_path / FILES[name])
    assert len(shown) == 4
    for picture, truth, image in zip(shown, labels, clip.images, strict=False):
        inside = truth > 0
        if not inside.any():
            assert picture[..., 3].max() < 8
            continue
        assert overlap(picture[..., 3] > 127, inside) > 0.99
        assert np.abs(picture[..., 3] - 255 * inside).mean() < 3
        assert np.abs(picture[inside, :3] - image[inside]).mean() < 8


@pytest.mark.parametrize("name", CLEAR)
def test_soft_edges_are_kept(tmp_path, clip, name):
    write(name, tmp_path, pairs_of(soft_clip(clip), images=clip.images))
    half = clip.labels[0].shape[1] // 2
    shown, inside = rgba(tmp_path / FILES[name])[..., 3], clip.labels > 0
    left, right = shown[..., :half][inside[..., :half]], shown[..., half:][inside[..., half:]]
    assert 120 < np.median(left) < 136 and np.median(right) > 250


def test_green_is_everything_but_the_objects(tmp_path, clip):
    write("green", tmp_path, pairs_of(results_of(clip.labels), images=clip.images))
    shown = rgba(tmp_path / "green.mp4")[..., :3]
    inside = clip.labels > 0
    assert np.abs(np.median(shown[~inside], axis=0) - (0, 255, 0)).max() < 8
    off = np.abs(shown - clip.images).mean(-1)
    assert off[inside].mean() < 20 < 60 < off[~inside].mean()


def test_soft_edges_let_green_through(tmp_path, clip):
    write("green", tmp_path, pairs_of(soft_clip(clip), images=clip.images))
    with_labels = tmp_path / "labels"
    write("green", with_labels, pairs_of(results_of(clip.labels), images=clip.images))
    half = clip.labels[0].shape[1] // 2
    left = (clip.labels > 0)[..., :half]
    greens = [rgba(p / "green.mp4")[..., :half, 1][left].mean() for p in (tmp_path, with_labels)]
    assert greens[0] > greens[1] + 30


@pytest.mark.parametrize("name", FILES)
def test_odd_sizes(tmp_path, name):
    clip = paint_clip(3, (95, 63))
    write(name, tmp_path, pairs_of(results_of(clip.labels), images=clip.images))
    shown = rgba(tmp_path / FILES[name])
    assert shown.shape[1:3] == ((63, 95) if name == "cutout" else (64, 96))
    inside = clip.labels > 0
    cut = shown[:, :63, :95]
    seen = (
        cut[..., 3] > 127 if name != "green" else np.abs(cut[..., :3] - (0, 255, 0)).sum(-1) > 120
    )
    assert overlap(seen, inside) > 0.9


@pytest.mark.parametrize("name", FILES)
def test_a_variable_frame_rate_survives(tmp_path, clip, name):
    base, pts = Fraction(1, 90000), [0, 3000, 3690, 9000, 9180, 20070, 45000, 90000]
    lengths = [*np.diff(pts).tolist(), 900]
    info = VideoInfo("none.mp4", 96, 64, Fraction(30), base)
    results = results_of(clip.labels[: len(pts)])
    pairs = [
        (Frame(clip.images[t], t, pts[t], base, lengths[t]), result)
        for t, result in enumerate(results)
    ]
    write(name, tmp_path, pairs, info)
    times = [frame.time for frame in open_video(tmp_path / FILES[name])]
    assert times == pytest.approx([t / 90000 for t in pts], abs=0.0006 if name == "alpha" else 1e-6)


def filmed(name: str, out: Path, source: Path) -> None:
    with open_video(source) as video:
        frames, info = list(video), video.info
    empty = np.zeros((info.height, info.width), np.uint8)
    write(name, out, [(frame, Result(empty)) for frame in frames], info)


@pytest.mark.parametrize("name", ["cutout", "green"])
def test_sound_is_copied(tmp_path, video_file, name):
    filmed(name, tmp_path, video_file)
    assert sound(tmp_path / FILES[name]) == sound(video_file) != []


def test_webm_keeps_the_sound_it_can_hold_and_says_what_it_leaves_out(
    tmp_path, video_file, paint_video, caplog
):
    with caplog.at_level(logging.WARNING):
        filmed("alpha", tmp_path / "aac", video_file)
    assert "aac" in caplog.text and "left out" in caplog.text
    assert sound(tmp_path / "aac/alpha.webm") == []
    opus = paint_video("opus.webm", codec="libvpx-vp9", tone="libopus")
    filmed("alpha", tmp_path / "opus", opus)
    assert sound(tmp_path / "opus/alpha.webm") == sound(opus) != []


@pytest.mark.parametrize(
    ("name", "codec", "pixels"), [("cutout", "prores", "yuva444p"), ("green", "h264", "yuv420p")]
)
def test_codecs_are_those_promised(tmp_path, clip, name, codec, pixels):
    write(name, tmp_path, pairs_of(results_of(clip.labels), images=clip.images))
    with av.open(str(tmp_path / FILES[name])) as container:
        context = container.streams.video[0].codec_context
        assert context.name == codec and context.pix_fmt.startswith(pixels)
        if name == "cutout":
            assert context.codec_tag == "ap4h"


def test_browsers_are_told_of_the_transparency(tmp_path, clip):
    write("alpha", tmp_path, pairs_of(results_of(clip.labels), images=clip.images))
    with av.open(str(tmp_path / "alpha.webm")) as container:
        assert container.streams.video[0].codec_context.name == "vp9"
        assert container.streams.video[0].metadata["alpha_mode"] == "1"
    assert {frame.format.name for frame in decoded(tmp_path / "alpha.webm")} == {"yuva420p"}


def test_far_from_the_objects_nothing_of_the_picture_is_left(tmp_path):
    labels = np.zeros((128, 128), np.uint8)
    labels[:20, :20] = 1
    image = np.full((128, 128, 3), 200, np.uint8)
    write("cutout", tmp_path, pairs_of(results_of([labels]), images=[image]))
    shown = rgba(tmp_path / "cutout.mov")[0]
    assert shown[: 20 + MARGIN - 8, :20, :3].min() > 180  # colours reach beyond the edge
    assert shown[64:, :, :3].max() < 16 and shown[:, 64:, :3].max() < 16


def test_doubt_far_from_objects_is_no_veil():
    labels = np.zeros((1, 4), np.uint8)
    doubt = np.array([[HAZE, 0.5, 1 - HAZE, 1.0]], np.float32)
    (result,) = results_of([labels], soft={1: doubt})
    assert opacity(result).tolist() == [[0, 128, 255, 255]]


def test_objects_that_touch_leave_no_seam():
    (result,) = results_of([np.ones((1, 1), np.uint8)])
    halves = {i: np.full((1, 1), 0.5, np.float32) for i in (1, 2)}
    assert opacity(replace(result, soft=GivenMasks(halves))).tolist() == [[255]]
