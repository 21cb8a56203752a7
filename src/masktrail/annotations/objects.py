"""Which object of a video an annotation means, where tools have labels, groups and tracks."""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from masktrail.annotations.shapes import Shape
from masktrail.errors import InputError, listed
from masktrail.pictures.kinds import natural_key
from masktrail.prompts.kinds import MAX_ID

NAMES = 8
"""That are listed of those that are lost, at most."""

_NUMBERED = re.compile(r"object[ _-]?(\d{1,5})", re.IGNORECASE)


@dataclass(frozen=True)
class Told:
    """What a tool says of the object of a shape.

    Attributes:
        label: its class or name.
        id: that its group or its name ("object 3") gives it.
        track: what else it shares with the shapes of the same object; None: nothing.
    """

    label: str
    id: int | None = None
    track: Hashable = None

    @property
    def lasts(self) -> bool:
        """Whether it is told from others of its label."""
        return self.id is not None or self.track is not None

    @property
    def key(self) -> Hashable:
        """The same for shapes of one object, in pictures that show one of each label."""
        if self.id is not None:
            return self.id
        return self.label, self.track


Drawn = Sequence[tuple[Told, Shape]]
"""What is drawn in a picture."""


@dataclass(frozen=True)
class Numbered:
    """The same with ids.

    Attributes:
        pictures: ids and shapes of each.
        lasting: whether an id means the same in all of them.
        moving: whether objects are told to recur: the pictures are frames of one video.
        loss: which names are lost, "" if none.
    """

    pictures: list[tuple[tuple[int, Shape], ...]]
    lasting: bool
    moving: bool
    loss: str


def told(label: str, group: object = None) -> Told:
    """What a label and a group say; a group is taken if it is a number that can be an id."""
    text = str(group)
    if text.isdecimal() and 0 < int(text) <= MAX_ID:
        return Told(label, int(text))
    return Told(label, numbered(label))


def numbered(label: str) -> int | None:
    """The id that our own exports give an object in its name, as "object 3"."""
    match = _NUMBERED.fullmatch(label.strip())
    return int(match[1]) if match and 0 < int(match[1]) <= MAX_ID else None


def with_ids(pictures: Sequence[Drawn]) -> Numbered:
    """Numbers the objects of pictures.

    An object is what shares an id or a track; what has neither is the one of its label, if no
    picture shows two of them. Ids that are told stay; others follow, in the order of labels and
    tracks. Where nothing tells two of one label apart, or a group has several labels, and so only
    ties pieces together, every shape is an object of its picture alone, but that those of one label
    and group, or of one track, are one.

    Raises:
        InputError: more objects than there are ids.
    """
    every = sorted({what for drawn in pictures for what, _ in drawn}, key=_in_order)
    if _twice(pictures) or _of_several_labels(every):
        alone = [tuple(_in_one_picture(drawn)) for drawn in pictures]
        lasting = sum(map(bool, pictures)) <= 1
        return Numbered(alone, lasting, False, lost_classes(what.label for what in every))
    ids = _ids(every)
    return Numbered(
        [tuple((ids[what.key], shape) for what, shape in drawn) for drawn in pictures],
        lasting=True,
        moving=_recur(pictures, every),
        loss=lost_names({ids[what.key]: what.label for what in every}),
    )


def lost_names(names: Mapping[int, str]) -> str:
    """Says which names are lost, by their ids; "" where they say no more than ids do."""
    said = [f"{number} = {name}" for number, name in sorted(names.items()) if _says_more(name)]
    return f"names, as masks hold ids: {listed(said, NAMES)}" if said else ""


def lost_classes(names: Iterable[str]) -> str:
    """Says which names are lost, where ids are others than names."""
    said = sorted({name for name in names if _says_more(name)})
    return f"names of classes, as masks hold ids: {listed(said, NAMES)}" if said else ""


def _in_order(what: Told) -> tuple[object, ...]:
    return what.id or 0, natural_key(what.label), natural_key(str(what.track))


def _ids(every: Sequence[Told]) -> dict[Hashable, int]:
    """An id for every key, own ones as they are."""
    ids: dict[Hashable, int] = {what.key: what.id for what in every if what.id is not None}
    after = max(ids.values(), default=0)
    for key in dict.fromkeys(what.key for what in every if what.id is None):
        ids[key] = after = after + 1
    if after > MAX_ID:
        raise InputError(f"There are {len(ids)} objects; expected ids up to {MAX_ID}.")
    return ids


def _recur(pictures: Sequence[Drawn], every: Sequence[Told]) -> bool:
    """Whether objects are told apart so that they can be found again, and some are."""
    if not every or not all(what.lasts for what in every):
        return False
    shown = Counter(what.key for drawn in pictures for what in {what for what, _ in drawn})
    named = all(numbered(what.label) for what in every)
    return named or any(what.track is not None for what in every) or max(shown.values()) > 1


def _twice(pictures: Sequence[Drawn]) -> bool:
    """Whether a picture shows two of one label, and nothing tells them apart."""
    return any(
        count > 1
        for drawn in pictures
        for count in Counter(what.label for what, _ in drawn if not what.lasts).values()
    )


def _of_several_labels(every: Sequence[Told]) -> bool:
    counts = Counter(what.id for what in every if what.id is not None)
    return any(count > 1 for count in counts.values())


def _in_one_picture(drawn: Drawn) -> Iterable[tuple[int, Shape]]:
    ids: dict[Told, int] = {}
    count = 0
    for what, shape in drawn:
        if not what.lasts or what not in ids:
            count += 1
            ids[what] = count
        yield ids[what], shape


def _says_more(name: str) -> bool:
    return bool(name) and name != "object" and numbered(name) is None
