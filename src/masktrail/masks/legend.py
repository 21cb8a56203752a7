"""What the values of masks mean: decided once for all masks of a sequence, so that an object that
leaves gives no other its id.

The rules stand in the docstring of `masktrail.masks.read_labels`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from masktrail.errors import InputError
from masktrail.masks.values import (
    BLACK,
    MAX_VALUES,
    TRANSPARENT,
    VOID,
    WHITE,
    Kind,
    Values,
    palette,
    stored,
)
from masktrail.types import LabelMap

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

WIDE_WHITE = 65535

VOID_COLOUR = 0xE0E0C0
"""Of pixels nobody labelled, in the palette of PASCAL and DAVIS."""


@dataclass(frozen=True)
class Legend:
    """The object id of every value.

    Attributes:
        ids: by kind of picture and value; 0 is background.
        by_colour: whether the colours of palettes count, and not their numbers.
        void: whether pixels of value 255 are background because nobody labelled them.
        note: what is to be said aloud, where ids were made up; else "".
    """

    ids: Mapping[Kind, Mapping[int, int]]
    by_colour: bool = False
    void: bool = False
    note: str = ""

    def read(self, picture: "PILImage") -> tuple[LabelMap, int]:
        """Label map (H, W) of an opened picture, and how many of its pixels are void.

        Raises:
            InputError: anti-aliased, photographic, or of a value that is not among those that the
                legend was decided from.
        """
        found = stored(picture, self.by_colour)
        ids = np.array(self.ids_of(found.values), np.uint16)
        return found.labelled(ids), self.void_in(found.values)

    def void_in(self, values: Values) -> int:
        """How many pixels of a mask are void."""
        return white_in(values) if self.void else 0

    def ids_of(self, values: Values) -> list[int]:
        """The id of each of `values.numbers`.

        Raises:
            InputError: one is not among those that the legend was decided from.
        """
        known = self.ids.get(values.kind, {})
        strange = [number for number in values.numbers if number not in known]
        if strange:
            raise InputError(
                f"has {_colour_name(strange[0])}, which none of the masks has that it goes with."
            )
        return [known[number] for number in values.numbers]


def interpret(picture: "PILImage") -> tuple[LabelMap, str | None]:
    """Label map (H, W) of an opened picture that stands alone, and a note where ids were made up
    or pixels ignored.

    Raises:
        InputError: anti-aliased or photographic.
    """
    legend = decide([stored(picture).values])
    labels, void = legend.read(picture)
    said = f"{void} pixels of value {VOID} (void) are taken as background" if void else ""
    return labels, "; ".join(filter(None, (legend.note, said))) or None


def white_in(values: Values) -> int:
    """How many pixels of a mask have the value 255, of those whose value may be an id."""
    white = {"palette": VOID, "grey": VOID, "colour": WHITE}.get(values.kind)
    return values.counts[values.numbers.index(white)] if white in values.numbers else 0


def colours_count(masks: Sequence[Values]) -> bool:
    """Whether palettes are to be read by their colours: there are masks that are colours anyhow, or
    a colour has another number in another mask, as where tools number the colours of each mask."""
    coloured = [mask for mask in masks if mask.kind == "colour"]
    if coloured and not _are_grey(coloured):
        return True
    palettes = [mask for mask in masks if mask.kind == "palette"]
    if any(len(set(mask.colours)) < len(mask.colours) for mask in palettes):
        return False  # only their numbers tell them apart
    numbers: dict[int, int] = {}
    for mask in palettes:
        for number, colour in zip(mask.numbers, mask.colours, strict=True):
            if numbers.setdefault(colour, number) != number:
                return True
    return False


def decide(masks: Sequence[Values], by_colour: bool = False) -> Legend:
    """What the values of the masks of a sequence mean.

    Args:
        masks: what each of them holds; where `by_colour`, by the colours of their palettes.
        by_colour: whether those count.

    Raises:
        InputError: there are more colours than hand-made masks have.
    """
    coloured = [mask for mask in masks if mask.kind == "colour"]
    grey = _are_grey(coloured)
    small = [mask for mask in masks if mask.kind in ("palette", "grey", "bits")]
    small += map(_as_grey, coloured if grey else ())
    numbers, notes, void = _union(small), list[str](), False
    if _are_shades(small, numbers):
        shades, notes = _of_colours(small)
        numbered = {number: shades[number * 0x010101] for number in numbers}
    else:
        numbered, void = _of_numbers(small)
    ids: dict[Kind, Mapping[int, int]] = dict.fromkeys(("palette", "grey", "bits"), numbered)
    ids["ours"] = {n: n for n in _union(mask for mask in masks if mask.kind == "ours")}
    ids["wide"] = _of_wide(_union(mask for mask in masks if mask.kind == "wide"))
    ids["colour"] = {number * 0x010101: i for number, i in numbered.items()}
    if not grey:
        ids["colour"], said = _of_colours(coloured, max(ids["ours"], default=None))
        notes += said
    return Legend(ids, by_colour, void, "; ".join(notes))


def _are_grey(coloured: Iterable[Values]) -> bool:
    """Whether colours are values of grey, stored in three channels."""
    return all(code % 0x010101 == 0 and code <= WHITE for m in coloured for code in m.numbers)


def _as_grey(mask: Values) -> Values:
    values = tuple(code % 256 for code in mask.numbers)
    return replace(mask, kind="grey", numbers=values, border=mask.border % 256)


def _union(masks: Iterable[Values]) -> list[int]:
    return sorted({number for mask in masks for number in mask.numbers})


def _of_wide(numbers: Sequence[int]) -> dict[int, int]:
    """16-bit grey: the value is the id; black and white, one object."""
    if (
        len(numbers) <= 2
        and numbers
        and numbers[-1] in (VOID, WIDE_WHITE)
        and not any(numbers[:-1])
    ):
        return {number: int(number > 0) for number in numbers}
    return {number: number for number in numbers}


def _are_shades(masks: Iterable[Values], numbers: Sequence[int]) -> bool:
    """Whether greys are colours rather than ids: one alone, or up to white, and none small."""
    objects = [number for number in numbers if number]
    grey = all(mask.kind == "grey" for mask in masks if any(mask.numbers))
    return (
        grey
        and min(objects, default=0) >= MAX_VALUES
        and (len(objects) == 1 or VOID in objects)
        and len(objects) < MAX_VALUES
    )


def _of_numbers(masks: Sequence[Values]) -> tuple[dict[int, int], bool]:
    """The value is the id, 255 beside others void; also whether it is so. Where masks of 0 and 1
    stand beside masks of 0 and 255, both show one object."""
    numbers = _union(masks)
    objects = set(numbers) - {0}
    together = any({1, VOID} <= set(mask.numbers) for mask in masks)
    if objects <= {1, VOID} and not together:
        return {number: int(number > 0) for number in numbers}, False
    return {number: number % VOID for number in numbers}, VOID in objects


def _of_colours(
    masks: Sequence[Values], taken: int | None = None
) -> tuple[dict[int, int], list[str]]:
    """Ids by colour, and what is to be said.

    They are those of DAVIS if all colours are its (a single one is only beside our own masks, whose
    highest id is `taken`: it may be anything elsewhere), else those that follow what is taken.
    """
    codes = sorted({colour for mask in masks for colour in mask.colours})
    if len(codes) > MAX_VALUES:
        raise InputError(
            f"hold {len(codes)} colours in all (more than {MAX_VALUES}); expected the same few in "
            "all masks of a sequence, one for each object."
        )
    grounds, notes = _background(masks, codes)
    objects = [code for code in codes if code not in grounds]
    if len(objects) > 1 and VOID_COLOUR in objects:
        grounds.append(VOID_COLOUR)
        objects.remove(VOID_COLOUR)
        notes.append(f"{_colour_name(VOID_COLOUR)} is void, taken as background")
    numbers = _davis_ids(objects) if len(objects) > 1 or taken is not None else None
    first = (taken or 0) + 1
    ids = dict(zip(objects, numbers or range(first, first + len(objects)), strict=True))
    if len(objects) > 1 or any(code != WHITE for code in objects):
        what = ", ".join(f"{ids[code]} = {_colour_name(code)}" for code in objects)
        notes.append(f"one object per colour: {what}")
    return {**ids, **dict.fromkeys(grounds, 0)}, notes


def _background(masks: Sequence[Values], codes: Sequence[int]) -> tuple[list[int], list[str]]:
    """Which colours are background, and what is to be said where that is unsure. Black is none in a
    mask that is transparent elsewhere."""
    if any({TRANSPARENT, BLACK} <= set(mask.colours) for mask in masks):
        return [TRANSPARENT], []
    if TRANSPARENT in codes or BLACK in codes:
        return [code for code in (TRANSPARENT, BLACK) if code in codes], []
    if len(codes) <= 1:
        return [], []
    borders = [mask.colours[mask.numbers.index(mask.border)] for mask in masks]
    ground = max(sorted(set(borders)), key=borders.count)
    return [ground], [f"no black in it, so {_colour_name(ground)} is taken as background"]


def _davis_ids(codes: Sequence[int]) -> list[int] | None:
    """DAVIS numbers of colours if all of them are DAVIS colours, else None."""
    table = palette()[:MAX_VALUES].astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    ids = {int(code): object_id for object_id, code in enumerate(table)}
    return [ids[code] for code in codes] if all(code in ids for code in codes) else None


def _colour_name(code: int) -> str:
    if code == TRANSPARENT:
        return "transparent"
    red, green, blue = (code >> shift & 255 for shift in (16, 8, 0))
    return f"grey {red}" if red == green == blue else f"rgb({red}, {green}, {blue})"
