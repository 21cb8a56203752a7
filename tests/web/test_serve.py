"""Starting the page: what is refused before anything is served."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from masktrail.web import serve
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
        return serve.make_shelf(*arguments, tmp_path / "projects", 1).roots  # type: ignore

    assert roots(None, []) == (tmp_path / "more",)
    assert roots(video, []) == (tmp_path,)
    assert roots(video, [tmp_path / "more"]) == (tmp_path / "more", video)
