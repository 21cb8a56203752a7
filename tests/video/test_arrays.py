"""Frames that somebody else has read, as a video."""

import itertools
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


def test_an_iterator_that_is_read_again_goes_on() -> None:
    video = open_video(iter(IMAGES))
    for frame in video:
        if frame.index == 1:
            break
    assert [frame.index for frame in video.part(3, 5)] == [3, 4]
    rest = list(video)
    assert [frame.index for frame in rest] == [5, 6]
    assert np.array_equal(rest[0].image, IMAGES[5])


def test_pictures_are_copied_and_sequences_known_by_them() -> None:
    (first, *_), again = open_video(IMAGES), open_video(IMAGES[::-1])
    assert not np.shares_memory(first.image, IMAGES[0])
    assert open_video(IMAGES).content() == open_video(np.stack(IMAGES)).content()
    assert again.content() != open_video(IMAGES).content()
    assert open_video(iter(IMAGES)).content() is None


def test_a_video_that_is_given_has_its_own_ways(tmp_path: Any) -> None:
    video = open_video(IMAGES, values=(0, 9))
    assert open_video(video).values == (0, 9) == open_video(video, 2, values=(0, 9)).values
    for asked in ({"colour": "bgr"}, {"live": True}, {"values": (0, 8)}):
        with pytest.raises(InputError, match="are those of the Video that was given"):
            open_video(video, **asked)  # type: ignore[arg-type]


def test_a_part_is_closed_with_the_whole() -> None:
    with open_video(IMAGES) as video:
        frames = iter(open_video(video, 2))
        assert next(frames).index == 2
    assert list(frames) == []


def test_frames_keep_their_times() -> None:
    given = [Frame(image, 90 + t, 7 * t, Fraction(1, 90), 7) for t, image in enumerate(IMAGES)]
    with open_video(iter(given)) as video:
        assert video.info.time_base == Fraction(1, 90)
        read = list(video)
    assert [frame.index for frame in read] == list(range(7))
    assert [frame.time for frame in read] == [frame.time for frame in given]
    assert video.info.rate == Fraction(90, 7)


def test_times_go_on_where_one_video_follows_another() -> None:
    one = [Frame(image, t, 9 * t, Fraction(1, 90), 9) for t, image in enumerate(IMAGES[:3])]
    two = [Frame(image, t, 2 * t, Fraction(1, 10), 2) for t, image in enumerate(IMAGES[3:])]
    read = list(open_video(itertools.chain(one, two, iter(IMAGES[:1]))))
    assert [round(frame.time, 3) for frame in read] == [0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.1]
    assert {frame.time_base for frame in read} == {Fraction(1, 90)}


@pytest.mark.parametrize(
    ("frames", "told"),
    [
        ([], "not one frame in what was given"),
        (iter(()), "not one frame in what was given"),
        ([1, 2], "A frame must be a numpy array, uint8 RGB"),
        (IMAGES[0], r"A frame must be .* not uint8 \(64, 3\)"),
        ({"a": 1}, r"is no video; give the path .* or frames"),
        (b"in.mp4", "is no video"),
        ([Frame(None, 0, 0, Fraction(1))], "A frame must be"),  # type: ignore[arg-type]
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
