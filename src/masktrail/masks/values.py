"""What values a mask picture holds, and whether it is a mask at all.

What the values mean is decided by `masktrail.masks.legend`, for all masks of a sequence at once.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

MAX_VALUES = 32  # a picture with more values than this has to prove that it is a mask
FLAT = 0.5  # share of pixels that are like their neighbours in a map of more values than that
VOID = 255  # index that DAVIS and PASCAL give to pixels nobody labelled
SOFTWARE = "MaskTrail"  # marks our own label maps: there index 255 is an object, not void
BLACK, WHITE, TRANSPARENT = 0, 0xFFFFFF, 0xFF000000  # as 0xTTRRGGBB, T = transparency

Kind = Literal["ours", "palette", "grey", "bits", "wide", "colour"]
"""Our own label maps; palettes that begin with black; grey of 8 bits, of 1, of 16; colours."""


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


@dataclass(frozen=True)
class Values:
    """What a mask picture holds, without its pixels.

    Attributes:
        kind: of picture.
        numbers: that occur, ascending; of colours 0xTTRRGGBB, T = transparency.
        colours: of these numbers, in their order; of grey and colours the numbers' own.
        counts: of pixels, likewise.
        border: the number that is commonest along the border.
    """

    kind: Kind
    numbers: tuple[int, ...]
    colours: tuple[int, ...]
    counts: tuple[int, ...]
    border: int


@dataclass(frozen=True)
class Stored:
    """A mask picture as it is stored.

    Attributes:
        values: what it holds.
        places: whole numbers (H, W); of colours where they stand in `values.numbers`, else the
            numbers themselves.
    """

    values: Values
    places: NDArray[Any]

    def labelled(self, ids: NDArray[np.uint16]) -> NDArray[Any]:
        """Label map (H, W), uint8 where that is enough, of the ids (K,) of `values.numbers`."""
        numbers = range(len(ids)) if self.values.kind == "colour" else self.values.numbers
        dtype = np.uint8 if ids.max(initial=0) <= 255 else np.uint16
        table = np.zeros(max(numbers, default=0) + 1, dtype)
        table[list(numbers)] = ids
        return np.take(table, self.places)


def stored(picture: "PILImage", by_colour: bool = False) -> Stored:
    """What an opened mask picture holds.

    Args:
        picture: of any mode.
        by_colour: whether the colours of a palette count, and not its numbers.

    Raises:
        InputError: anti-aliased or photographic.
    """
    ours = picture.info.get("Software") == SOFTWARE
    if picture.mode in ("P", "PA") and (ours or not (by_colour or _is_sorted_anew(picture))):
        return _palette(picture, ours)
    if picture.mode == "1":
        return _numbers(np.asarray(picture).astype(np.uint8), "bits")
    if picture.mode.startswith("I"):
        return _wide(np.asarray(picture), ours)
    if picture.mode == "L":
        return _grey(picture)
    return _colours(picture)


def _numbers(places: NDArray[Any], kind: Kind, colours: NDArray[Any] | None = None) -> Stored:
    """Of numbers that are what they are; grey unless `colours` (256,) have them otherwise."""
    numbers, counts = _counted(places)
    shades = numbers.astype(np.int64) * 0x010101 if colours is None else colours[numbers]
    border = _commonest_along_border(places)
    values = Values(kind, _whole(numbers), _whole(shades), _whole(counts), border)
    return Stored(values, places)


def _counted(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The values that occur (K,), ascending, and how often (K,)."""
    if values.dtype != np.uint8:
        return np.unique(values, return_counts=True)
    counts = np.bincount(values.reshape(-1), minlength=256)
    numbers = np.flatnonzero(counts)
    return numbers, counts[numbers]


def _whole(values: NDArray[Any]) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


def _is_sorted_anew(picture: "PILImage") -> bool:
    """Whether a tool has given a palette another order, so that its numbers mean nothing."""
    colours = _palette_of(picture)
    used = np.flatnonzero(picture.getchannel(0).histogram())
    black = [v for v in used if v < len(colours) and not colours[v].any()]
    return bool(colours[0].any() and black)


def _palette_of(picture: "PILImage") -> NDArray[np.uint8]:
    return np.asarray(picture.getpalette() or [0, 0, 0], np.uint8).reshape(-1, 3)


def _palette(picture: "PILImage", ours: bool) -> Stored:
    channel = picture.getchannel(0) if picture.mode == "PA" else picture
    numbers, colours = np.flatnonzero(channel.histogram()), _palette_of(picture)
    index = np.asarray(channel)
    standard = ours or np.array_equal(colours, palette()[: len(colours)])
    if not standard and len(numbers) > MAX_VALUES and not _is_flat(index, numbers):
        raise _too_many(len(numbers))
    table = np.zeros((256, 3), np.uint32)
    table[: len(colours)] = colours
    codes = table @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    return _numbers(index, "ours" if ours else "palette", codes)


def _wide(values: NDArray[Any], ours: bool) -> Stored:
    """16-bit grey (Pillow modes I;16 and I)."""
    numbers = np.unique(values)
    if numbers[0] < 0 or numbers[-1] > 65535:
        raise InputError(f"holds values {numbers[0]} to {numbers[-1]}; object ids are 1 to 65535.")
    if not ours and len(numbers) > MAX_VALUES and 2 * _count_thin(values, numbers) >= len(numbers):
        raise _too_many(len(numbers))
    return _numbers(values, "ours" if ours else "wide")


def _grey(picture: "PILImage") -> Stored:
    grey, numbers = np.asarray(picture), np.flatnonzero(picture.histogram())
    if len(numbers) > MAX_VALUES:
        if not _is_flat(grey, numbers):
            raise _too_many(len(numbers))
    elif set(numbers.tolist()) - {*range(MAX_VALUES), VOID}:
        _refuse_smooth(grey, numbers)
    return _numbers(grey, "grey")


def _colours(picture: "PILImage") -> Stored:
    """Any mode, by its colours; all that is transparent is alike."""
    rgba = np.asarray(picture.convert("RGBA")).astype(np.uint32)
    red, green, blue, alpha = (rgba[..., i] for i in range(4))
    code = (VOID - alpha) << 24 | red << 16 | green << 8 | blue
    code[alpha == 0] = TRANSPARENT
    codes, index, counts = np.unique(code, return_inverse=True, return_counts=True)
    index = index.reshape(code.shape)
    if len(codes) > MAX_VALUES:
        raise _too_many(len(codes))
    _refuse_smooth(index, np.arange(len(codes)))
    border = int(codes[_commonest_along_border(index)])
    return Stored(Values("colour", _whole(codes), _whole(codes), _whole(counts), border), index)


def _refuse_smooth(index: NDArray[Any], values: NDArray[Any]) -> None:
    """Refuses a picture of few values, most of which are nowhere but along edges."""
    count = len(values)
    if count > 2 and 2 * _count_thin(index, values) >= count - 1:
        raise InputError(
            f"has {count} values, most of them only along edges: it looks anti-aliased. "
            "Save the mask without smoothing, as a palette or black-and-white PNG."
        )


def _commonest_along_border(index: NDArray[Any]) -> int:
    border = np.concatenate([index[0], index[-1], index[:, 0], index[:, -1]])
    values, counts = np.unique(border, return_counts=True)
    return int(values[counts.argmax()])


def _count_thin(index: NDArray[Any], values: NDArray[Any]) -> int:
    """How many of the values nowhere fill a 2x2 block, as the shades of a smoothed edge do."""
    corner = index[:-1, :-1]
    solid = (corner == index[1:, :-1]) & (corner == index[:-1, 1:]) & (corner == index[1:, 1:])
    return len(values) - len(np.unique(corner[solid]))


def _is_flat(index: NDArray[Any], values: NDArray[np.integer[Any]]) -> bool:
    """Whether a picture is made of even patches, as a map of many ids is and no photograph."""
    even = (index[:-1, :-1] == index[1:, :-1]) & (index[:-1, :-1] == index[:-1, 1:])
    return bool(even.mean() >= FLAT) and 2 * _count_thin(index, values) < len(values)


def _too_many(count: int) -> InputError:
    return InputError(
        f"has {count} different values (more than {MAX_VALUES}): it looks like a photograph or "
        "an anti-aliased mask. Expected a palette or black-and-white PNG without smoothing."
    )
