"""What holds for all writers: names of files, interruptions, full disks, missing libraries."""

import errno
import logging
import sys
from pathlib import Path

import pytest
from PIL import Image

from masktrail.errors import InputError
from masktrail.export import WRITERS
from masktrail.prompts.kinds import Box
from masktrail.run import track
from masktrail.run.products import existing
from painted_results import pairs_of, soft_clip, write
from painted_videos import paint_clip

FOLDERS = {"davis", "yolo", "labelme", "soft"}
"""Their files are complete one by one, and stay after an interruption."""


def pairs(frames: int = 3):
    clip = paint_clip(frames)
    return pairs_of(soft_clip(clip), images=clip.images)


@pytest.mark.parametrize("name", WRITERS)
def test_what_a_writer_leaves_is_what_it_names(tmp_path, name):
    write(name, tmp_path, pairs())
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    for file in WRITERS[name].files:
        made = list(existing(tmp_path, [file]))
        assert made and ("{frame}" not in file or len(made) >= 3)
        left = [path for path in left if path not in made]
    assert not left


def test_no_two_writers_share_a_name():
    names = [name for writer in WRITERS.values() for name in writer.files]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", sorted(WRITERS.keys() - FOLDERS))
def test_an_abort_leaves_nothing(tmp_path, name):
    write(name, tmp_path, pairs(), end="abort")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_never_opened_leaves_nothing(tmp_path, name):
    writer = WRITERS[name](tmp_path)
    writer.close()
    writer.abort()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_said(tmp_path, monkeypatch, name):
    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match="disk is full"):
        write(name, tmp_path, pairs())
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize(
    ("name", "module", "said"),
    [
        ("coco", "pycocotools.mask", "pycocotools"),
        ("yolo", "cv2", "OpenCV"),
        ("labelme", "cv2", "OpenCV"),
    ],
)
def test_a_missing_library_is_said_with_the_command(tmp_path, monkeypatch, name, module, said):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        InputError, match=rf"{name} needs {said}.*pip install 'masktrail\[export\]'"
    ):
        write(name, tmp_path, pairs())
    assert list(tmp_path.iterdir()) == []


def test_which_exports_make_use_of_soft_masks():
    soft = {name for name, writer in WRITERS.items() if writer.needs_soft}
    assert soft == {"soft", "cutout", "alpha", "green"}


def test_a_video_that_cannot_be_encoded_is_left_out_aloud(tmp_path, caplog):
    """Wider than H.264 can be; masks and tables are finished."""
    folder = tmp_path / "wide"
    folder.mkdir()
    for index in range(3):
        Image.new("RGB", (17_000, 16)).save(folder / f"{index}.png")
    box = {1: Box(100, 0, 200, 16)}
    with caplog.at_level(logging.WARNING):
        report = track(folder, box, tmp_path / "out", "copy", "davis,csv,overlay", size=64)
    assert report.frames == 3 and len(list((tmp_path / "out/masks").iterdir())) == 3
    assert "overlay.mp4 could not be encoded" in caplog.text and "left out" in caplog.text
    assert caplog.text.count("left out") == 1
    assert not list((tmp_path / "out").glob("*overlay*"))
