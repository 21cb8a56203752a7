"""Results of a whole video from one loop, without files."""

import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import masktrail
from fake import fake_tracker, memory_tracker
from masktrail.errors import InputError
from masktrail.masks import read_labels
from masktrail.prompts.kinds import Box, Mask
from masktrail.run import propagate, track
from masktrail.types import Frame
from memory_use import growth_over_a_generator
from painted_videos import paint_clip, write_video

CLIP = paint_clip(12, (96, 64))
FIRST = {i: Mask(CLIP.labels[0] == i) for i in (1, 2)}
LATER = {0: FIRST, 9: {1: Mask(CLIP.labels[9] == 1)}}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "in.mp4", CLIP.images)


@pytest.mark.parametrize("prompts", [FIRST, LATER])
@pytest.mark.parametrize("direction", ["both", "forward"])
@pytest.mark.parametrize("edges", ["plain", "refined"])
def test_results_are_those_of_a_run(
    video: Path, tmp_path: Path, prompts: Any, direction: Any, edges: Any
) -> None:
    asked = {"model": memory_tracker(64), "direction": direction, "edges": edges}
    track(video, prompts, tmp_path, export="davis", **asked)
    count = 0
    for frame, result in propagate(video, prompts, **asked):
        labels, _ = read_labels(tmp_path / "masks" / f"{frame.index:05d}.png")
        np.testing.assert_array_equal(result.labels, labels)
        count += 1
    assert count == 12
    assert not any(thread.name.startswith(("reader", "warm")) for thread in threading.enumerate())


def test_backward_alone(video: Path, tmp_path: Path) -> None:
    asked = {"model": memory_tracker(64), "direction": "backward"}
    track(video, {9: FIRST}, tmp_path, export="davis", **asked)
    results = list(propagate(video, {9: FIRST}, **asked))
    assert len(results) == 10
    for frame, result in results:
        labels, _ = read_labels(tmp_path / "masks" / f"{frame.index:05d}.png")
        np.testing.assert_array_equal(result.labels, labels)


@pytest.mark.parametrize("prompts", [FIRST, LATER])
def test_frames_may_come_from_anywhere(prompts: Any) -> None:
    tracker = memory_tracker(64)
    expected = [r for _, r in propagate(CLIP.images, prompts, tracker, direction="forward")]
    given = [image[..., ::-1] for image in CLIP.images]
    asked = {"direction": "forward", "colour": "bgr"}
    for frames in (given, iter(given), np.stack(given)):
        assert [r for _, r in propagate(frames, prompts, tracker, **asked)] == expected
    both = [r for _, r in propagate(np.stack(CLIP.images), LATER, tracker)]
    assert both != expected and len(both) == 12
    assert tracker.ids == (), "the tracker stays as it is"


def test_frames_that_cannot_be_read_again_are_tracked_forward_alone() -> None:
    with pytest.raises(InputError, match="cannot be tracked backward, as the prompt for frame 9"):
        next(propagate(iter(CLIP.images), LATER, fake_tracker()))


def test_a_frame_is_taken_when_its_result_is_asked_for() -> None:
    """So that a loop may show the next frame for what came of the one before."""
    taken: list[int] = []
    threads = set()

    def frames() -> Iterator[Any]:
        for t, image in enumerate(CLIP.images):
            taken.append(t)
            threads.add(threading.current_thread())
            yield image

    for frame, _ in propagate(frames(), FIRST, memory_tracker(64)):
        assert taken == list(range(frame.index + 1))
    assert threads == {threading.main_thread()}


@pytest.mark.parametrize("prompts", [FIRST, LATER])
def test_whoever_leaves_the_loop_leaves_nothing(video: Path, prompts: Any) -> None:
    before = threading.active_count()
    opened = _open_files()
    for frame, _ in propagate(video, prompts, memory_tracker(64)):
        if frame.index == 3:
            break
    assert threading.active_count() == before and _open_files() == opened
    results = propagate(video, prompts, memory_tracker(64))
    next(results)
    results.close()
    assert threading.active_count() == before and _open_files() == opened
    with pytest.raises(StopIteration):
        next(results)


def _open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def test_progress_counts_all_passes() -> None:
    told: list[tuple[int, int | None]] = []
    for _ in propagate(
        CLIP.images, LATER, fake_tracker(), progress=lambda *said: told.append(said)
    ):
        pass
    assert told[-1] == (12 + 10, 22) and [done for done, _ in told] == sorted(d for d, _ in told)


def test_a_part_of_a_video_counts_from_its_beginning(video: Path) -> None:
    parts = [
        propagate(video, FIRST, fake_tracker(), start=2, end=7),
        propagate(masktrail.open_video(video, 2, 7), FIRST, fake_tracker()),
        propagate(masktrail.open_video(video, 2), FIRST, fake_tracker(), end=7),
    ]
    found = [[(frame.index, result) for frame, result in part] for part in parts]
    assert [index for index, _ in found[0]] == [2, 3, 4, 5, 6]
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"prompts": {}}, "There is nothing to track"),
        ({"prompts": {30: FIRST}}, "ends before frame 30|ends with frame 11"),
        ({"prompts": {1: (500, 500, 600, 600)}}, "outside the frame"),
        ({"source": "missing.mp4"}, "There is no file or folder missing.mp4"),
        ({"direction": "up"}, "No direction 'up'"),
        ({"edges": "soft"}, "No edges 'soft'"),
        ({"size": 96}, "are those of the tracker"),
        ({"engine": "torch"}, "are those of the tracker"),
        ({"progress": 3}, "Progress is told to a function"),
        ({"model": "memry-s"}, "There is no model 'memry-s'"),
    ],
)
def test_what_cannot_be_done_is_told(video: Path, asked: Any, told: str) -> None:
    usual = {"source": video, "prompts": FIRST, "model": fake_tracker()}
    with pytest.raises(InputError, match=told):
        list(propagate(**{**usual, **asked}))


def test_a_tracker_that_is_given_runs_and_goes_on(video: Path, tmp_path: Path) -> None:
    tracker = memory_tracker(64)
    tracker.step(CLIP.images[0], {300: Box(4, 4, 30, 30)})
    report = track(video, FIRST, tmp_path, model=tracker, export=["davis", "csv"], end=6)
    assert report.frames == 6 and tracker.ids == (300,)
    assert (tmp_path / "objects.csv").is_file() and not (tmp_path / "overlay.mp4").exists()
    again = track(video, FIRST, tmp_path, model=tracker, export="davis,csv", end=6, resume=True)
    assert again.frames == 6
    with pytest.raises(InputError, match="a run of another"):
        track(video, FIRST, tmp_path, model=fake_tracker(), export="davis", end=6, resume=True)
    with pytest.raises(InputError, match=r"Exports are named, as .* not 5"):
        track(video, FIRST, tmp_path / "b", model=tracker, export=5)  # type: ignore[arg-type]


def reused() -> Iterator[Any]:
    """Frames in the room of one."""
    room = np.empty_like(CLIP.images[0])
    for image in CLIP.images:
        room[:] = image
        yield room


def test_frames_may_come_in_the_room_of_one(tmp_path: Path) -> None:
    tracker = memory_tracker(64)
    for out, frames in (("a", reused()), ("b", CLIP.images)):
        asked = {"export": "davis,overlay", "direction": "forward"}
        assert track(frames, FIRST, tmp_path / out, tracker, **asked).frames == 12
    for name in ("overlay.mp4", *(f"masks/{t:05d}.png" for t in range(12))):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    kept = [frame.image for frame, _ in propagate(reused(), FIRST, tracker)]
    np.testing.assert_array_equal(np.stack(kept), CLIP.images)


def test_a_run_of_other_frames_is_another_run(tmp_path: Path) -> None:
    asked = {"model": fake_tracker(), "export": "davis", "resume": True}
    track(CLIP.images, FIRST, tmp_path, **asked)
    assert track(CLIP.images.copy(), FIRST, tmp_path, **asked, keep_finished=True).frames == 12
    with pytest.raises(InputError, match="a run of another video"):
        track(CLIP.images[::-1], FIRST, tmp_path, **asked)


def test_a_refused_prompt_takes_no_frame() -> None:
    video = masktrail.open_video(iter(CLIP.images))
    with pytest.raises(InputError, match="outside the frame"):
        list(propagate(video, {1: (500, 1, 600, 9)}, fake_tracker()))
    first, _ = next(propagate(video, FIRST, fake_tracker()))
    assert first.index == 0 and np.array_equal(first.image, CLIP.images[0])


def test_frames_that_are_lost_have_no_detections() -> None:
    frames = [
        Frame(image, t, t, Fraction(1, 25), 1, lost=t == 3) for t, image in enumerate(CLIP.images)
    ]
    found = {f.index: r for f, r in propagate(frames, FIRST, fake_tracker())}
    assert {i: o.state for i, o in found[3].objects.items()} == {1: "lost", 2: "lost"}
    np.testing.assert_array_equal(found[3].labels, found[2].labels)
    if find_spec("supervision"):
        assert len(found[3].to_supervision()) == 0 and len(found[2].to_supervision()) == 2


def test_whoever_leaves_a_live_video_need_not_wait_for_a_frame() -> None:
    go_on = threading.Event()

    def stalling() -> Iterator[Any]:
        yield from CLIP.images[:2]
        go_on.wait(60)

    results = propagate(masktrail.open_video(stalling(), live=True), FIRST, fake_tracker())
    next(results)
    begun = time.monotonic()
    results.close()
    assert time.monotonic() - begun < 20
    go_on.set()


@pytest.mark.parametrize("again", [True, False])
def test_runs_of_frames_that_are_given(tmp_path: Path, again: bool) -> None:
    """Their overlay has their pictures, and who can be read again can be tracked both ways."""
    frames = CLIP.images if again else iter(CLIP.images)
    asked = {"model": memory_tracker(64), "export": ["davis", "overlay"]}
    report = track(frames, LATER if again else FIRST, tmp_path, **asked)
    assert report.frames == 12
    with masktrail.open_video(tmp_path / "overlay.mp4") as overlay:
        assert len(list(overlay)) == 12 and overlay.info.rate == 25
    if again:
        assert track(CLIP.images, LATER, tmp_path, resume=True, **asked).frames == 12
    else:
        with pytest.raises(InputError, match="cannot be seen again"):
            track(iter(CLIP.images), FIRST, tmp_path, resume=True, **asked)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_frames_of_a_generator() -> None:
    """5,000 frames, of which one in ten alone would be 16 MiB."""
    assert growth_over_a_generator("copy", 5000) < 5
