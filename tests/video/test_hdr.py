"""Pictures of high dynamic range look like ordinary ones: what was white is white."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace

from masktrail.prompts.kinds import Box
from masktrail.run import track
from masktrail.video import open_video
from masktrail.video.hdr import HLG, PQ, to_ordinary

PATCHES = (0.0, 10.0, 36.5, 100.0, 203.0, 1000.0)
"""cd/m2, from left to right."""


def pq(light: float) -> float:
    """The value of light in cd/m2 (the inverse EOTF of SMPTE ST 2084)."""
    root = (light / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * root) / (1 + 2392 / 128 * root)) ** (2523 / 32)


def hlg(light: float) -> float:
    """The value of light in cd/m2 on a screen of 1,000 (BT.2100)."""
    scene = (light / 1000) ** (1 / 1.2)
    if scene <= 1 / 12:
        return float(np.sqrt(3 * scene))
    return 0.17883277 * float(np.log(12 * scene - 0.28466892)) + 0.55991073


def painted(transfer: int) -> np.ndarray:
    """Grey patches of 16 pixels, uint16 (32, 96, 3)."""
    values = [{PQ: pq, HLG: hlg}[transfer](light) for light in PATCHES]
    row = np.repeat(np.round(np.array(values) * 65535).astype(np.uint16), 16)
    return np.repeat(np.repeat(row[None], 32, 0)[..., None], 3, -1)


def ordinary(light: float) -> float:
    """What an ordinary screen shows of light below the knee (IEC 61966-2-1)."""
    share = light / 203
    return 255 * (12.92 * share if share < 0.0031308 else 1.055 * share ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_light_below_the_knee_is_as_it_was(transfer: int) -> None:
    shown = to_ordinary(painted(transfer), transfer)[16, 8::16]
    assert shown.dtype == np.uint8 and shown.shape == (6, 3)
    for light, colour in zip(PATCHES[:4], shown, strict=False):
        np.testing.assert_allclose(colour, ordinary(light), atol=2)
    assert 235 <= shown[4, 0] < shown[5, 0] <= 255, "white, and what is brighter"


def test_colours_outside_an_ordinary_screen_are_cut() -> None:
    green = np.zeros((1, 1, 3), np.uint16)
    green[..., 1] = round(pq(203) * 65535)
    red, strongest, blue = to_ordinary(green, PQ)[0, 0]
    assert strongest > 235 and red == 0 and blue == 0


@pytest.fixture(params=[PQ, HLG])
def film(request: Any, tmp_path: Path) -> Path:
    """Four frames of the patches, in 10 bits."""
    path = tmp_path / "bright.mkv"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 32, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries = request.param, 9
        context.colorspace, context.color_range = 9, 1
        for _ in range(4):
            frame = av.VideoFrame.from_ndarray(painted(request.param), format="rgb48le")
            container.mux(
                stream.encode(
                    frame.reformat(format="yuv420p10le", dst_colorspace=Colorspace.BT2020)
                )
            )
        container.mux(stream.encode(None))
    return path


def test_a_film_is_seen_and_shown_as_an_ordinary_one(film: Path, tmp_path: Path) -> None:
    (first, *others) = open_video(film)
    assert len(others) == 3
    for patch, light in enumerate(PATCHES[:4]):
        np.testing.assert_allclose(first.image[16, 16 * patch + 8], ordinary(light), atol=5)
    assert first.image[16, 72].min() >= 235
    track(film, {1: Box(40, 4, 70, 28)}, tmp_path / "out", "copy", "overlay")
    with av.open(str(tmp_path / "out/overlay.mp4")) as container:
        assert next(container.decode(video=0)).color_trc == 1
    shown = next(iter(open_video(tmp_path / "out/overlay.mp4"))).image
    np.testing.assert_allclose(shown[16, 88], first.image[16, 88], atol=6)
