"""Painted packs, made once."""

from pathlib import Path

import pytest

from masktrail.data.pack import Pack, open_pack
from painted_sets import pack_stills, pack_videos


@pytest.fixture(scope="session")
def stills(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """Six photographs of one disc each, every disc of another colour."""
    return open_pack(pack_stills(tmp_path_factory.mktemp("stills")))


@pytest.fixture(scope="session")
def videos_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pack of two videos of ten frames, two moving discs each."""
    return pack_videos(tmp_path_factory.mktemp("videos"))


@pytest.fixture
def videos(videos_folder: Path) -> Pack:
    return open_pack(videos_folder)
