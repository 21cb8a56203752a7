"""MaskTrail: mark an object once in a video, get its mask in every other frame.

    import masktrail

    tracker = masktrail.load("memory-s")
    for frame in masktrail.open_video("in.mp4"):  # frame.image: uint8 (H, W, 3) RGB
        prompts = {1: masktrail.Box(40, 60, 200, 300)} if frame.index == 0 else None
        result = tracker.step(frame.image, prompts)  # result.labels: (H, W), 0 = background
        print(frame.index, result.objects[1].state, result.objects[1].area)

`masktrail.track("in.mp4", {1: masktrail.Box(40, 60, 200, 300)}, out="DIR")` is the loop with files.
"""

import importlib as _importlib
import typing as _typing

if _typing.TYPE_CHECKING:
    from masktrail.errors import InputError
    from masktrail.evaluate.label_maps import Scores, jf
    from masktrail.run import Report, track
    from masktrail.run.plan import Prompts
    from masktrail.run.reading import Run, open_run
    from masktrail.tracking.tracker import Tracker
    from masktrail.types import Box, Frame, Mask, ObjectResult, Points, Prompt, Result
    from masktrail.video import Video, VideoWriter, open_video
    from masktrail.zoo import load

__version__ = "0.1.0"

__all__ = [
    "Box",
    "Frame",
    "InputError",
    "Mask",
    "ObjectResult",
    "Points",
    "Prompt",
    "Prompts",
    "Report",
    "Result",
    "Run",
    "Scores",
    "Tracker",
    "Video",
    "VideoWriter",
    "jf",
    "load",
    "open_run",
    "open_video",
    "track",
]

_HOMES = {
    "Box": "types",
    "Frame": "types",
    "InputError": "errors",
    "Mask": "types",
    "ObjectResult": "types",
    "Points": "types",
    "Prompt": "types",
    "Prompts": "run.plan",
    "Report": "run",
    "Result": "types",
    "Run": "run.reading",
    "Scores": "evaluate.label_maps",
    "Tracker": "tracking.tracker",
    "Video": "video",
    "VideoWriter": "video",
    "jf": "evaluate.label_maps",
    "load": "zoo",
    "open_run": "run.reading",
    "open_video": "video",
    "track": "run",
}


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})


# names are looked up when first used, so that `import masktrail` does not wait for numpy; checkers,
# which read the imports above, are to see a name that is misspelt
if not _typing.TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name in _HOMES:
            return getattr(_importlib.import_module(f"masktrail.{_HOMES[name]}"), name)
        raise AttributeError(f"module 'masktrail' has no attribute {name!r}")
