"""The two painted clips of 240 lines, as arrays: no codec stands between them and the trackers."""

from collections.abc import Callable
from functools import cache

from masktrail.demo.clip import RATE, Pond
from masktrail.types import Image, LabelMap
from returns import Scene

SIZE = (427, 240)
"""Width and height in pixels."""

DEMO_FRAMES = 90

Clip = list[tuple[Image, LabelMap]]
"""Pictures (H, W, 3) and label maps (H, W), 1 = the object."""


def demo() -> Clip:
    """The clip of `make demo`: a koi swims under a lily pad."""
    pond = Pond.make(SIZE, seed=0)
    return [pond.paint(t / (DEMO_FRAMES - 1), t / RATE) for t in range(DEMO_FRAMES)]


def returns() -> Clip:
    """A koi leaves the picture and comes back beside a look-alike."""
    scene = Scene(SIZE)
    return [scene.paint(t) for t in range(scene.frames)]


CLIPS: dict[str, Callable[[], Clip]] = {"demo": cache(demo), "returns": cache(returns)}
