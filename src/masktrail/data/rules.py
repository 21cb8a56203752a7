"""What can be wrong with a data set, how bad it is, and what to do about it."""

from dataclasses import dataclass

from masktrail.data.sizes import MIN_AREA

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)
"""From what keeps the data from being used to what is merely good to know."""

HIGHEST_ID = 254
"""Packs hold one byte a pixel, and 255 is void."""


@dataclass(frozen=True)
class Finding:
    """Something found in a data set.

    Attributes:
        severity: one of `SEVERITIES`.
        count: how often.
        what: of which things, in the plural.
        examples: two at most, as sequence/file or sequence.
        advice: what to do, if anything.
    """

    severity: str
    count: int
    what: str
    examples: tuple[str, ...]
    advice: str


RULES = {
    "no masks": (
        ERROR,
        "sequences, and none has a mask",
        "Masks are Annotations/SEQUENCE/NAME.png, beside JPEGImages/SEQUENCE/NAME.jpg.",
    ),
    "picture": (ERROR, "pictures damaged or cut off", "Copy them again from where they came."),
    "mask": (ERROR, "masks damaged or cut off", "Copy them again from where they came."),
    "smooth": (
        ERROR,
        "masks that look anti-aliased or photographic",
        "Save them as palette or black-and-white PNG, without smoothing.",
    ),
    "size": (
        ERROR,
        "masks of another size than their picture",
        "Take the pictures they were made for, turned as they show, or resize them by nearest "
        "neighbour.",
    ),
    "sizes": (
        ERROR,
        "sequences whose pictures change size",
        "Split them where the size changes, or bring all pictures to one size.",
    ),
    "double": (
        ERROR,
        "pictures that share their name with another (0.jpg, 0.png)",
        "Keep one of each: a mask belongs to one frame.",
    ),
    "pages": (
        ERROR,
        "pictures of several pages",
        "A frame is one picture: save the pages as pictures of their own.",
    ),
    "stray": (
        ERROR,
        "masks without a picture",
        "Rename them, since a mask is called as its picture is; or delete them.",
    ),
    "suffix": (
        ERROR,
        "files among the masks that are not read",
        "Masks are PNGs, one for each picture; JPEG cannot hold a mask.",
    ),
    "hues": (
        ERROR,
        "sequences whose masks have more colours than they can have objects",
        "Give an object one colour in all masks, or save palette PNGs: index = object id.",
    ),
    "ids": (
        ERROR,
        f"masks with ids above {HIGHEST_ID}",
        f"Number objects from 1 to {HIGHEST_ID}; 255 is void.",
    ),
    "unnumbered": (
        WARNING,
        "pictures without a number among numbered ones",
        "They are taken for no frames, as a cover is none: give them a number if they are.",
    ),
    "unmarked": (
        WARNING,
        "sequences without any mask",
        "`prepare` skips them; `evaluate` wants them left out with --sequences.",
    ),
    "bare": (WARNING, "sequences without pictures", "They are skipped; delete the empty folders."),
    "short": (
        WARNING,
        "sequences of a single picture",
        "Nothing moves in them: nothing to train motion on or to measure.",
    ),
    "empty": (
        WARNING,
        "sequences whose masks are all empty",
        "Paint the object (not black), or leave them out.",
    ),
    "prompt": (
        WARNING,
        "sequences with one mask only",
        "Enough to track from; nothing to train on or to measure against.",
    ),
    "holes": (
        WARNING,
        "frames without a mask, in sequences with gaps here and there",
        "They are not trained on and not measured. Objects gone need an empty mask.",
    ),
    "gone": (
        WARNING,
        "objects that are in the first mask and in no other",
        "Often a stray pixel or an id used once by mistake; nothing to follow.",
    ),
    "colours": (
        NOTE,
        "sequences whose colours are taken as objects",
        "Fine: a colour has one number in all masks. Palette PNGs say which: index = object id.",
    ),
    "sparse": (
        NOTE,
        "sequences with a mask at every so many frames, as in YouTube-VOS",
        "Fine: frames in between are not trained on and not measured.",
    ),
    "late": (
        NOTE,
        "objects that are not yet in the first mask",
        "Fine for training; a run from the first mask alone does not know them.",
    ),
    "blank": (NOTE, "masks with nothing in them", "Fine where the objects are out of view."),
    "specks": (
        NOTE,
        f"objects smaller than {MIN_AREA:.1%} of their picture in every mask",
        "`train --data` learns from them in crops, if they have 0.002 %; other training hardly.",
    ),
    "alone": (
        WARNING,
        "masks in which 255 stands alone, and is void (background)",
        "Beside other ids it is void in all masks of a sequence: give an object its id.",
    ),
    "two": (NOTE, "masks of 0 and 255", "Fine: 255 is taken as object 1."),
    "void": (NOTE, "masks with void pixels (255)", "Fine: taken as background."),
    "capitals": (
        NOTE,
        "pictures with a suffix in capitals",
        "Fine here; other tools may overlook them.",
    ),
    "spaces": (
        NOTE,
        "sequences with spaces or commas in their names",
        "Put names in quotes; --sequences takes commas as separators.",
    ),
    "held out": (
        NOTE,
        "sequences named as those of DAVIS-2016 that are for measuring",
        "`train` refuses them, `prepare` leaves them out: rename your own that are called so.",
    ),
}
"""Severity, what is counted and what to do about it, in the order shown."""

OF_VIDEOS = {"short", "sizes", "empty"}
"""Those that say nothing of pictures that stand alone."""
