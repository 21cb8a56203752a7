"""What is wrong with a data set, and what to do about it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path

from masktrail.data.davis import are_stills, list_sequences
from masktrail.data.held_out import HELD_OUT
from masktrail.data.rules import (
    ERROR,
    HIGHEST_ID,
    NOTE,
    OF_VIDEOS,
    RULES,
    SEVERITIES,
    Finding,
)
from masktrail.data.sequence import Sequence
from masktrail.data.sizes import MIN_AREA
from masktrail.data.stills import list_stills
from masktrail.errors import InputError
from masktrail.masks.legend import white_in

EXAMPLES = 2
"""Of a finding, at most."""

Hit = tuple[str, str]
"""Key of `RULES`, and where."""


def check_data(
    root: Path | str, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[Finding]:
    """Looks at every file of a data set laid out as DAVIS, YouTube-VOS and MOSE are, or as pairs.

    Args:
        root: the data set, or the folder that holds it as `train`; or pictures that stand alone,
            see `data.stills`.
        progress: called with files done and files in all.

    Returns:
        Findings by severity; the note on what there is comes always.

    Raises:
        InputError: no such layout at `root`.
    """
    stills = are_stills(root)
    return judge(list_stills(root) if stills else list_sequences(root), progress, stills)


def require_sound(
    sequences: Iterable[Sequence],
    root: Path | str,
    progress: Callable[[int, int], None] = lambda done, total: None,
    many_objects: bool = False,
    stills: bool = False,
) -> None:
    """Refuses what `check_data` finds errors in, before anything is made of it.

    Args:
        sequences: that are to be used.
        root: the data set they are of, for the sentence.
        progress: called with files done and files in all.
        many_objects: whether ids above `HIGHEST_ID` are no error.
        stills: whether they are pictures that stand alone.

    Raises:
        InputError: what the first error is, and where.
    """
    for finding in judge(list(sequences), progress, stills):
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
    stills: bool = False,
) -> list[Finding]:
    """The findings on what is read of sequences, or of pictures that stand alone."""
    hits: list[Hit] = []
    done, total = 0, sum(_files(sequence) for sequence in sequences)
    for sequence in sequences:
        hits += _hits(sequence)
        done += _files(sequence)
        progress(done, total)
    if not any(map(_has_masks, sequences)):
        hits = [hit for hit in hits if hit[0] != "unmarked"]
        hits += [("no masks", sequence.name) for sequence in sequences]
    if stills:
        hits = [hit for hit in hits if hit[0] not in OF_VIDEOS]
    counts = Counter(key for key, _ in hits)
    findings = [_inventory(sequences, stills)]
    for key, (severity, what, advice) in RULES.items():
        if counts[key]:
            examples = tuple(islice((place for rule, place in hits if rule == key), EXAMPLES))
            named = what.replace("sequences", "pictures") if stills else what
            findings.append(Finding(severity, counts[key], named, examples, advice))
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
    if sequence.name.rsplit("/", 1)[-1] in HELD_OUT:
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
    pairs = zip(sequence.annotations, sequence.pictures, strict=True)
    sizes = {mask: picture.size for mask, picture in pairs}
    for path in sequence.unread:
        yield "suffix", f"{sequence.name}/{path.name}"
    for path in sequence.strays:
        yield "stray", f"{sequence.name}/{path.name}"
    for mask in sequence.masks:
        where = f"{sequence.name}/{mask.path.name}"
        if mask.fault:
            yield "mask" if mask.fault == "damaged" else "smooth", where
        if mask.fault != "damaged" and sizes[mask.path] not in (None, mask.size):
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


def _inventory(sequences: list[Sequence], stills: bool) -> Finding:
    """ "24 sequences: 775 pictures of 200x136 to 360x240, 775 masks, 38 objects"."""
    sizes = sorted({p.size for s in sequences for p in s.pictures if p.size}, key=_area)
    span = " to ".join(f"{w}x{h}" for w, h in dict.fromkeys(sizes[:1] + sizes[-1:]))
    pictures = sum(len(s.pictures) for s in sequences)
    what = (
        f"pictures{' of ' + span if span else ''}, {sum(map(_count_masks, sequences))} masks, "
        f"{sum(map(_count_objects, sequences))} objects"
    )
    if stills:
        return Finding(NOTE, pictures, f"{what}; each stands alone (images beside masks)", (), "")
    return Finding(NOTE, len(sequences), f"sequences: {pictures} {what}", (), "")


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
