"""Pictures of more than 8 bits: one range for the whole sequence, found and said, or chosen."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from masktrail.errors import InputError
from masktrail.prompts.kinds import Box
from masktrail.run import convert, track
from masktrail.video import open_video

BOX = {1: Box(62, 22, 86, 44)}


def deep(folder: Path, greys: np.ndarray, suffix: str = "tif") -> Path:
    folder.mkdir()
    for index, values in enumerate(greys):
        Image.fromarray(values).save(folder / f"{index}.{suffix}")
    return folder


@pytest.fixture
def greys(clip: Any) -> np.ndarray:
    """The clip in grey, 0 to 255, float64 (T, H, W)."""
    return clip.images.mean(-1)


def twelve_bits(greys: np.ndarray) -> np.ndarray:
    return (500 + 8 * greys).astype(np.uint16)


@pytest.mark.parametrize(
    ("suffix", "values"),
    [
        ("tif", twelve_bits),
        ("png", twelve_bits),
        ("png", lambda greys: (100 + 2 * greys).astype(np.uint16)),
        ("tif", lambda greys: (-3e4 + 1000 * greys).astype(np.int32)),
        ("tif", lambda greys: (greys / 255 * 7 - 2).astype(np.float32)),
    ],
)
def test_a_range_is_found_and_said(
    tmp_path: Path, greys: Any, values: Any, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        frames = list(open_video(deep(tmp_path / "deep", values(greys), suffix)))
    shown = np.stack([frame.image[..., 0] for frame in frames]).astype(float)
    black, white = np.percentile(greys[:8], (0.1, 99.9))
    expected = ((greys - black) / (white - black) * 256).clip(0, 255)
    assert np.abs(shown - expected).max() < 4
    assert "(black)" in caplog.text and "give a range to see others" in caplog.text


def test_a_dark_beginning_does_not_make_the_rest_flicker(tmp_path: Path) -> None:
    """One range, though every picture has another brightness."""
    levels = np.linspace(200, 3000, 12)
    greys = np.stack([np.full((48, 64), level) for level in levels]).astype(np.uint16)
    greys[:, :4] = 4000
    frames = list(open_video(deep(tmp_path / "deep", greys)))
    shown = [int(frame.image[20, 20, 0]) for frame in frames]
    assert shown == sorted(shown) and len(set(shown)) == 12


@pytest.mark.parametrize(
    ("values", "right"),
    [
        (lambda greys: greys.astype(np.uint16) << 8, lambda greys: greys.astype(np.uint8)),
        (lambda greys: (greys / 255).astype(np.float32), lambda greys: greys),
    ],
)
def test_values_that_use_their_whole_range_stay(
    tmp_path: Path, greys: Any, values: Any, right: Any
) -> None:
    frames = list(open_video(deep(tmp_path / "deep", values(greys))))
    shown = np.stack([frame.image[..., 0] for frame in frames]).astype(float)
    assert np.abs(shown - right(greys)).max() <= 1


def test_a_stack_is_shown_as_a_folder_is(tmp_path: Path, greys: Any) -> None:
    stored = twelve_bits(greys)
    folder = deep(tmp_path / "deep", stored)
    pages = [Image.fromarray(values) for values in stored]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    for one, other in zip(open_video(folder), open_video(tmp_path / "stack.tif"), strict=True):
        np.testing.assert_array_equal(one.image, other.image)


def test_a_chosen_range_is_kept_with_the_run(tmp_path: Path, greys: Any) -> None:
    folder, out = deep(tmp_path / "deep", twelve_bits(greys)), tmp_path / "out"
    first = next(iter(open_video(folder, values=(0, 4095))))
    stored = twelve_bits(greys)[0]
    np.testing.assert_array_equal(first.image[..., 1], stored // 16)
    track(folder, BOX, out, "copy", "csv", values=(0, 4095))
    assert json.loads((out / "run.json").read_text())["arguments"]["values"] == [0, 4095]
    with pytest.raises(InputError, match=r"another values \(\[0, 4095\], now None\)"):
        track(folder, BOX, out, "copy", "csv", resume=True)
    assert convert(out, "overlay") == 12
    shown = next(iter(open_video(out / "overlay.mp4"))).image[:10, :10].astype(float)
    assert np.abs(shown - first.image[:10, :10]).mean() < 6


def test_a_range_that_is_none_is_told(tmp_path: Path, greys: Any) -> None:
    folder = deep(tmp_path / "deep", twelve_bits(greys))
    with pytest.raises(InputError, match=r"^values=\(9, 3\) is no range; .* values=\(0, 4095\)\.$"):
        open_video(folder, values=(9, 3))
