"""Arrays that are given as frames: whether they can be, and in which order their colours lie."""

from typing import get_args

import numpy as np

from masktrail.errors import InputError
from masktrail.types import Colour, Frame, Image


def as_rgb(image: object, colour: Colour = "rgb") -> Image:
    """A frame, RGB, of one whose channels lie in a certain order; or the other way round.

    Args:
        image: uint8 (H, W, 3).
        colour: the order.

    Raises:
        InputError: no such order, or as `check_image`.
    """
    if colour not in get_args(Colour):
        raise InputError(f"Frames are {' or '.join(get_args(Colour))}, not {colour!r}.")
    checked = check_image(image)
    return checked if colour == "rgb" else np.ascontiguousarray(checked[..., ::-1])


def check_image(image: object) -> Image:
    """The image; what is no picture is refused.

    Raises:
        InputError: it is no array, not uint8 RGB (H, W, 3), or has no pixels.
    """
    wanted = "A frame must be a numpy array, uint8 RGB of shape (H, W, 3)"
    if isinstance(image, Frame):
        raise InputError(f"{wanted}, not a Frame; give its image, as tracker.step(frame.image).")
    if not isinstance(image, np.ndarray):
        kind = type(image)
        library = "" if kind.__module__ == "builtins" else kind.__module__.split(".")[0] + "."
        advice = (
            "the frame comes before its prompts"
            if isinstance(image, dict)
            else "numpy.asarray makes one of most pictures"
        )
        raise InputError(f"{wanted}, not {library}{kind.__qualname__}; {advice}.")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise InputError(f"{wanted}, not {image.dtype} {image.shape}.")
    if not image.size:
        raise InputError(f"{wanted}; this one has no pixels, its shape is {image.shape}.")
    return image
