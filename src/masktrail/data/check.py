"""What is wrong with a data set, and what to do about it."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

from masktrail.data.davis import HELD_OUT
from masktrail.data.inventory import SequenceInfo, read_inventory

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
        "Resize them by nearest neighbour, or take the pictures they were made for.",
    ),
    "sizes": (
        ERROR,
        "sequences whose pictures change size",
        "Split them where the size changes, or bring all pictures to one size.",
    ),
    "order": (
        ERROR,
        "sequences whose names sort out of time (1, 10, 2)",
        "Names are sorted as text: fill the numbers up with zeros, as 00001.jpg.",
    ),
    "double": (
        ERROR,
        "pictures that share their name with another (0.jpg, 0.png)",
        "Keep one of each: a mask belongs to one frame.",
    ),
    "stray": (
        ERROR,
        "masks without a picture",
        "Rename them, since a mask is called as its picture is; or delete them.",
    ),
    "suffix": (
        ERROR,
        "files among the masks that are not read",
        "Masks end in .png, in small letters; JPEG cannot hold a mask.",
    ),
    "ids": (
        ERROR,
        f"masks with ids above {HIGHEST_ID}",
        f"Number objects from 1 to {HIGHEST_ID}; 255 is void.",
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
        WARNING,
        "masks whose colours had to be numbered",
        "The numbers may change from frame to frame. Save palette PNGs: index = object id.",
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
        "sequences of DAVIS-2016 that are for measuring",
        "`train` refuses them, `prepare` leaves them out.",
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
    return judge(read_inventory(Path(root), progress))


def judge(sequences: list[SequenceInfo]) -> list[Finding]:
    """The findings on what was read."""
    hits = [hit for sequence in sequences for hit in _hits(sequence)]
    if not any(sequence.masks for sequence in sequences):
        hits = [hit for hit in hits if hit[0] != "unmarked"]
        hits += [("no masks", sequence.name) for sequence in sequences]
    counts = Counter(key for key, _ in hits)
    findings = [Finding(NOTE, len(sequences), _inventory(sequences), (), "")]
    for key, (severity, what, advice) in RULES.items():
        if counts[key]:
            examples = tuple(islice((place for rule, place in hits if rule == key), EXAMPLES))
            findings.append(Finding(severity, counts[key], what, examples, advice))
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def _hits(sequence: SequenceInfo) -> Iterator[Hit]:
    yield from _names(sequence)
    yield from _pictures(sequence)
    yield from _masks(sequence)
    yield from _annotation(sequence)
    yield from _objects(sequence)


def _names(sequence: SequenceInfo) -> Iterator[Hit]:
    if sequence.name in HELD_OUT:
        yield "held out", sequence.name
    if set(sequence.name) & set(" ,"):
        yield "spaces", sequence.name
    stems = [picture.path.stem for picture in sequence.pictures]
    if len({re.sub(r"\d+", "0", stem) for stem in stems}) == 1 and stems != sorted(
        stems, key=lambda stem: [int(number) for number in re.findall(r"\d+", stem)]
    ):
        yield "order", sequence.name
    for stem, count in Counter(stems).items():
        for _ in range(count - 1):
            yield "double", f"{sequence.name}/{stem}"
    for picture in sequence.pictures:
        if picture.path.suffix != picture.path.suffix.lower():
            yield "capitals", f"{sequence.name}/{picture.path.name}"


def _pictures(sequence: SequenceInfo) -> Iterator[Hit]:
    if not sequence.pictures:
        if not sequence.masks:
            yield "bare", sequence.name
        return
    if len(sequence.pictures) == 1:
        yield "short", sequence.name
    for picture in sequence.pictures:
        if picture.size is None:
            yield "picture", f"{sequence.name}/{picture.path.name}"
    if len({picture.size for picture in sequence.pictures} - {None}) > 1:
        yield "sizes", sequence.name


def _masks(sequence: SequenceInfo) -> Iterator[Hit]:
    sizes = {picture.path.stem: picture.size for picture in sequence.pictures}
    kinds = {"damaged": "mask", "no label map": "smooth", "colours": "colours", "two values": "two"}
    for path in sequence.others:
        yield "suffix", f"{sequence.name}/{path.name}"
    for mask in sequence.masks:
        where = f"{sequence.name}/{mask.path.name}"
        if mask.kind in kinds:
            yield kinds[mask.kind], where
        if mask.path.stem not in sizes:
            yield "stray", where
        elif mask.kind != "damaged" and sizes[mask.path.stem] not in (None, mask.size):
            yield "size", where
        if mask.kind == "ids" and not mask.ids:
            yield "blank", where
        if mask.void:
            yield "void", where
        if max(mask.ids, default=0) > HIGHEST_ID:
            yield "ids", where


def _annotation(sequence: SequenceInfo) -> Iterator[Hit]:
    """Which frames have a mask: all, none, one, every fifth or so, or some."""
    stems = list(dict.fromkeys(picture.path.stem for picture in sequence.pictures))
    marked = {mask.path.stem for mask in sequence.masks}
    places = [place for place, stem in enumerate(stems) if stem in marked]
    steps = {after - before for before, after in pairwise(places)}
    if not sequence.masks and stems:
        yield "unmarked", sequence.name
    if not places or len(places) == len(stems):
        return
    if len(places) == 1:
        yield "prompt", sequence.name
    elif len(steps) == 1 and steps != {1}:
        yield "sparse", sequence.name
    else:
        for stem in stems:
            if stem not in marked:
                yield "holes", f"{sequence.name}/{stem}"


def _objects(sequence: SequenceInfo) -> Iterator[Hit]:
    """Which objects there are, among masks that can be read."""
    masks = [mask for mask in sequence.masks if mask.kind not in ("damaged", "no label map")]
    if not masks:
        return
    first, later = set(masks[0].ids), {i for mask in masks[1:] for i in mask.ids}
    if not first | later:
        yield "empty", sequence.name
    for object_id in sorted(first - later if len(masks) > 1 else ()):
        yield "gone", f"{sequence.name} id {object_id}"
    for object_id in sorted(later - first):
        yield "late", f"{sequence.name} id {object_id}"


def _inventory(sequences: list[SequenceInfo]) -> str:
    """ "sequences: 775 pictures of 200x136 to 360x240, 775 masks, 38 objects"."""
    sizes = sorted({p.size for s in sequences for p in s.pictures if p.size}, key=_area)
    span = " to ".join(f"{w}x{h}" for w, h in dict.fromkeys(sizes[:1] + sizes[-1:]))
    objects = sum(len({i for mask in s.masks for i in mask.ids}) for s in sequences)
    return (
        f"sequences: {sum(len(s.pictures) for s in sequences)} pictures"
        f"{' of ' + span if span else ''}, {sum(len(s.masks) for s in sequences)} masks, "
        f"{objects} objects"
    )


def _area(size: Iterable[int]) -> int:
    width, height = size
    return width * height
