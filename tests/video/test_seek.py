"""A recording in any order: counted once for all who look at it, closed with the last of them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from masktrail.errors import InputError
from masktrail.run.pipeline import ahead
from masktrail.video import index as indexing
from masktrail.video import open_video, seek
from masktrail.video.browse import Browser
from masktrail.video.container import ContainerSource
from masktrail.video.seek import Recording, frames_backward
from masktrail.video.watch import Watch
from painted_videos import PaintVideo


def recording(path: Path) -> Recording:
    with open_video(path) as video:
        return video.recording()


def counted_of(path: Path) -> list[seek.Counting]:
    """What is kept of a file while somebody looks at it."""
    return [one for (name, *_), one in seek._COUNTED.items() if name == str(path.resolve())]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with every frame that is decoded."""
    frames: list[int] = []
    see = Watch.see
    monkeypatch.setattr(Watch, "see", lambda self, raw: (frames.append(1), see(self, raw)))
    return frames


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ContainerSource]]:
    """Containers that are open."""
    sources: list[ContainerSource] = []
    begin, close = ContainerSource.__init__, ContainerSource.close

    def opening(self: ContainerSource, *given: Any, **named: Any) -> None:
        begin(self, *given, **named)
        sources.append(self)

    def closing_(self: ContainerSource) -> None:
        close(self)
        sources[:] = [source for source in sources if source is not self]

    monkeypatch.setattr(ContainerSource, "__init__", opening)
    monkeypatch.setattr(ContainerSource, "close", closing_)
    yield sources
    assert not sources, "nothing stays open"


@pytest.mark.parametrize("end", [1, 7, 60])
def test_what_is_counted_in_part_is_closed_too(
    paint_video: PaintVideo, opened: list[ContainerSource], end: int
) -> None:
    path = paint_video(frames=40, tone=None)
    one = recording(path)
    one.count(end)
    assert len(one) == min(end, 40) and one.counted == (end > 40)
    one.close()
    one.close()  # a second time does no harm
    assert not opened and not counted_of(path)


def test_two_who_look_at_a_file_count_it_once(
    paint_video: PaintVideo, decoded: list[int], opened: list[ContainerSource]
) -> None:
    path = paint_video(frames=40, tone=None, options={"g": "8"})
    first, second = recording(path), recording(path)
    first.count(20)
    before = len(decoded)
    second.count(20)
    assert len(decoded) == before and len(second) == 20
    first.close()
    second.count(40)
    assert len(second) == 40
    images = [frame.image for frame in open_video(path)]
    for place in (39, 3, 20):
        (frame,) = second.stretch(range(place, place + 1))
        np.testing.assert_array_equal(frame.image, images[place])
    second.close()


def test_many_threads_count_every_frame_once(paint_video: PaintVideo) -> None:
    path = paint_video(frames=60, tone=None)
    times = [frame.pts for frame in open_video(path)]
    several = [recording(path) for _ in range(4)]
    threads = [threading.Thread(target=one.count, args=(60,)) for one in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {len(one) for one in several} == {60}
    (counting,) = counted_of(path)
    assert counting.index.times.tolist() == times
    for one in several:
        one.close()


def test_frames_are_picked_as_they_are_counted(paint_video: PaintVideo, decoded: list[int]) -> None:
    """And decoded once; a key frame is not needed."""
    path = paint_video(frames=60, tone=None, options={"g": "300"})
    images = [frame.image for frame in open_video(path)]
    decoded.clear()
    ticks: list[int] = []
    with closing(recording(path)) as one:
        found = list(one.pick([2, 40, 41, 58], lambda: ticks.append(1)))
    assert [frame.index for frame in found] == [2, 40, 41, 58]
    for frame in found:
        np.testing.assert_array_equal(frame.image, images[frame.index])
    assert len(ticks) == 59 and len(decoded) <= 59 + 4, "each opening decodes a frame"


@pytest.mark.parametrize("key", [300, 8])
def test_frames_that_are_counted_are_picked_in_one_go(
    paint_video: PaintVideo, decoded: list[int], key: int
) -> None:
    """From the beginning where no key frame helps, once for all of them."""
    path = paint_video(frames=60, tone=None, options={"g": str(key), "bf": "0"})
    images = [frame.image for frame in open_video(path)]
    with closing(recording(path)) as one:
        one.count(60)
        decoded.clear()
        found = list(one.pick([41, 47, 59]))
    for frame in found:
        np.testing.assert_array_equal(frame.image, images[frame.index])
    assert len(decoded) <= (62 if key == 300 else 3 * 8 + 3)


def test_what_is_not_there_is_not_picked(paint_video: PaintVideo, picture_folder: Path) -> None:
    for path in (paint_video(tone=None), picture_folder):
        with closing(recording(path)) as one:
            assert [frame.index for frame in one.pick([0, 11, 12, 40])] == [0, 11]
            with pytest.raises(InputError, match="ends with frame 11; frame 12 was asked for"):
                list(frames_backward(one, 0, 12))


def test_a_reader_that_is_stopped_leaves_its_file_before_it_is_closed(
    paint_video: PaintVideo, opened: list[ContainerSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "ROOM", 8)
    one = recording(paint_video(frames=60, size=(640, 360), tone=None, options={"g": "30"}))
    frames = ahead(frames_backward(one, 0, 59))
    with pytest.raises(KeyboardInterrupt), closing(one), closing(frames):
        for frame in frames:
            if frame.index == 52:  # the next chunk is being decoded
                raise KeyboardInterrupt
    assert not opened


def test_who_could_not_count_says_so_to_all(
    paint_video: PaintVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = paint_video(frames=20, tone=None)
    one, other = recording(path), recording(path)
    add = indexing.Index.add

    failures = [MemoryError()]

    def fail(self: indexing.Index, *given: Any) -> None:
        if len(self) == 5 and failures:
            raise failures.pop()
        add(self, *given)

    monkeypatch.setattr(indexing.Index, "add", fail)
    for each in (one, other):
        with pytest.raises(MemoryError):
            each.count(20)
        each.close()


def test_many_broken_pictures_stand_for_the_one_before_them(
    picture_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (first, *_) = sorted(picture_folder.iterdir())
    content = first.read_bytes()
    (folder / f"0{first.suffix}").write_bytes(content)
    for place in range(1, 1200):
        (folder / f"{place}{first.suffix}").write_bytes(content[: len(content) // 8])
    browser = Browser(folder)
    np.testing.assert_array_equal(browser.frame(1199), browser.frame(0))
    browser.close()


@pytest.fixture
def slow_counting(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    going_on = threading.Event()
    behind = seek.File._count_all

    def wait(self: seek.File) -> None:
        going_on.wait(60)
        behind(self)

    monkeypatch.setattr(seek.File, "_count_all", wait)
    return going_on.set


def test_the_first_frame_is_there_whoever_is_late(
    paint_video: PaintVideo, slow_counting: Callable[[], None]
) -> None:
    browser = Browser(paint_video(frames=20, tone=None))
    assert browser.frame(0).shape[2] == 3 and browser.frames == 1
    slow_counting()
    browser.close()
