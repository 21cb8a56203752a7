"""Looking through a video: any frame, the same pixels as reading it gives, memory bounded."""

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from masktrail.errors import InputError
from masktrail.video import browse, index, open_video
from masktrail.video.browse import Browser
from painted_videos import PaintVideo

ORDER = [0, 17, 3, 24, 23, 5, 6, 7, 0, 12]


def counted(path: Path) -> Browser:
    browser = Browser(path)
    end = time.monotonic() + 30
    while not browser.counted and time.monotonic() < end:
        time.sleep(0.01)
    assert browser.counted
    return browser


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("long.mp4", {"options": {"g": "250"}}),
        ("short.mp4", {"options": {"g": "7", "bf": "3"}}),
        ("open.mkv", {"options": {"g": "9", "x264-params": "open-gop=1:bframes=3"}}),
        ("old.avi", {"codec": "mpeg4", "options": {"g": "6"}, "tone": None}),
        ("turned.mov", {"rotation": 90, "options": {"g": "5"}}),
    ],
)
def test_every_frame_is_what_reading_gives(
    paint_video: PaintVideo, name: str, how: dict[str, Any]
) -> None:
    path = paint_video(name, frames=25, **how)
    images = [frame.image for frame in open_video(path)]
    browser = counted(path)
    assert browser.frames == len(images) == 25
    for place in ORDER:
        np.testing.assert_array_equal(browser.frame(place), images[place])
    browser.close()


def test_pictures_of_a_folder(picture_folder: Path) -> None:
    images = [frame.image for frame in open_video(picture_folder)]
    browser = counted(picture_folder)
    for place in (3, 0, len(images) - 1):
        np.testing.assert_array_equal(browser.frame(place), images[place])
    browser.close()


def test_the_first_frame_is_there_at_once_while_the_rest_is_counted(
    paint_video: PaintVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting gets no farther than the fourth frame before it is to end."""
    real, going_on = index.Index.add, threading.Event()

    def add(self: index.Index, *frame: Any) -> None:
        if len(self) == 3:
            going_on.wait(60)
        real(self, *frame)

    monkeypatch.setattr(index.Index, "add", add)
    browser = Browser(paint_video(frames=40, tone=None))
    assert not browser.counted
    assert browser.frame(0).shape[2] == 3
    with pytest.raises(InputError, match=r"no frame 39; .* so far"):
        browser.frame(39)
    closing = threading.Thread(target=browser.close)
    closing.start()
    assert browser._recording._closing.wait(60)  # type: ignore[attr-defined]
    going_on.set()
    closing.join()
    assert browser.frames <= 4


def test_few_frames_are_kept(paint_video: PaintVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    path = paint_video(frames=60, tone=None, options={"g": "8"})
    images = [frame.image for frame in open_video(path)]
    monkeypatch.setattr(browse, "KEPT_BYTES", images[0].nbytes * 8)
    browser = counted(path)
    for place in range(60):
        np.testing.assert_array_equal(browser.frame(place), images[place])
        assert len(browser._kept) <= 8
    browser.close()


@pytest.mark.parametrize("place", [-1, 12])
def test_a_frame_that_is_not_there(paint_video: PaintVideo, place: int) -> None:
    browser = counted(paint_video(tone=None))
    with pytest.raises(InputError, match=f"no frame {place}; .* has 12, counted from 0"):
        browser.frame(place)
    browser.close()
