"""Whether a prompt can be used on a frame, told before any work is done."""

from masktrail.errors import InputError
from masktrail.types import Box, Mask, Prompt

MAX_ID = 65535


def check_prompt(object_id: int, prompt: Prompt, height: int, width: int) -> Prompt:
    """The prompt, a box cut to the frame.

    Args:
        object_id: the object it is for.
        prompt: the prompt.
        height: of the frame, pixels.
        width: of the frame, pixels.

    Raises:
        InputError: an id out of range; a prompt that is neither mask nor box; a mask of another
            size or empty; a box without area or outside the frame.
    """
    if not 1 <= object_id <= MAX_ID:
        raise InputError(f"Object ids go from 1 to {MAX_ID}, not {object_id}.")
    if isinstance(prompt, Mask):
        return _check_mask(object_id, prompt, height, width)
    if isinstance(prompt, Box):
        return _check_box(object_id, prompt, height, width)
    found = type(prompt).__name__
    raise InputError(f"The prompt of object {object_id} must be a Mask or a Box, not {found}.")


def _check_mask(object_id: int, prompt: Mask, height: int, width: int) -> Mask:
    if prompt.mask.shape != (height, width):
        size = " x ".join(str(side) for side in reversed(prompt.mask.shape))
        raise InputError(
            f"The mask of object {object_id} is {size} pixels, the frame {width} x {height}; "
            "draw the mask on a frame of this video."
        )
    if not prompt.mask.any():
        raise InputError(
            f"The mask of object {object_id} is empty; mark at least one pixel of the object."
        )
    return Mask(prompt.mask.astype(bool))


def _check_box(object_id: int, box: Box, height: int, width: int) -> Box:
    text = f"{object_id}:{box.x0:g},{box.y0:g},{box.x1:g},{box.y1:g}"
    if not (box.x1 > box.x0 and box.y1 > box.y0):
        raise InputError(
            f"The box {text} has no area; give ID:x0,y0,x1,y1 with x1 > x0 and y1 > y0."
        )
    cut = Box(max(box.x0, 0), max(box.y0, 0), min(box.x1, width), min(box.y1, height))
    if not (cut.x1 > cut.x0 and cut.y1 > cut.y0):
        raise InputError(f"The box {text} lies outside the frame of {width} x {height} pixels.")
    return cut
