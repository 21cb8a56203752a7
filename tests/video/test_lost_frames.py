"""A picture that cannot be decoded is a lost frame: the others keep their places and times."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from masktrail.errors import InputError
from masktrail.prompts.kinds import Box
from masktrail.run import convert, track
from masktrail.video import open_video
from masktrail.video.browse import Browser
from painted_videos import Clip, paint_clip, write_video
from watched_runs import Stopped, stop_after

BOX = {1: Box(62, 22, 86, 44)}


def halve(picture: Path) -> None:
    picture.write_bytes(picture.read_bytes()[: picture.stat().st_size // 2])


@pytest.mark.parametrize("broken", [[7], [3, 4], [11], [0]])
def test_a_picture_of_a_folder(picture_folder: Path, clip: Clip, broken: list[int]) -> None:
    names = sorted(picture_folder.iterdir(), key=lambda path: int(path.stem))
    for index in broken:
        halve(names[index])
    video = open_video(picture_folder)
    frames = list(video)
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.index for frame in frames if frame.lost] == broken
    for frame in frames:
        kept = clip.images[[i for i in range(frame.index + 1) if i not in broken][-1]] if (
            frame.index or not frame.lost
        ) else np.zeros_like(clip.images[0])  # fmt: skip
        np.testing.assert_array_equal(frame.image, kept)
    assert video.loss and names[broken[0]].name in video.loss and str(len(broken)) in video.loss
    backward = list(open_video(picture_folder).backward(11))
    assert [frame.index for frame in backward] == list(range(11, -1, -1))
    assert sorted(frame.index for frame in backward if frame.lost) == broken


@pytest.fixture(params=["clip.avi", "clip.mkv", "clip.mov"])
def damaged(request: Any, tmp_path: Path) -> Path:
    """Twelve pictures, each by itself, of which number 5 is not one."""
    path = write_video(
        tmp_path / request.param, paint_clip().images, codec="mjpeg", pix_fmt="yuvj420p", tone=None
    )
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    content = path.read_bytes()
    assert content.count(packets[5]) == 1
    path.write_bytes(content.replace(packets[5], b"\0" * len(packets[5])))
    return path


def test_a_picture_of_a_container(damaged: Path) -> None:
    video = open_video(damaged)
    frames = list(video)
    whole = [frame.image for frame in frames]
    assert [frame.index for frame in frames if frame.lost] == [5]
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(12) / 25)
    assert np.array_equal(whole[5], whole[4]) and not np.array_equal(whole[6], whole[5])
    assert video.loss and "1 packet could not be decoded" in video.loss
    backward = list(open_video(damaged).backward(11))[::-1]
    for one, other in zip(frames, backward, strict=True):
        assert (one.index, one.pts, one.lost) == (other.index, other.pts, other.lost)
        np.testing.assert_array_equal(one.image, other.image)
    browser = Browser(damaged)
    while not browser.counted:
        pass
    assert browser.frames == 12
    for index in (11, 5, 6, 0):
        np.testing.assert_array_equal(browser.frame(index), whole[index])
    browser.close()


def test_the_mask_before_stands_for_it(damaged: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = track(damaged, BOX, out, "copy", "davis,csv,review")
    assert report.frames == 12 and report.loss
    masks = [(out / f"masks/{index:05d}.png").read_bytes() for index in range(12)]
    assert masks[5] == masks[4]
    rows = (out / "objects.csv").read_text().splitlines()[1:]
    states = {int(row.split(",")[0]): row.split(",") for row in rows}
    assert [frame for frame, row in states.items() if row[9] == "lost"] == [5]
    assert float(states[5][3]) == 0
    review = (out / "review.csv").read_text().splitlines()[1].split(",")
    assert (review[0], review[-1]) == ("5", "lost")
    assert convert(out, "json") == 12


def test_both_directions_pass_over_it(picture_folder: Path, tmp_path: Path) -> None:
    for index in (3, 6):
        halve(sorted(picture_folder.iterdir(), key=lambda path: int(path.stem))[index])
    out = tmp_path / "out"
    report = track(picture_folder, {5: BOX, 9: BOX}, out, "copy", "davis,csv")
    assert report.frames == 12
    masks = [(out / f"masks/{index:05d}.png").read_bytes() for index in range(12)]
    assert masks[3] == masks[2] and masks[6] == masks[5]


@pytest.mark.parametrize("prompts", [{6: BOX}, {0: BOX, 6: BOX}])
@pytest.mark.parametrize("direction", ["both", "forward"])
def test_it_cannot_be_marked(
    picture_folder: Path, tmp_path: Path, prompts: Any, direction: str
) -> None:
    halve(sorted(picture_folder.iterdir(), key=lambda path: int(path.stem))[6])
    with pytest.raises(InputError, match="Frame 6, which a prompt is for, cannot be decoded"):
        track(picture_folder, prompts, tmp_path / "out", "copy", "csv", direction=direction)


def test_a_run_that_goes_on_behind_it_is_the_same(
    damaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("masktrail.run.loop.KEPT_EVERY", 5)

    track(damaged, BOX, tmp_path / "whole", "copy", "davis,csv")
    with pytest.raises(Stopped):
        track(damaged, BOX, tmp_path / "out", "copy", "davis,csv", progress=stop_after(5))
    track(damaged, BOX, tmp_path / "out", "copy", "davis,csv", resume=True)
    for path in (tmp_path / "whole").glob("[mo]*/*"):
        other = tmp_path / "out" / path.relative_to(tmp_path / "whole")
        assert path.read_bytes() == other.read_bytes()
