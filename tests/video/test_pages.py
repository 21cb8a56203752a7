"""Pictures of many pages are videos: stacks, animations; among frames they are refused."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from masktrail.errors import InputError
from masktrail.prompts.kinds import Box
from masktrail.run import track
from masktrail.video import open_video, seek
from masktrail.video import pages as pages_module
from masktrail.video.browse import Browser
from masktrail.video.pages import count_png_pages, is_video
from painted_videos import Clip

LOSSLESS: dict[str, dict[str, Any]] = {
    "stack.tif": {"compression": "tiff_lzw"},
    "moving.webp": {"lossless": True, "duration": [40] * 11 + [120]},
    "moving.png": {"duration": 40},
    "moving.apng": {"format": "PNG", "duration": 40},
}


def save(path: Path, clip: Clip, **how: Any) -> Path:
    first, *others = [Image.fromarray(image) for image in clip.images]
    first.save(path, save_all=True, append_images=others, **how)
    return path


@pytest.mark.parametrize("name", LOSSLESS)
def test_pages_are_frames(tmp_path: Path, clip: Clip, name: str, monkeypatch: Any) -> None:
    path = save(tmp_path / name, clip, **LOSSLESS[name])
    assert is_video(path)
    video = open_video(path)
    frames = list(video)
    assert video.expected == 12 and video.loss is None and video.info.rate == 25
    np.testing.assert_array_equal([frame.image for frame in frames], clip.images)
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(12) / 25)
    if name == "moving.webp":
        assert frames[-1].duration == 120
    monkeypatch.setattr(seek, "ROOM_BYTES", 5 * frames[0].image.nbytes)
    backward = list(open_video(path, 2).backward(10))
    assert [(f.index, f.pts) for f in backward] == [(f.index, f.pts) for f in frames[10:1:-1]]
    np.testing.assert_array_equal([f.image for f in backward], clip.images[10:1:-1])
    browser = Browser(path)
    assert browser.frames == 12 and browser.counted
    np.testing.assert_array_equal(browser.frame(7), clip.images[7])
    browser.close()


def test_an_avif_is_tracked(tmp_path: Path, clip: Clip) -> None:
    path = save(tmp_path / "moving.avif", clip, duration=40)
    report = track(path, {1: Box(62, 22, 86, 44)}, tmp_path / "out", "copy")
    assert report.frames == 12 and report.loss is None
    assert len(list(open_video(tmp_path / "out/overlay.mp4"))) == 12


def test_a_single_page_is_no_video(tmp_path: Path, clip: Clip) -> None:
    path = tmp_path / "one.tif"
    Image.fromarray(clip.images[0]).save(path)
    assert not is_video(path)
    with pytest.raises(InputError, match="is a single picture, not a video"):
        open_video(path)


def test_pages_of_different_sizes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mixed.tif"
    Image.new("L", (64, 48)).save(path, save_all=True, append_images=[Image.new("L", (32, 24))])
    with pytest.raises(InputError, match="pages of different sizes \\(32x24, 64x48\\)"):
        open_video(path)


def test_a_stack_among_frames_is_refused(picture_folder: Path, clip: Clip) -> None:
    save(picture_folder / "13.tif", clip)
    with pytest.raises(InputError, match=r"13.tif holds 12 pages, and a frame of a folder is one"):
        open_video(picture_folder)


def test_a_png_that_tells_of_more_pages_ends_where_they_do(tmp_path: Path, clip: Clip) -> None:
    path = save(tmp_path / "moving.png", clip, duration=40)
    whole = path.read_bytes()
    assert count_png_pages(path) == 12
    place = whole.index(b"acTL")
    told = b"acTL" + (600_000).to_bytes(4, "big") + bytes(4)
    path.write_bytes(
        whole[:place] + told + zlib.crc32(told).to_bytes(4, "big") + whole[place + 16 :]
    )
    video = open_video(path)
    frames = list(video)
    np.testing.assert_array_equal([frame.image for frame in frames], clip.images)
    assert video.loss == f"{path} tells of 600000 pages and holds 12."
    path.write_bytes(whole[: whole.rindex(b"fcTL") - 100])
    video = open_video(path)
    assert [frame.lost for frame in video] == [False] * 10 + [True]
    assert video.loss


def test_a_picture_before_an_animation_is_its_first_page(tmp_path: Path, clip: Clip) -> None:
    path = save(tmp_path / "moving.png", clip, duration=40, default_image=True)
    assert count_png_pages(path) == 11
    video = open_video(path)
    assert len(list(video)) == 12 and video.loss is None


def test_tags_that_are_damaged_cost_no_frame(tmp_path: Path, clip: Clip) -> None:
    """The orientation of an animation cannot be asked for; its pictures can be decoded."""
    path = save(tmp_path / "moving.png", clip, duration=40)
    whole = path.read_bytes()
    end = whole.rindex(b"IEND") - 4
    path.write_bytes(whole[:end] + b"\0\0\0\x08eXIfMM\0*\0\0\0\x08....")
    video = open_video(path)
    assert (video.info.width, video.info.height) == (96, 64)
    assert len(list(video)) == 12


def test_a_picture_without_one_page_that_can_be_read_is_refused(
    tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "stack.tif", clip)

    def fail(self: Any, index: int) -> Any:
        raise OSError("broken data stream")

    monkeypatch.setattr(pages_module.PagedPicture, "_at", fail)
    with pytest.raises(InputError, match=r"Not one page of .*stack\.tif can be decoded"):
        open_video(path)


def test_a_damaged_page_is_a_lost_frame(tmp_path: Path, clip: Clip) -> None:
    path = save(tmp_path / "stack.tif", clip, compression="tiff_lzw")
    with Image.open(path) as picture:
        picture.seek(5)
        (offset,), (length,) = picture.tag_v2[273], picture.tag_v2[279]
    content = bytearray(path.read_bytes())
    content[offset : offset + length] = b"\xff" * length
    path.write_bytes(content)
    video = open_video(path)
    frames = list(video)
    assert [frame.index for frame in frames if frame.lost] == [5] and len(frames) == 12
    assert video.loss and "1 of 12 pages cannot be decoded, page 5" in video.loss
    np.testing.assert_array_equal(frames[6].image, clip.images[6])
