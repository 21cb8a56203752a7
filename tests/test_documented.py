"""Every block of Python in the README and in docs runs as it stands."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from masktrail.masks import write_labels
from painted_videos import paint_clip, write_video

ROOT = Path(__file__).parents[1]

BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)

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
        if error.name is None or error.name.startswith("masktrail"):
            raise
        pytest.skip(f"{page}, block {number}: {error.name} is not installed")


def test_there_are_blocks() -> None:
    pages = {page for page, _ in blocks()}
    assert {"README.md", "docs/python.md"} <= pages and len(list(blocks())) > 12
