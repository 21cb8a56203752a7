"""An object that leaves the picture for 40 frames and comes back beside a look-alike.

    python benchmarks/returns.py [--model memory-s] [--width 854] [--height 480]

Painted by arithmetic: a koi swims out at the right, and in again with another koi of the same shape
and size whose patches differ. Prints after how many frames it was said to be lost, in how many
frames something was marked while it was gone, how soon it was found again, and the mean J of the
30 frames after its return.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from masktrail.demo.clip import Pond
from masktrail.demo.things import Koi, plane, soft
from masktrail.evaluate.measures import region_similarity
from masktrail.masks import write_labels
from masktrail.prompts.kinds import Mask
from masktrail.results import Result
from masktrail.zoo import load

GONE, AFTER = 40, 30
"""Frames without the object; frames that count after its return."""

LENGTH, SPEED = 230.0, 22.0
OUTSIDE = 854 + 0.62 * LENGTH
"""Lengths in pixels of a 480-line picture, speed per frame."""


@dataclass(frozen=True)
class Figures:
    """What a tracker did of the clip.

    Attributes:
        lost_after: frames from the first without the object to the first that says so; None: never.
        marked: frames, from the third without the object on, in which something is marked.
        found_after: frames from its return to the first that has half of it right; None: never.
        similarity: mean J of the frames after its return.
    """

    lost_after: int | None
    marked: int
    found_after: int | None
    similarity: float


class Scene:
    """The painted clip; the object is 1.

    Args:
        size: (width, height) in pixels.
        seed: of the textures.
    """

    def __init__(self, size: tuple[int, int] = (854, 480), seed: int = 0) -> None:
        self.pond = Pond.make(size, seed)
        rng = np.random.default_rng(seed + 1)
        self.other_skin = self.pond.skin[::-1, ::-1] - np.float32(0.5 + 0.1 * rng.random())
        width, height = size
        unit = height / 480
        left = (width / unit - 854) / 2
        ys, xs = np.mgrid[:height, :width]
        self.x, self.y = plane((xs + 0.5) / unit - left), plane((ys + 0.5) / unit)
        self.ground = self.pond.ground[:height, :width] * np.float32(1.1)
        self.frames = self.returns + AFTER

    @property
    def leaves(self) -> int:
        """First frame without the object."""
        return int(np.ceil((OUTSIDE - 400) / SPEED)) + 1

    @property
    def returns(self) -> int:
        """First frame with the object again."""
        return self.leaves + GONE

    def paint(self, frame: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Picture (H, W, 3) and label map (H, W), 1 = the object."""
        image, labels = self.ground.copy(), np.zeros(self.ground.shape[:2], np.uint8)
        phase = 0.35 * frame
        if frame < self.leaves:
            fish = Koi(400 + SPEED * frame, 230 + 20 * np.sin(frame / 9), 0.0, LENGTH, phase)
            self._draw(image, fish, self.pond.skin, labels, 1)
        elif frame >= self.returns:
            swum = SPEED * 0.7 * (frame - self.returns + 1)
            other_fish = Koi(OUTSIDE + 20 - swum, 350.0, np.pi, LENGTH, phase + 2)
            fish = Koi(OUTSIDE - swum, 170 + 0.1 * swum, np.pi, LENGTH, phase)
            self._draw(image, other_fish, self.other_skin, labels, 0)
            self._draw(image, fish, self.pond.skin, labels, 1)
        return image.clip(0, 255).astype(np.uint8), labels

    def _draw(self, image, fish: Koi, skin, labels, object_id: int) -> None:
        depth = fish.depth(self.x, self.y)
        rows, columns = np.nonzero(depth > -2)
        if not rows.size:
            return
        part = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        opaque = soft(depth[part], 1)
        colours = fish.colours(self.x[part], self.y[part], skin)
        image[part] += (colours - image[part]) * opaque[..., None]
        labels[part][opaque > 0.5] = object_id


def main() -> None:
    """Parses the arguments, tracks the clip and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="memory-s")
    parser.add_argument("--size", type=int, help="short side to work at, pixels")
    parser.add_argument("--width", type=int, default=854)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--masks", type=Path, help="folder to keep the masks in")
    arguments = parser.parse_args()
    scene = Scene((arguments.width, arguments.height), arguments.seed)
    results, truths = [], []
    tracker = load(arguments.model, size=arguments.size)
    for frame in range(scene.frames):
        image, truth = scene.paint(frame)
        results.append(tracker.step(image, {1: Mask(truth == 1)} if frame == 0 else None))
        truths.append(truth)
        if arguments.masks:
            arguments.masks.mkdir(parents=True, exist_ok=True)
            write_labels(arguments.masks / f"{frame:05d}.png", results[-1].labels)
    show(measure(scene, truths, results))


def measure(scene: Scene, truths: list[NDArray[np.uint8]], results: list[Result]) -> Figures:
    """Holds results against the truth."""
    gone = results[scene.leaves : scene.returns]
    lost = [t for t, result in enumerate(gone) if result.objects[1].state == "lost"]
    similarities = [
        region_similarity(truth == 1, result.labels == 1)
        for truth, result in list(zip(truths, results, strict=True))[scene.returns :]
    ]
    regained = [t for t, value in enumerate(similarities) if value >= 0.5]
    return Figures(
        lost_after=min(lost, default=None),
        marked=sum(bool(result.labels.any()) for result in gone[3:]),
        found_after=min(regained, default=None),
        similarity=float(np.mean(similarities)),
    )


def show(figures: Figures) -> None:
    """Prints the figures, one per line."""
    print(f"lost after {figures.lost_after} frames (wanted: 3 at most)")
    print(f"marked in {figures.marked} of {GONE - 3} frames while it was gone (wanted: 0)")
    print(f"found {figures.found_after} frames after its return")
    print(f"mean J of the {AFTER} frames after its return: {figures.similarity:.3f} (wanted: 0.7)")


if __name__ == "__main__":
    main()
