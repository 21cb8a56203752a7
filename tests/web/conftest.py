"""A server on painted videos, and a client that is let in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from masktrail.web.allowed_files import AllowedFiles
from masktrail.web.server import create_app
from painted_videos import paint_clip, write_video
from visitor import ADDRESS, PORT, TOKEN, Enter


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """A folder with a painted video, `clip.mp4`, and with nothing else to be opened."""
    folder = tmp_path / "videos"
    folder.mkdir()
    clip = paint_clip(frames=16, size=(96, 64), objects=2)
    write_video(folder / "clip.mp4", clip.images, tone=None)
    (folder / "notes.txt").write_text("not a video")
    return folder


@pytest.fixture
def allowed(videos: Path, tmp_path: Path) -> AllowedFiles:
    projects = tmp_path / "projects"
    projects.mkdir()
    return AllowedFiles((videos,), projects, upload_limit=2**20)


@pytest.fixture
def enter(allowed: AllowedFiles) -> Iterator[Enter]:
    """Starts a server, as often as it is called, and lets a client in."""
    clients = []

    def start(inside: bool = True) -> TestClient:
        app = create_app(allowed, TOKEN, PORT)
        client = TestClient(app, base_url=ADDRESS)
        client.__enter__()
        clients.append(client)
        if inside:
            assert client.get("/", params={"token": TOKEN}).status_code == 200
        return client

    yield start
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def client(enter: Enter) -> TestClient:
    return enter()


@pytest.fixture
def opened(client: TestClient, videos: Path) -> TestClient:
    """A client that has opened the painted video."""
    answer = client.post("/api/open", json={"path": str(videos / "clip.mp4")})
    assert answer.status_code == 200, answer.text
    return client
