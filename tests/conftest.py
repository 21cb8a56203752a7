"""Fixtures every room's tests share: painted clips, as arrays and as files."""

from pathlib import Path
from typing import Any

import pytest

from painted_videos import Clip, PaintVideo, paint_clip, write_video


@pytest.fixture
def clip() -> Clip:
    """Twelve frames of 96x64 with two discs, and their label maps."""
    return paint_clip()


@pytest.fixture
def paint_video(tmp_path: Path) -> PaintVideo:
    """Function that writes a painted video under `tmp_path`; arguments as `write_video`."""

    def paint(
        name: str = "clip.mp4", frames: int = 12, size: tuple[int, int] = (96, 64), **how: Any
    ) -> Path:
        return write_video(tmp_path / name, paint_clip(frames, size).images, **how)

    return paint


@pytest.fixture
def video_file(paint_video: PaintVideo) -> Path:
    """Twelve frames of 96x64 at 25 per second, H.264 and AAC in mp4."""
    return paint_video()


@pytest.fixture
def picture_folder(tmp_path: Path, clip: Clip) -> Path:
    """The clip as `1.png` ... `12.png`."""
    from PIL import Image

    folder = tmp_path / "pictures"
    folder.mkdir()
    for index, image in enumerate(clip.images, start=1):
        Image.fromarray(image).save(folder / f"{index}.png")
    return folder
