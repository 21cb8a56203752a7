"""Encodings other than H.264 through the writer itself."""

from fractions import Fraction

import av
import numpy as np
import pytest

from masktrail.types import Frame, VideoInfo
from masktrail.video import VideoWriter
from masktrail.video.encoding import h264, prores_4444, vp9_alpha

BASE = Fraction(1, 25)


def written(path, encoding, image) -> av.VideoFrame:
    height, width = image.shape[:2]
    with VideoWriter(path, VideoInfo("", width, height, 1 / BASE, BASE), encoding=encoding) as out:
        out.write(image, Frame(image[..., :3], 0, 0, BASE))
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


@pytest.mark.parametrize(
    ("name", "encoding", "size"),
    [
        ("a.mp4", h264(), (96, 64)),
        ("a.mov", prores_4444(), (95, 63)),
        ("a.webm", vp9_alpha(), (96, 64)),
    ],
)
def test_only_pixel_formats_that_share_colours_are_padded(tmp_path, name, encoding, size):
    frame = written(tmp_path / name, encoding, np.full((63, 95, 3), 90, np.uint8))
    assert (frame.width, frame.height) == size
    assert np.abs(frame.to_ndarray(format="rgb24").astype(int) - 90).max() <= 3


def test_alpha_has_every_step(tmp_path):
    image = np.full((32, 256, 4), 128, np.uint8)
    image[..., 3] = np.arange(256)
    frame = written(tmp_path / "a.mov", prores_4444(), image)
    alpha = frame.to_ndarray(format="rgba")[..., 3].astype(int)
    assert np.abs(alpha - np.arange(256)).max() <= 1


def test_the_rate_factor_decides_the_size(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    sizes = []
    for crf in (10, 40):
        written(tmp_path / f"{crf}.mp4", h264(crf), image)
        sizes.append((tmp_path / f"{crf}.mp4").stat().st_size)
    assert sizes[0] > 2 * sizes[1]
