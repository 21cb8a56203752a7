"""What several modules of these tests track."""

from pathlib import Path

import pytest

from painted_videos import Clip, paint_clip, write_video


@pytest.fixture(scope="session")
def discs() -> Clip:
    """16 small frames of two discs."""
    return paint_clip(16, (64, 48), objects=2)


@pytest.fixture(scope="session")
def video(discs: Clip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file."""
    return write_video(tmp_path_factory.mktemp("discs") / "clip.mp4", discs.images)
