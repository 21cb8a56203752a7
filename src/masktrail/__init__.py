"""MaskTrail: mark an object once in a video, get its mask in every other frame.

    import masktrail

    for frame, result in masktrail.propagate("in.mp4", {1: (40, 60, 200, 300)}):  # a box
        print(frame.index, result.objects[1].state, result.objects[1].area)
        picture = result.draw(frame.image)  # uint8 (H, W, 3) RGB; result.labels: (H, W)

or one call per frame, from wherever frames come:

    tracker = masktrail.load("memory-s")
    result = tracker.step(image, {1: masktrail.Points([(350, 170)])})
    result = tracker.step(next_image)

`masktrail.track("in.mp4", {1: (40, 60, 200, 300)}, out="DIR")` is the loop with files.
"""

import importlib as _importlib

TYPE_CHECKING = False  # which checkers take for true, without typing to be imported for it

if TYPE_CHECKING:
    from masktrail.errors import InputError
    from masktrail.evaluate.label_maps import Scores, jf
    from masktrail.prompts.kinds import Box, Mask, Points, Prompt, PromptLike
    from masktrail.results import ObjectResult, Result
    from masktrail.run import Report, propagate, track
    from masktrail.run.plan import Prompts
    from masktrail.run.reading import Run, open_run
    from masktrail.tracking.tracker import Tracker
    from masktrail.types import Frame
    from masktrail.video import Video, VideoWriter, open_video
    from masktrail.zoo import load, load_prompter

__version__ = "0.1.0"

__all__ = [
    "Box",
    "Frame",
    "InputError",
    "Mask",
    "ObjectResult",
    "Points",
    "Prompt",
    "PromptLike",
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
    "load_prompter",
    "open_run",
    "open_video",
    "propagate",
    "track",
]

_HOMES = {
    "Box": "prompts.kinds",
    "Frame": "types",
    "InputError": "errors",
    "Mask": "prompts.kinds",
    "ObjectResult": "results",
    "Points": "prompts.kinds",
    "Prompt": "prompts.kinds",
    "PromptLike": "prompts.kinds",
    "Prompts": "run.plan",
    "Report": "run",
    "Result": "results",
    "Run": "run.reading",
    "Scores": "evaluate.label_maps",
    "Tracker": "tracking.tracker",
    "Video": "video",
    "VideoWriter": "video",
    "jf": "evaluate.label_maps",
    "load": "zoo",
    "load_prompter": "zoo",
    "open_run": "run.reading",
    "open_video": "video",
    "propagate": "run",
    "track": "run",
}


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})


# names are looked up when first used, so that `import masktrail` does not wait for numpy; checkers,
# which read the imports above, are to see a name that is misspelt
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name in _HOMES:
            return getattr(_importlib.import_module(f"masktrail.{_HOMES[name]}"), name)
        raise AttributeError(f"module 'masktrail' has no attribute {name!r}")
