"""Who is let in, and what nobody gets."""

import io
import json
import os
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from masktrail.errors import InputError
from masktrail.web import guard
from masktrail.web.allowed_files import AllowedFiles, safe_name
from painted_videos import paint_clip, write_video
from visitor import ADDRESS, PORT, TOKEN, Enter, marked, wait


@pytest.mark.parametrize("path", ["/", "/api/state", "/static/main.js", "/api/files", "/nowhere"])
def test_nobody_enters_without_the_token(enter: Enter, path: str) -> None:
    client = enter(inside=False)
    for address in (path, f"{path}?token=guessed", f"{path}?token="):
        answer = client.get(address)
        assert answer.status_code == 403
        assert "token is missing" in answer.json()["detail"]
    if path != "/":  # the address of the page alone takes it
        assert client.get(f"{path}?token={TOKEN}").status_code == 403


def test_the_token_becomes_a_cookie_that_other_sites_cannot_use(enter: Enter) -> None:
    client = enter(inside=False)
    answer = client.get(f"/?token={TOKEN}")
    cookie = answer.headers["set-cookie"]
    assert f"masktrail-{PORT}=" in cookie and "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert client.get("/api/state").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://example.org"},
        {"origin": "null"},
        {"origin": f"http://127.0.0.1:{PORT + 1}"},
        {"origin": f"https://127.0.0.1:{PORT}"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"host": "masktrail.example.org"},
        {"host": f"127.0.0.1:{PORT + 1}"},
    ],
)
def test_other_sites_are_refused_even_with_the_token(opened: Any, headers: dict[str, str]) -> None:
    for answer in (
        opened.post("/api/close", headers=headers),
        opened.get("/api/state", headers=headers),
    ):
        assert answer.status_code == 403
    assert opened.get("/api/state").json()["open"] is not None


def test_the_page_itself_is_let_in(opened: Any) -> None:
    for own in (ADDRESS, f"http://localhost:{PORT}"):
        headers = {"origin": own, "sec-fetch-site": "same-origin"}
        assert opened.get("/api/state", headers=headers).status_code == 200


@pytest.mark.parametrize("hops", ["..", "../..", "../../../../../../../../etc", "../projects"])
def test_no_path_leads_out(client: Any, videos: Path, hops: str) -> None:
    assert client.get("/api/files", params={"path": str(videos)}).status_code == 200
    for path in (f"{videos}/{hops}", hops):
        answer = client.get("/api/files", params={"path": path})
        assert answer.status_code == 400
        assert "not in a folder that this page may use" in answer.json()["detail"]
        assert client.post("/api/open", json={"path": path}).status_code == 400
    for path in ("/static/%2e%2e/server.py", "/static/..%2fserver.py", "/api/export/..%2f.."):
        assert client.get(path).status_code in (400, 404)
    assert client.get("/api/files", params={"path": "a\0b"}).status_code == 400


def test_a_link_does_not_lead_out_either(client: Any, videos: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    write_video(outside / "secret.mp4", paint_clip(3).images, tone=None)
    (videos / "in").symlink_to(outside)
    answer = client.post("/api/open", json={"path": str(videos / "in" / "secret.mp4")})
    assert answer.status_code == 400


@pytest.mark.parametrize("name", ["../clip", "..", "/etc", ".hidden", "a/b", "nothing"])
def test_a_project_is_a_name_and_no_path(opened: Any, name: str) -> None:
    answer = opened.post("/api/open", json={"project": name})
    assert answer.status_code == 400 and "no project" in answer.json()["detail"]


def test_a_project_whose_video_lies_elsewhere_is_not_opened(
    opened: Any, allowed: AllowedFiles, tmp_path: Path
) -> None:
    path = allowed.projects / "clip" / "project.json"
    elsewhere = write_video(tmp_path / "elsewhere.mp4", paint_clip(3).images, tone=None)
    path.write_text(path.read_text().replace(str(allowed.roots[0] / "clip.mp4"), str(elsewhere)))
    answer = opened.post("/api/open", json={"project": "clip"})
    assert answer.status_code == 400 and "elsewhere.mp4 is not in a folder" in answer.text


@pytest.mark.parametrize(
    "harm",
    [
        {"video": ["clip.mp4"]},
        {"video": "clip\0.mp4"},
        {"run": "0001"},
        {"run": {"number": 0, "of": ""}},
        {"run": {"of": ""}},
        {"mark": {"objects": [], "prompts": {"0": {"1": {}}}}},
        {"mark": None},
        {"format": None},
    ],
    ids=str,
)
def test_a_project_that_is_damaged_is_listed_but_not_opened(
    opened: Any, allowed: AllowedFiles, harm: dict[str, Any]
) -> None:
    path = allowed.projects / "clip" / "project.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | harm))
    before = path.read_bytes()
    assert [one["video"] for one in opened.get("/api/state").json()["projects"]] == ["?"]
    answer = opened.post("/api/open", json={"project": "clip"})
    said = "another version" if "format" in harm else "project.json is damaged"
    assert answer.status_code == 400 and said in answer.json()["detail"]
    assert path.read_bytes() == before


def test_a_mark_that_does_not_fit_is_said(opened: Any, allowed: AllowedFiles) -> None:
    """The video of a project was replaced, or its file written by another hand."""
    opened.put("/api/mark", json=marked(box=[8, 8, 30, 30], settings={"model": "copy"}))
    path = allowed.projects / "clip" / "project.json"
    told = json.loads(path.read_text())
    told["mark"]["prompts"]["0"]["1"]["box"] = [8, 8, 30, 0]
    path.write_text(json.dumps(told))
    assert opened.post("/api/open", json={"project": "clip"}).status_code == 200
    answer = opened.get("/api/labels/0")
    assert answer.status_code == 400 and "box (8, 8, 30, 0) of object 1 has no area" in answer.text
    opened.post("/api/run")
    assert "has no area" in wait(opened, "run", "failed")["message"]


def test_names_that_are_no_text_are_passed_over(
    client: Any, allowed: AllowedFiles, videos: Path, tmp_path: Path
) -> None:
    """A system may name files by any bytes; a page cannot."""
    odd = Path(os.fsdecode(bytes(videos) + b"/clip\xff.mp4"))
    try:
        odd.write_bytes((videos / "clip.mp4").read_bytes())
    except OSError:
        pytest.skip("this disk wants names that are text")
    names = [
        one["name"] for one in client.get("/api/files", params={"path": videos}).json()["entries"]
    ]
    assert names == ["clip.mp4"]
    with pytest.raises(InputError, match=r"clip\\udcff.mp4' is no text"):
        client.app.state.session.open_video(str(odd))
    assert not list(allowed.projects.iterdir())


def test_what_a_later_version_adds_to_a_project_is_kept(opened: Any, allowed: AllowedFiles) -> None:
    path = allowed.projects / "clip" / "project.json"
    run = {"number": 1, "of": "x", "note": "mine"}
    added = {"notes": ["mine"], "run": run}
    path.write_text(json.dumps(json.loads(path.read_text()) | added))
    opened.post("/api/open", json={"project": "clip"})
    opened.put("/api/mark", json=marked(box=[8, 8, 30, 30]))
    told = json.loads(path.read_text())
    assert {name: told[name] for name in added} == added
    assert told["mark"]["prompts"]["0"]["1"]["box"][2] == 30


def test_an_upload_that_is_too_large_is_refused_and_nothing_is_kept(
    client: Any, allowed: AllowedFiles
) -> None:
    def endless() -> Any:  # without a length in the header
        for _ in range(40):
            yield bytes(2**16)

    for content in (bytes(allowed.upload_limit + 1), endless()):
        answer = client.post("/api/upload", params={"name": "big.mp4"}, content=content)
        assert answer.status_code == 413
        assert "larger than 1 MB" in answer.json()["detail"]
    assert list(allowed.projects.iterdir()) == []


def test_any_other_request_has_a_limit_too(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_LIMIT", 2**16)

    def pieces() -> Any:
        for _ in range(4):
            yield bytes(2**15)

    for content in (bytes(2**16 + 1), pieces()):
        answer = opened.post("/api/masks", content=content)
        assert answer.status_code == 413


def test_a_file_that_is_no_video_is_not_kept(client: Any, allowed: AllowedFiles) -> None:
    answer = client.post("/api/upload", params={"name": "x.mp4"}, content=b"hello" * 100)
    assert answer.status_code == 400 and "not a video" in answer.json()["detail"]
    answer = client.post("/api/upload", params={"name": "run.sh"}, content=b"hello")
    assert answer.status_code == 400 and "not named as a video" in answer.json()["detail"]
    assert list(allowed.projects.iterdir()) == []


def test_a_video_bomb_is_refused_before_it_is_decoded(
    client: Any, videos: Path, tmp_path: Path
) -> None:
    """A picture of 14,000 x 14,000 pixels takes 588 MB once decoded, and some kilobytes before."""
    path = videos / "bomb.avi"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=1)
        stream.width = stream.height = 14_000
        stream.pix_fmt = "gray"
        frame = av.VideoFrame(14_000, 14_000, "gray")
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    answer = client.post("/api/open", json={"path": str(path)})
    assert answer.status_code == 400
    assert "14000x14000 pixels" in answer.json()["detail"]


def test_a_mask_bomb_is_refused_before_it_is_decoded(opened: Any) -> None:
    content = io.BytesIO()
    Image.new("1", (30_000, 30_000), 1).save(content, "PNG")
    answer = opened.post("/api/masks", content=content.getvalue())
    assert answer.status_code == 400
    assert "30000x30000" in answer.json()["detail"] or "no PNG" in answer.json()["detail"]


def test_what_is_no_mask_is_refused(opened: Any) -> None:
    def sent(mask: np.ndarray) -> Any:
        content = io.BytesIO()
        Image.fromarray(mask).save(content, "PNG")
        return opened.post("/api/masks", content=content.getvalue())

    assert "no PNG" in opened.post("/api/masks", content=b"nothing").json()["detail"]
    assert "is empty" in sent(np.zeros((64, 96), np.uint8)).json()["detail"]
    assert "the video 96x64" in sent(np.full((32, 32), 255, np.uint8)).json()["detail"]


@pytest.mark.parametrize(
    "change",
    [
        {"box": [1, 2, 3]},
        {"box": [1, 2, "x", 4]},
        {"mask": "../../etc/passwd"},
        {"mask": "0123456789abcdef"},
        {"points": [[500, 10, True]]},
        {"box": [10, 10, 10, 20]},
        {"points": [[10, 10, False]]},
        {"script": "<b>"},
    ],
)
def test_marks_that_do_not_fit_change_nothing(opened: Any, change: dict[str, Any]) -> None:
    good = marked(box=[10, 10, 40, 40])
    assert opened.put("/api/mark", json=good).status_code == 200
    answer = opened.put("/api/mark", json=marked(**change))
    assert answer.status_code in (400, 422)
    assert len(answer.json()["detail"]) > 10
    assert opened.get("/api/state").json()["open"]["mark"] == good


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("clip.mp4", "clip.mp4"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("...", "video"),
        ("", "video"),
        (".bashrc", "bashrc"),
        ("a\nb\0c.mov", "a_b_c.mov"),
        ("ö film (2).mkv", "ö film (2).mkv"),
        ("x" * 300 + ".mp4", "x" * 76 + ".mp4"),
    ],
)
def test_names_are_made_safe(sent: str, kept: str) -> None:
    assert safe_name(sent) == kept
