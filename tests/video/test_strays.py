"""What lies among the frames of a folder and is none: left out aloud, or refused."""

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

from masktrail.errors import InputError
from masktrail.video import open_video


def frames_of(folder: Path, caplog: pytest.LogCaptureFixture) -> tuple[int, str]:
    with caplog.at_level(logging.WARNING):
        return len(list(open_video(folder))), caplog.text


@pytest.mark.parametrize("strays", [["1.jpg"], ["1.jpg", "2.JPG", "3.jpeg", "7.bmp"], ["mask.png"]])
def test_a_few_are_left_out_aloud(
    picture_folder: Path, caplog: pytest.LogCaptureFixture, strays: list[str]
) -> None:
    for name in strays:
        shutil.copy(picture_folder / "1.png", picture_folder / name)
    frames, said = frames_of(picture_folder, caplog)
    assert frames == 12
    assert f"{len(strays)} of {12 + len(strays)} pictures" in said and strays[0] in said


def test_two_kinds_of_the_same_names_are_refused(picture_folder: Path) -> None:
    for path in list(picture_folder.iterdir()):
        shutil.copy(path, path.with_suffix(".jpg"))
    with pytest.raises(InputError, match=r"12 \.(jpg|png) and as many \.(jpg|png) of the same"):
        open_video(picture_folder)


@pytest.mark.parametrize(
    "rename",
    [
        lambda n: f"{n}.webp" if n > 6 else None,  # two kinds that go on with one another
        lambda n: "abcdefghijklm"[n] + ".png",  # no numbers anywhere
        lambda n: "first.png" if n == 1 else "second.png" if n == 2 else None,
    ],
)
def test_others_are_frames(
    picture_folder: Path, caplog: pytest.LogCaptureFixture, rename: Any
) -> None:
    for number in range(1, 13):
        if (name := rename(number)) is not None:
            (picture_folder / f"{number}.png").rename(picture_folder / name)
    assert frames_of(picture_folder, caplog) == (12, "")


def test_a_link_that_leads_nowhere_is_refused(picture_folder: Path) -> None:
    (picture_folder / "5.png").unlink()
    (picture_folder / "5.png").symlink_to(picture_folder / "gone.png")
    with pytest.raises(InputError, match=r"1 of 12 pictures .* lead nowhere, as 5.png"):
        open_video(picture_folder)
