"""What is wrong with a data set, and what to do about it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

from masktrail.data.davis import list_sequences
from masktrail.data.held_out import HELD_OUT
from masktrail.data.sequence import Sequence
from masktrail.data.sizes import MIN_AREA
from masktrail.errors import InputError
from masktrail.masks.legend import white_in

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)
"""From what keeps the data from being used to what is merely good to know."""

EXAMPLES = 2
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

Hit = tuple[str, str]
"""Key of `RULES`, and where."""


def check_data(
    root: Path | str, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[Finding]:
    """Looks at every file of a data set laid out as DAVIS, YouTube-VOS and MOSE are.

    Args:
        root: the data set, or the folder that holds it as `train`.
        progress: called with files done and files in all.

    Returns:
        Findings by severity; the note on what there is comes always.

    Raises:
        InputError: no such layout at `root`.
    """
    return judge(list_sequences(root), progress)


def require_sound(
    sequences: Iterable[Sequence],
    root: Path | str,
    progress: Callable[[int, int], None] = lambda done, total: None,
    many_objects: bool = False,
) -> None:
    """Refuses what `check_data` finds errors in, before anything is made of it.

    Args:
        sequences: that are to be used.
        root: the data set they are of, for the sentence.
        progress: called with files done and files in all.
        many_objects: whether ids above `HIGHEST_ID` are no error.

    Raises:
        InputError: what the first error is, and where.
    """
    for finding in judge(list(sequences), progress):
        if finding.severity == ERROR and not (many_objects and finding.what == RULES["ids"][1]):
            more = finding.count - len(finding.examples)
            where = ", ".join(finding.examples) + (f" and {more} more" if more else "")
            raise InputError(
                f"{root} cannot be used: {finding.what}: {where}. {finding.advice} "
                "All that is wrong is listed by `masktrail check-data`."
            )


def judge(
    sequences: list[Sequence],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Finding]:
    """The findings on what is read of sequences."""
    hits: list[Hit] = []
    done, total = 0, sum(_files(sequence) for sequence in sequences)
    for sequence in sequences:
        hits += _hits(sequence)
        done += _files(sequence)
        progress(done, total)
    if not any(map(_has_masks, sequences)):
        hits = [hit for hit in hits if hit[0] != "unmarked"]
        hits += [("no masks", sequence.name) for sequence in sequences]
    counts = Counter(key for key, _ in hits)
    findings = [Finding(NOTE, len(sequences), _inventory(sequences), (), "")]
    for key, (severity, what, advice) in RULES.items():
        if counts[key]:
            examples = tuple(islice((place for rule, place in hits if rule == key), EXAMPLES))
            findings.append(Finding(severity, counts[key], what, examples, advice))
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def _files(sequence: Sequence) -> int:
    return len(sequence.pictures) + len(sequence.masks)


def _has_masks(sequence: Sequence) -> bool:
    return bool(sequence.strays) or any(sequence.annotations)


def _hits(sequence: Sequence) -> Iterator[Hit]:
    yield from _names(sequence)
    yield from _pictures(sequence)
    yield from _masks(sequence)
    yield from _annotation(sequence)
    try:
        yield from _values(sequence)
        yield from _objects(sequence)
    except InputError:  # of its legend
        yield "hues", sequence.name


def _names(sequence: Sequence) -> Iterator[Hit]:
    if sequence.name in HELD_OUT:
        yield "held out", sequence.name
    if set(sequence.name) & set(" ,"):
        yield "spaces", sequence.name
    for stem, count in Counter(path.stem for path in sequence.frames).items():
        for _ in range(count - 1):
            yield "double", f"{sequence.name}/{stem}"
    for path in sequence.left_out:
        yield "unnumbered", f"{sequence.name}/{path.name}"
    for path in sequence.frames:
        if path.suffix != path.suffix.lower():
            yield "capitals", f"{sequence.name}/{path.name}"


def _pictures(sequence: Sequence) -> Iterator[Hit]:
    if not sequence.frames:
        if not sequence.strays:
            yield "bare", sequence.name
        return
    if len(sequence.frames) == 1:
        yield "short", sequence.name
    for picture in sequence.pictures:
        if picture.pages > 1:
            yield "pages", f"{sequence.name}/{picture.path.name}"
        if picture.size is None:
            yield "picture", f"{sequence.name}/{picture.path.name}"
    if len({picture.size for picture in sequence.pictures} - {None}) > 1:
        yield "sizes", sequence.name


def _masks(sequence: Sequence) -> Iterator[Hit]:
    """What is wrong with masks as files."""
    sizes = {picture.path.stem: picture.size for picture in sequence.pictures}
    for path in sequence.unread:
        yield "suffix", f"{sequence.name}/{path.name}"
    for path in sequence.strays:
        yield "stray", f"{sequence.name}/{path.name}"
    for mask in sequence.masks:
        where = f"{sequence.name}/{mask.path.name}"
        if mask.fault:
            yield "mask" if mask.fault == "damaged" else "smooth", where
        if mask.fault != "damaged" and sizes[mask.path.stem] not in (None, mask.size):
            yield "size", where


def _values(sequence: Sequence) -> Iterator[Hit]:
    """What is in masks that can be read."""
    legend = sequence.legend
    if "one object per colour" in legend.note:
        yield "colours", sequence.name
    for mask in sequence.masks:
        if mask.values is None:
            continue
        where, ids = f"{sequence.name}/{mask.path.name}", sequence.ids_in(mask)
        if not ids:
            yield "blank", where
        if max(ids, default=0) > HIGHEST_ID:
            yield "ids", where
        if legend.void_in(mask.values):
            yield ("void" if ids else "alone"), where
        elif ids == [1] and (white_in(mask.values) or mask.values.kind == "bits"):
            yield "two", where


def _annotation(sequence: Sequence) -> Iterator[Hit]:
    """Which frames have a mask: all, none, one, every fifth or so, or some."""
    places = [place for place, mask in enumerate(sequence.annotations) if mask is not None]
    steps = {after - before for before, after in pairwise(places)}
    if not _has_masks(sequence) and sequence.frames:
        yield "unmarked", sequence.name
    if not places or len(places) == len(sequence.frames):
        return
    if len(places) == 1:
        yield "prompt", sequence.name
    elif len(steps) == 1 and steps != {1}:
        yield "sparse", sequence.name
    else:
        for place, mask in enumerate(sequence.annotations):
            if mask is None:
                yield "holes", f"{sequence.name}/{sequence.frames[place].stem}"


def _objects(sequence: Sequence) -> Iterator[Hit]:
    """Which objects there are, among masks that can be read."""
    ids = [set(sequence.ids_in(mask)) for mask in sequence.masks if mask.values is not None]
    if not ids:
        return
    first, later = ids[0], set().union(*ids[1:])
    if not first | later:
        yield "empty", sequence.name
    for object_id in sorted(first - later if len(ids) > 1 else ()):
        yield "gone", f"{sequence.name} id {object_id}"
    for object_id in sorted(later - first):
        yield "late", f"{sequence.name} id {object_id}"
    for object_id, share in sorted(sequence.largest.items()):
        if share < MIN_AREA:
            yield "specks", f"{sequence.name} id {object_id}"


def _inventory(sequences: list[Sequence]) -> str:
    """ "sequences: 775 pictures of 200x136 to 360x240, 775 masks, 38 objects"."""
    sizes = sorted({p.size for s in sequences for p in s.pictures if p.size}, key=_area)
    span = " to ".join(f"{w}x{h}" for w, h in dict.fromkeys(sizes[:1] + sizes[-1:]))
    return (
        f"sequences: {sum(len(s.pictures) for s in sequences)} pictures"
        f"{' of ' + span if span else ''}, {sum(map(_count_masks, sequences))} masks, "
        f"{sum(map(_count_objects, sequences))} objects"
    )


def _count_masks(sequence: Sequence) -> int:
    return len(sequence.masks) + len(sequence.strays)


def _count_objects(sequence: Sequence) -> int:
    try:
        return len({i for mask in sequence.masks for i in sequence.ids_in(mask)})
    except InputError:  # of its legend
        return 0


def _area(size: Iterable[int]) -> int:
    width, height = size
    return width * height
