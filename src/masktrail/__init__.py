"""MaskTrail: mark an object once in a video, get its mask in every other frame."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from masktrail.errors import InputError
    from masktrail.run import track
    from masktrail.tracking.tracker import Tracker
    from masktrail.types import Box, Frame, Mask, Points, Result
    from masktrail.video import open_video
    from masktrail.zoo import load

__version__ = "0.1.0"

__all__ = [
    "Box",
    "Frame",
    "InputError",
    "Mask",
    "Points",
    "Result",
    "Tracker",
    "load",
    "open_video",
    "track",
]

_HOMES = {
    "Box": "types",
    "Frame": "types",
    "InputError": "errors",
    "Mask": "types",
    "Points": "types",
    "Result": "types",
    "Tracker": "tracking.tracker",
    "load": "zoo",
    "open_video": "video",
    "track": "run",
}


def __getattr__(name: str) -> object:
    # names are looked up when first used, so that `import masktrail` does not wait for torch
    if name in _HOMES:
        return getattr(import_module(f"masktrail.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'masktrail' has no attribute {name!r}")
