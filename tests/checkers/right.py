"""What works when it is run is right to type checkers too."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import masktrail


def frames(count: int) -> Iterator[NDArray[np.uint8]]:
    for _ in range(count):
        yield np.zeros((48, 64, 3), np.uint8)


def prompts(labels: NDArray[np.uint8], xyxy: NDArray[np.float32]) -> None:
    """Every kind, and the plain values that stand for them."""
    tracker = masktrail.load("memory-s", size=480, engine="openvino", precision="auto")
    image = np.zeros((48, 64, 3), np.uint8)
    tracker.step(image)
    tracker.step(image, {1: masktrail.Box(1, 2, 3, 4)})
    tracker.step(image, {1: (1, 2, 3, 4), 2: [1.5, 2.5, 3.5, 4.5], 3: xyxy[0]})
    tracker.step(image, {1: masktrail.Points([(1, 2)]), 2: masktrail.Points([(1, 2)], [True])})
    tracker.step(image, {1: masktrail.Points(xyxy[:, :2], np.ones(len(xyxy), bool))})
    tracker.step(image, {1: masktrail.Points([(1, 2)], [1], box=masktrail.Box(1, 2, 3, 4))})
    tracker.step(image, {1: labels == 1, 2: masktrail.Mask(labels)})
    tracker.step(image, masktrail.Mask.from_labels(labels))
    tracker.step(image, masktrail.Mask.from_file(Path("first.png")), colour="bgr")
    mixed: dict[int, masktrail.PromptLike] = {1: labels, 2: (1, 2, 3, 4)}
    tracker.step(image, mixed)


def opencv(frame: np.ndarray[Any, np.dtype[np.integer[Any] | np.floating[Any]]]) -> None:
    """Frames as OpenCV's own stubs type them."""
    result = masktrail.load().step(frame, {1: (1, 2, 3, 4)}, colour="bgr")
    shown: NDArray[np.uint8] = result.draw(frame, colour="bgr")
    print(shown.shape)


def results(result: masktrail.Result) -> tuple[float, float] | None:
    mask: NDArray[np.bool_] = result.mask(1)
    masks: dict[int, NDArray[np.bool_]] = result.masks()
    soft: NDArray[np.float32] = result.soft[1]
    found: masktrail.ObjectResult = result.objects[1]
    if found.state == "lost":
        return None
    score: float = found.score
    print(mask.sum(), len(masks), soft.max(), score, found.area, found.box)
    return found.centroid


def whole_videos(out: Path) -> None:
    first: masktrail.Prompts = {1: masktrail.Box(1, 2, 3, 4)}
    tracker = masktrail.load("memory-s")
    for frame, result in masktrail.propagate("in.mp4", first, start=3, direction="forward"):
        print(frame.index, frame.time, result.labels.dtype)
    for frame, result in masktrail.propagate(frames(5), {1: (1, 2, 3, 4)}, tracker):
        print(frame.image.shape, result.objects)
    later = {0: {1: masktrail.Box(1, 2, 3, 4)}, 4: {2: masktrail.Box(5, 6, 7, 8)}}
    for _ in masktrail.propagate(list(frames(5)), later, colour="bgr"):
        pass
    for _ in masktrail.propagate(0, {0: {1: (1, 2, 3, 4)}, 4: {2: masktrail.Points([(1, 2)])}}):
        pass
    with masktrail.open_video(0, end=9) as video:
        masktrail.track(video, first, out, tracker, ["davis", "csv"])
    with masktrail.open_video(np.zeros((5, 48, 64, 3), np.uint8)) as video:
        print(video.info.rate, [frame.index for frame in video])
    report: masktrail.Report = masktrail.track(
        Path("in.mp4"), first, "out", export="davis", settings={"top_k": 20}, edges="refined"
    )
    print(report.frames, report.fps, report.loss)


def many(image: NDArray[np.uint8]) -> None:
    tracker: masktrail.Tracker = masktrail.load(prompter=masktrail.load_prompter())
    other = tracker.clone()
    other.reset()
    other.load_state_dict(tracker.state_dict())
    other.remove(1)
    print(other.ids)
    try:
        tracker.step(image)
    except masktrail.InputError as error:
        print(error)
