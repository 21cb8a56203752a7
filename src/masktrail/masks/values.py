"""What the values of a mask picture mean: palette indices, ids, colours, or nothing usable.

The rules stand in the docstring of `masktrail.masks.read_labels`.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.types import LabelMap

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

MAX_VALUES = 32  # a picture with more values than this is no hand-made mask
FLAT = 0.8  # share of pixels that are like their neighbours in a map of more values than that
VOID = 255  # index that DAVIS and PASCAL give to pixels nobody labelled
SOFTWARE = "MaskTrail"  # marks our own label maps: there index 255 is an object, not void
_BLACK, _WHITE, _TRANSPARENT = 0, 0xFFFFFF, 0xFF000000  # as 0xTTRRGGBB, T = transparency


@cache
def palette() -> NDArray[np.uint8]:
    """The colour map of PASCAL VOC and DAVIS: uint8 RGB, shape (256, 3), row = object id.

    Bits 0, 3, 6 of the id become the high bits of red, 1, 4, 7 of green, 2, 5 of blue.
    """
    ids = np.arange(256)
    colours = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= ((ids >> (3 * bit + channel) & 1) << (7 - bit)).astype(np.uint8)
    colours.setflags(write=False)
    return colours


def interpret(picture: "PILImage") -> tuple[LabelMap, str | None]:
    """Label map (H, W) of an opened picture, and a note where ids were made up.

    Raises:
        InputError: anti-aliased or photographic.
    """
    if picture.mode in ("P", "PA"):
        return _from_palette(picture)
    if picture.mode == "1":
        return np.asarray(picture).astype(np.uint8), None
    if picture.mode.startswith("I"):
        return _from_wide(np.asarray(picture), _is_ours(picture))
    if picture.mode == "L":
        return _from_grey(picture)
    return _from_colour(picture)


def _is_ours(picture: "PILImage") -> bool:
    return picture.info.get("Software") == SOFTWARE


def _from_palette(picture: "PILImage") -> tuple[LabelMap, str | None]:
    index = np.asarray(picture.getchannel(0) if picture.mode == "PA" else picture)
    if _is_ours(picture):
        return index.copy(), None
    values = np.flatnonzero(picture.getchannel(0).histogram())
    colours = np.asarray(picture.getpalette() or [0, 0, 0], np.uint8).reshape(-1, 3)
    black = [v for v in values if v < len(colours) and not colours[v].any()]
    if colours[0].any() and black:  # a tool sorted the palette anew: its indices mean nothing
        return _from_colour(picture)
    if len(values) > MAX_VALUES and not np.array_equal(colours, palette()[: len(colours)]):
        raise _too_many(len(values))
    if not set(values.tolist()) - {0, VOID}:
        return (index > 0).astype(np.uint8), None
    return _without_void(index) if VOID in values else (index.copy(), None)


def _without_void(ids: NDArray[np.uint8]) -> tuple[LabelMap, str]:
    void = ids == VOID
    note = f"{np.count_nonzero(void)} pixels of value 255 (void) are taken as background"
    return np.where(void, 0, ids).astype(np.uint8), note


def _from_wide(values: NDArray[Any], ours: bool) -> tuple[LabelMap, str | None]:
    """16-bit grey (Pillow modes I;16 and I): value = object id."""
    ids = np.unique(values)
    if ids[0] < 0 or ids[-1] > 65535:
        raise InputError(f"holds values {ids[0]} to {ids[-1]}; object ids are 1 to 65535.")
    if not ours and len(ids) <= 2 and ids[-1] in (255, 65535):
        return (values == ids[-1]).astype(np.uint8), None
    if not ours and len(ids) > MAX_VALUES and 2 * _count_thin(values, ids) >= len(ids):
        raise _too_many(len(ids))
    return values.astype(np.uint8 if ids[-1] <= 255 else np.uint16), None


def _from_grey(picture: "PILImage") -> tuple[LabelMap, str | None]:
    grey, values = np.asarray(picture), np.flatnonzero(picture.histogram())
    if values[-1] < MAX_VALUES:
        return grey.copy(), None
    if len(values) > 2 and set(values.tolist()) <= {*range(MAX_VALUES), VOID}:
        return _without_void(grey)
    if len(values) > MAX_VALUES and _is_flat(grey, values):
        return grey.copy(), None
    position = np.zeros(256, np.uint8)
    position[values] = np.arange(len(values))
    return _number(np.take(position, grey), values.astype(np.uint32) * 0x010101)


def _from_colour(picture: "PILImage") -> tuple[LabelMap, str | None]:
    """Any colour mode; a colour's code is 0xTTRRGGBB, T = transparency, all transparent alike."""
    rgba = np.asarray(picture.convert("RGBA")).astype(np.uint32)
    red, green, blue, alpha = (rgba[..., i] for i in range(4))
    code = (VOID - alpha) << 24 | red << 16 | green << 8 | blue
    code[alpha == 0] = _TRANSPARENT
    codes, index = np.unique(code, return_inverse=True)
    return _number(index.reshape(code.shape), codes)


def _number(
    index: NDArray[np.integer[Any]], codes: NDArray[np.uint32]
) -> tuple[LabelMap, str | None]:
    """Colours to object ids: `index` (H, W) points into the ascending colour `codes` (K,)."""
    if len(codes) > MAX_VALUES:
        raise _too_many(len(codes))
    if len(codes) > 2 and 2 * _count_thin(index, np.arange(len(codes))) >= len(codes) - 1:
        raise InputError(
            f"has {len(codes)} values, most of them only along edges: it looks anti-aliased. "
            "Save the mask without smoothing, as a palette or black-and-white PNG."
        )
    ground, note = _background(index, codes)
    objects = [k for k in range(len(codes)) if k != ground]
    ids = np.zeros(len(codes), np.uint8)
    ids[objects] = _davis_ids(codes[objects]) or range(1, len(objects) + 1)
    if len(objects) > 1 or any(codes[k] != _WHITE for k in objects):
        what = ", ".join(f"{ids[k]} = {_colour_name(codes[k])}" for k in objects)
        note = "; ".join(filter(None, [note, f"one object per colour: {what}"]))
    return np.take(ids, index), note


def _background(
    index: NDArray[np.integer[Any]], codes: NDArray[np.uint32]
) -> tuple[int | None, str | None]:
    """Which colour is background: its place in `codes` (None: no colour), and a note if unsure."""
    for colour in (_TRANSPARENT, _BLACK):
        matches = np.flatnonzero(codes == colour)
        if matches.size:
            return int(matches[0]), None
    if len(codes) == 1:
        return None, None
    border = np.concatenate([index[0], index[-1], index[:, 0], index[:, -1]])
    ground = int(np.bincount(border).argmax())
    return ground, f"no black in it, so {_colour_name(codes[ground])} is taken as background"


def _davis_ids(codes: NDArray[np.uint32]) -> list[int] | None:
    """DAVIS numbers of several colours if all of them are DAVIS colours, else None."""
    table = palette()[:MAX_VALUES].astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    ids = {int(code): object_id for object_id, code in enumerate(table)}
    if len(codes) < 2 or not all(int(code) in ids for code in codes):
        return None
    return [ids[int(code)] for code in codes]


def _count_thin(index: NDArray[Any], values: NDArray[Any]) -> int:
    """How many of the values nowhere fill a 2x2 block, as the shades of a smoothed edge do."""
    corner = index[:-1, :-1]
    solid = (corner == index[1:, :-1]) & (corner == index[:-1, 1:]) & (corner == index[1:, 1:])
    return len(values) - len(np.unique(corner[solid]))


def _is_flat(grey: NDArray[np.uint8], values: NDArray[np.integer[Any]]) -> bool:
    """Whether a picture is made of even patches, as a map of many ids is and no photograph."""
    even = (grey[:-1, :-1] == grey[1:, :-1]) & (grey[:-1, :-1] == grey[:-1, 1:])
    return bool(even.mean() >= FLAT) and 2 * _count_thin(grey, values) < len(values)


def _colour_name(code: np.uint32) -> str:
    if code == _TRANSPARENT:
        return "transparent"
    red, green, blue = (int(code) >> shift & 255 for shift in (16, 8, 0))
    return f"grey {red}" if red == green == blue else f"rgb({red}, {green}, {blue})"


def _too_many(count: int) -> InputError:
    return InputError(
        f"has {count} different values (more than {MAX_VALUES}): it looks like a photograph or "
        "an anti-aliased mask. Expected a palette or black-and-white PNG without smoothing."
    )
