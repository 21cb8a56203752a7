"""What several modules of these tests track."""

import zipfile
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


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of runs of version 0.1, as the current one."""
    with zipfile.ZipFile(Path(__file__).parents[1] / "stored" / "version-0.1.zip") as archive:
        archive.extractall(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path
