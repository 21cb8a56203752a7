"""Every block of Python in the README and in docs runs as it stands."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from masktrail.masks import write_labels
from painted_videos import paint_clip, write_video

ROOT = Path(__file__).parents[1]

BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)

MAY_BE_MISSING = {"napari", "cv2", "supervision", "pandas", "fastapi"}
"""Packages that a block is about."""

CLIP = paint_clip(20, (320, 240))


def blocks() -> Iterator[tuple[str, int]]:
    """Page and number of every block."""
    for path in sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]):
        for number in range(len(BLOCK.findall(path.read_text(encoding="utf-8")))):
            yield path.relative_to(ROOT).as_posix(), number


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "in.mp4", CLIP.images, tone=None)


@pytest.mark.slow
@pytest.mark.parametrize(("page", "number"), blocks())
def test_blocks_run(
    page: str, number: int, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.mp4").write_bytes(video.read_bytes())
    write_labels("first.png", CLIP.labels[0])
    block = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))[number]
    try:
        exec(compile(block, f"{page}, block {number}", "exec"), {"__name__": "documented"})
    except ModuleNotFoundError as error:
        if error.name not in MAY_BE_MISSING:
            raise
        pytest.skip(f"{page}, block {number}: {error.name} is not installed")


@pytest.mark.slow
def test_the_server_of_the_page_answers() -> None:
    client = pytest.importorskip("fastapi.testclient").TestClient
    block = next(b for b in BLOCK.findall((ROOT / "docs/python.md").read_text()) if "FastAPI" in b)
    exec(compile(block, "server", "exec"), names := {"__name__": "documented"})
    served = client(names["app"])
    for t, marked in enumerate(["?box=40,60,200,230", "", ""]):
        told = served.post(f"/a/320x240{marked}", content=CLIP.images[t].tobytes())
        assert told.status_code == 200 and told.json()["1"]["state"] == "present"
    told = served.post("/b/320x240?box=400,60,500,230", content=CLIP.images[0].tobytes())
    assert told.status_code == 422 and "lies outside the frame" in told.json()["detail"]
    assert served.delete("/a").status_code == 200 and list(names["sessions"]) == ["b"]


def test_there_are_blocks() -> None:
    pages = {page for page, _ in blocks()}
    assert {"README.md", "docs/python.md"} <= pages and len(list(blocks())) > 12
