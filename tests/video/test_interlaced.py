"""Interlaced films: one moment a frame, without combs."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from masktrail.video import open_video
from masktrail.video.container import without_combs


def bar(x: int) -> np.ndarray:
    """A white bar on grey, uint8 (48, 64, 3)."""
    image = np.full((48, 64, 3), 60, np.uint8)
    image[:, x : x + 12] = 220
    return image


@pytest.mark.parametrize("rows", [47, 48])
def test_the_first_field_stays_and_the_other_follows_it(rows: int) -> None:
    woven = bar(20)[:rows].copy()
    woven[1::2] = bar(28)[1:rows:2]
    np.testing.assert_array_equal(without_combs(woven), bar(20)[:rows])


@pytest.mark.parametrize("interlaced", [True, False])
def test_an_interlaced_film_has_no_combs(tmp_path: Path, interlaced: bool) -> None:
    path = tmp_path / "woven.mpg"
    with av.open(str(path), "w", format="mpeg") as container:
        stream: Any = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv422p"
        stream.bit_rate = 8_000_000
        if interlaced:
            stream.codec_context.flags |= av.codec.context.Flags.interlaced_dct
            stream.codec_context.flags |= av.codec.context.Flags.interlaced_me
        for index in range(6):
            woven = bar(10 + 4 * index)
            woven[1::2] = bar(18 + 4 * index)[1::2]
            frame = av.VideoFrame.from_ndarray(woven, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    frames = list(open_video(path))
    assert len(frames) == 6
    combs = [
        np.abs(np.diff(frame.image[4:44, :, 1].astype(int), axis=0)).mean() for frame in frames
    ]
    assert max(combs) < 3 if interlaced else min(combs) > 8
