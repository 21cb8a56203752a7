"""Starting the page: what is refused before anything is served."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from masktrail.errors import InputError
from masktrail.video.browse import Browser
from masktrail.web import project, serve
from painted_videos import PaintVideo
from said import Said


def test_what_cannot_be_used_is_said_in_one_sentence(
    command: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    quiet = ("web", "--no-browser")
    assert "no file or folder nothing.mp4" in command(*quiet, "nothing.mp4").err
    assert "no folder" in command(*quiet, "--folder", tmp_path / "nowhere").err
    (tmp_path / "taken").write_text("")
    assert command(*quiet, "--projects", tmp_path / "taken").code == 2
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        said = command(*quiet, "--port", other.getsockname()[1])
    assert said.code == 2 and "cannot be used" in said.err
    assert "Port 70000" in command(*quiet, "--port", 70000).err


def test_without_the_extra_it_says_what_to_install(
    command: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)
    assert "pip install 'masktrail[web]'" in command("web", "--no-browser").err


def test_folders_are_those_named_or_that_of_the_video(
    paint_video: PaintVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = paint_video(tone=None)
    (tmp_path / "more").mkdir()
    monkeypatch.chdir(tmp_path / "more")

    def roots(*arguments: object) -> tuple[Path, ...]:
        return serve.make_allowed_files(*arguments, tmp_path / "projects", 1).roots  # type: ignore

    assert roots(None, []) == (tmp_path / "more",)
    assert roots(video, []) == (tmp_path,)
    assert roots(video, [tmp_path / "more"]) == (tmp_path / "more", video)


def test_the_browser_is_told_no_token(tmp_path: Path) -> None:
    """All users of a computer see command lines; the file is for one."""
    with serve.redirect("http://127.0.0.1:80/?token=a&b", tmp_path) as file:
        assert file.parent == tmp_path and file.stat().st_mode & 0o777 == 0o600
        assert "url=http://127.0.0.1:80/?token=a&amp;b" in file.read_text()
        assert "token" not in file.as_uri()
    assert not list(tmp_path.iterdir())


def test_projects_are_at_home_or_where_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert serve.default_projects() == tmp_path / "home" / "MaskTrail"
    (tmp_path / "masktrail-projects").mkdir()
    assert serve.default_projects().resolve() == tmp_path / "masktrail-projects"


def test_what_cannot_be_opened_leaves_what_was_open(
    opened: Any, videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no thread that counts frames."""
    key = opened.get("/api/state").json()["open"]["key"]
    (videos / "other.mp4").write_bytes((videos / "clip.mp4").read_bytes())
    closed: list[Browser] = []
    real = Browser.close

    def close(self: Browser) -> None:
        closed.append(self)
        real(self)

    def fail(*given: object) -> None:
        raise InputError("The disk is full")

    monkeypatch.setattr(project.Project, "create", fail)
    monkeypatch.setattr(Browser, "close", close)
    answer = opened.post("/api/open", json={"path": str(videos / "other.mp4")})
    assert answer.status_code == 400 and "disk is full" in answer.json()["detail"]
    assert [one.info.source for one in closed] == [str(videos / "other.mp4")]
    assert opened.get("/api/state").json()["open"]["key"] == key
