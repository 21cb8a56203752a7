"""Frames that somebody else has read, as a video."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from masktrail.errors import InputError
from masktrail.types import Frame
from masktrail.video import Video, open_video
from painted_videos import paint_clip, write_video

IMAGES = list(paint_clip(7, (64, 48)).images)


class Lazy:
    """What reads frames when they are asked for, as readers of many libraries do."""

    def __len__(self) -> int:
        return len(IMAGES)

    def __getitem__(self, index: int) -> Any:
        return IMAGES[index]


@pytest.mark.parametrize("frames", [IMAGES, tuple(IMAGES), np.stack(IMAGES), Lazy()])
def test_what_can_be_indexed_is_a_video_like_any_other(frames: Any) -> None:
    with open_video(frames) as video:
        assert (video.info.width, video.info.height, video.info.frames) == (64, 48, 7)
        assert video.repeatable and video.given and video.expected == 7
        for _ in range(2):
            read = list(video)
            assert [frame.index for frame in read] == list(range(7))
            assert [frame.time for frame in read] == [t / 25 for t in range(7)]
            assert all(np.array_equal(f.image, i) for f, i in zip(read, IMAGES, strict=True))
        back = list(video.backward(5))
        assert [frame.index for frame in back] == [5, 4, 3, 2, 1, 0]
        assert np.array_equal(back[1].image, IMAGES[4])
    assert [frame.index for frame in open_video(frames, 2, 5)] == [2, 3, 4]


def test_an_iterator_is_read_when_it_is_asked() -> None:
    taken: list[int] = []

    def frames() -> Iterator[Any]:
        for t, image in enumerate(IMAGES):
            taken.append(t)
            yield image

    source = frames()
    video = open_video(source, end=4)
    assert taken == [0] and not video.repeatable and video.given
    for frame in video:
        assert taken[-1] == frame.index
    assert taken == [0, 1, 2, 3]
    video.close()
    assert next(source) is IMAGES[4], "it is its owner's, and goes on"


def test_channels_in_the_order_of_opencv() -> None:
    bgr = [image[..., ::-1] for image in IMAGES]
    for frame in open_video(iter(bgr), colour="bgr"):
        np.testing.assert_array_equal(frame.image, IMAGES[frame.index])
    with pytest.raises(InputError, match="of frames that are given alone; leave it"):
        open_video("in.mp4", colour="bgr")


def test_frames_keep_their_times() -> None:
    given = [Frame(image, 90 + t, 7 * t, Fraction(1, 90), 7) for t, image in enumerate(IMAGES)]
    with open_video(iter(given)) as video:
        assert video.info.time_base == Fraction(1, 90)
        read = list(video)
    assert [frame.index for frame in read] == list(range(7))
    assert [frame.time for frame in read] == [frame.time for frame in given]


@pytest.mark.parametrize(
    ("frames", "told"),
    [
        ([], "not one frame in what was given"),
        (iter(()), "not one frame in what was given"),
        ([1, 2], "A frame must be a numpy array, uint8 RGB"),
        (IMAGES[0], r"A frame must be .* not uint8 \(64, 3\)"),
        ({"a": 1}, r"is no video; give the path .* or frames"),
        (b"in.mp4", "is no video"),
    ],
)
def test_what_is_no_video_is_told(frames: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        open_video(frames)


def test_a_part_of_a_video(tmp_path: Any) -> None:
    path = write_video(tmp_path / "in.mp4", np.stack(IMAGES))
    for source in (path, IMAGES):
        whole = open_video(source, 1, 6)
        assert [frame.index for frame in open_video(whole)] == [1, 2, 3, 4, 5]
        assert [frame.index for frame in open_video(whole, 3)] == [3, 4, 5]
        assert [frame.index for frame in open_video(whole, 0, 3)] == [1, 2]
        assert [frame.index for frame in whole] == [1, 2, 3, 4, 5]
        with pytest.raises(InputError, match="Frames 6 to 6 were asked for"):
            open_video(whole, 6)
        assert isinstance(whole, Video) and whole.info.start == 1
