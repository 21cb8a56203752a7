"""What goes into a bundle of a given size: which pictures of every data set, and how large."""

import itertools
import math
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from masktrail.data.prepare import FINDERS
from masktrail.data.sequence import Sequence as Video
from masktrail.errors import InputError

SAMPLE = 100
"""Pictures of a set, or up to twice as many, from which the mean size of all is taken."""

SPARE = 0.03
"""Share of the limit kept for what a sample does not tell."""

LEAST = 0.1
"""Share of the pictures wanted under which a bundle is not worth its while."""

ASPECT = {"stills": 5 / 4, "davis": 16 / 9, "mose": 16 / 9}
"""Width by height of the canvas that a kind of data set is packed on."""


class Picture(NamedTuple):
    """A frame that has a mask, and what its picture and its mask are called in a bundle."""

    video: Video
    frame: int
    image_name: str
    mask_name: str

    @property
    def path(self) -> Path:
        """Of its picture."""
        return self.video.frames[self.frame]


@dataclass(frozen=True)
class Source:
    """A data set that pictures are taken from.

    Attributes:
        name: of the pack that is to be made of it.
        kind: key of `prepare.FINDERS`.
        root: where it lies.
        wanted: pictures to be had of it, if there are as many.
        sides: short sides to choose from, pixels, the largest first; nothing is enlarged.
        split: how `prepare` splits its videos where they are unpacked.
    """

    name: str
    kind: str
    root: Path
    wanted: int
    sides: tuple[int, ...]
    split: Mapping[str, Any] = field(default_factory=dict)

    def pictures(self) -> list[Picture]:
        """All that have a mask, but for what models are measured on: videos frame by frame,
        photographs in an order of which every beginning is a fair sample.

        Raises:
            InputError: there is none, or no such data set.
        """
        pictures = [
            self._picture(video, index, mask)
            for video in FINDERS[self.kind](self.root)
            for index, mask in enumerate(video.annotations)
            if mask is not None
        ]
        if not pictures:
            raise InputError(f"No picture of {self.root} has a mask.")
        pictures = list({picture.image_name: picture for picture in pictures}.values())
        if self.kind == "stills":
            random.Random(0).shuffle(pictures)
        return pictures

    def stride(self, there: int, share: float = 1.0) -> int:
        """At which distance frames are taken; of photographs the first are.

        Args:
            there: how many there are.
            share: of those `count` asks for; below 1 no more than that are taken.
        """
        if self.kind == "stills":
            return 1
        stride = max(1, there // self.wanted)
        return stride if share >= 1 else math.ceil(stride / share)

    def count(self, there: int) -> int:
        """How many are asked for where so many are `there`: of frames, taken at a fixed distance,
        as many as are wanted, or more, but less than twice as many."""
        if self.kind == "stills":
            return min(there, self.wanted)
        return math.ceil(there / self.stride(there))

    def canvas(self, side: int) -> str:
        """HEIGHTxWIDTH of its pack."""
        return f"{side}x{round(side * ASPECT[self.kind])}"

    def _picture(self, video: Video, index: int, mask: Path) -> Picture:
        """Named as in its data set, but for what it is now."""
        names = (
            f"{self.name}/{path.relative_to(self.root).with_suffix(suffix).as_posix()}"
            for path, suffix in ((video.frames[index], ".webp"), (mask, ".png"))
        )
        return Picture(video, index, *names)


class Share(NamedTuple):
    """What is taken of a source: every `stride`-th picture, of that short side."""

    source: Source
    pictures: list[Picture]
    side: int
    stride: int


def plan(
    sources: Sequence[Source], limit: int, measure: Callable[[list[Picture], int], float]
) -> list[Share]:
    """What to take of every source, so that all fits.

    Args:
        sources: data sets.
        limit: bytes in all.
        measure: the mean bytes of pictures, each with its mask, at a short side.

    Raises:
        InputError: a data set cannot be read, less than `LEAST` of what is wanted fits, or a video
            of a set that is split has one frame left.
    """
    pictures = {source.name: source.pictures() for source in sources}
    means = {
        s.name: {side: measure(_spread(pictures[s.name]), side) for side in s.sides}
        for s in sources
    }
    counts = {s.name: s.count(len(pictures[s.name])) for s in sources}
    sides, share = choose(means, counts, round(limit * (1 - SPARE)))
    if share < LEAST:
        raise InputError(
            f"{limit / 2**20:.2f} MiB hold {share:.1%} of the pictures that are wanted; allow more."
        )
    shares = []
    for source in sources:
        stride = source.stride(len(pictures[source.name]), share)
        chosen = pictures[source.name][::stride]
        if source.split:
            _require_two_each(source, chosen)
        shares.append(Share(source, chosen, sides[source.name], stride))
    return shares


def choose(
    means: Mapping[str, Mapping[int, float]], counts: Mapping[str, int], limit: int
) -> tuple[dict[str, int], float]:
    """Short sides, and the share of the pictures wanted, so that all fits.

    Of the sides that fit those are chosen whose pixels, multiplied over the sources, are most.

    Args:
        means: by source and short side, bytes a picture.
        counts: by source, pictures.
        limit: bytes.

    Returns:
        By source the side, and the share: 1, or less with the smallest sides.
    """

    def size(sides: tuple[int, ...]) -> float:
        return sum(
            counts[name] * means[name][side] for name, side in zip(means, sides, strict=True)
        )

    every = list(itertools.product(*(means[name] for name in means)))
    fitting = [sides for sides in every if size(sides) <= limit]
    if fitting:
        return dict(zip(means, max(fitting, key=math.prod), strict=True)), 1.0
    smallest = tuple(min(means[name]) for name in means)
    return dict(zip(means, smallest, strict=True)), limit / size(smallest)


def _require_two_each(source: Source, pictures: list[Picture]) -> None:
    """What is split is followed from frame to frame, on either side."""
    few = min(Counter(picture.path.parent for picture in pictures).values())
    if few < 2:
        raise InputError(
            f"{len(pictures)} frames of {source.name} leave one of a video; ask for more, or none."
        )


def _spread(pictures: list[Picture]) -> list[Picture]:
    """Some of them, at equal distances."""
    return pictures[:: max(1, len(pictures) // SAMPLE)]
