"""What goes into a bundle of a given size: which pictures of every data set, and how large."""

import io
import itertools
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from masktrail.data.pack import VOID
from masktrail.data.prepare import FINDERS
from masktrail.errors import InputError
from masktrail.mask_values import palette
from masktrail.masks import read_labels
from masktrail.types import LabelMap

SAMPLE = 100
"""Pictures of a set, or a few more, from which the mean size of all is taken."""

SPARE = 0.03
"""Share of the limit kept for what a sample does not tell."""

LEAST = 0.1
"""Share of the pictures wanted under which a bundle is not worth its while."""

ASPECT = {"stills": 5 / 4, "davis": 16 / 9}
"""Width by height of the canvas that a kind of data set is packed on."""


class Picture(NamedTuple):
    """A picture and its mask, and what they are called in a bundle."""

    image: Path
    mask: Path
    image_name: str
    mask_name: str


@dataclass(frozen=True)
class Source:
    """A data set that pictures are taken from.

    Attributes:
        name: of the pack that is to be made of it.
        kind: key of `prepare.FINDERS`.
        root: where it lies.
        wanted: pictures to be had of it, if there are as many.
        sides: short sides to choose from, pixels, the largest first; nothing is enlarged.
    """

    name: str
    kind: str
    root: Path
    wanted: int
    sides: tuple[int, ...]

    def pictures(self) -> list[Picture]:
        """All that have a mask, but for what models are measured on: videos frame by frame,
        photographs in an order of which every beginning is a fair sample."""
        found = [
            self._picture(image, mask)
            for video in FINDERS[self.kind](self.root)
            for image, mask in zip(video.frames, video.annotations, strict=True)
            if mask is not None
        ]
        found = list({picture.image_name: picture for picture in found}.values())
        if self.kind == "stills":
            random.Random(0).shuffle(found)
        return found

    def stride(self, there: int, share: float = 1.0) -> int:
        """At which distance frames are taken, so that of those `there` are as many as are wanted,
        or a few more; of photographs the first are taken.

        Args:
            there: how many there are.
            share: of the number wanted.
        """
        return 1 if self.kind == "stills" else max(1, int(there / (share * self.wanted)))

    def count(self, there: int) -> int:
        """How many of those `there` are asked for."""
        if self.kind == "stills":
            return min(there, self.wanted)
        return math.ceil(there / self.stride(there))

    def canvas(self, side: int) -> str:
        """HEIGHTxWIDTH of its pack."""
        return f"{side}x{round(side * ASPECT[self.kind])}"

    def _picture(self, image: Path, mask: Path) -> Picture:
        """Named as in its data set, but for what it is now."""
        names = (
            f"{self.name}/{path.relative_to(self.root).with_suffix(suffix).as_posix()}"
            for path, suffix in ((image, ".webp"), (mask, ".png"))
        )
        return Picture(image, mask, *names)


class Share(NamedTuple):
    """What is taken of a source: every `stride`-th picture, of that short side."""

    source: Source
    pictures: list[Picture]
    side: int
    stride: int


Encode = Callable[..., tuple[bytes, bytes]]
"""From a picture and a short side to the bytes of its image and of its mask, see `encode`."""


def plan(
    sources: Sequence[Source], limit: int, measure: Callable[[list[Picture], int], float]
) -> list[Share]:
    """What to take of every source, so that all fits.

    Args:
        sources: data sets.
        limit: bytes in all.
        measure: the mean bytes of pictures, each with its mask, at a short side.

    Raises:
        InputError: a data set cannot be read, or less than `LEAST` of what is wanted fits.
    """
    found = {source.name: source.pictures() for source in sources}
    means = {
        s.name: {side: measure(_spread(found[s.name]), side) for side in s.sides} for s in sources
    }
    counts = {s.name: s.count(len(found[s.name])) for s in sources}
    sides, share = choose(means, counts, round(limit * (1 - SPARE)))
    if share < LEAST:
        raise InputError(
            f"{limit / 2**20:.2f} MiB hold {share:.1%} of the pictures that are wanted; allow more."
        )
    strides = {s.name: s.stride(len(found[s.name]), share) for s in sources}
    return [
        Share(s, found[s.name][:: strides[s.name]], sides[s.name], strides[s.name]) for s in sources
    ]


def choose(
    means: Mapping[str, Mapping[int, float]], wanted: Mapping[str, int], limit: int
) -> tuple[dict[str, int], float]:
    """Short sides, and the share of the pictures wanted, so that all fits.

    Of the sides that fit those are chosen whose pixels, multiplied over the sources, are most.

    Args:
        means: by source and short side, bytes a picture.
        wanted: by source, pictures.
        limit: bytes.

    Returns:
        By source the side, and the share: 1, or less with the smallest sides.
    """

    def size(sides: tuple[int, ...]) -> float:
        return sum(
            wanted[name] * means[name][side] for name, side in zip(means, sides, strict=True)
        )

    every = list(itertools.product(*(means[name] for name in means)))
    fitting = [sides for sides in every if size(sides) <= limit]
    if fitting:
        return dict(zip(means, max(fitting, key=math.prod), strict=True)), 1.0
    smallest = tuple(min(means[name]) for name in means)
    return dict(zip(means, smallest, strict=True)), limit / size(smallest)


def _spread(pictures: list[Picture]) -> list[Picture]:
    """Some of them, at equal distances."""
    return pictures[:: max(1, len(pictures) // SAMPLE)]


def encode(picture: Picture, side: int, quality: int) -> tuple[bytes, bytes]:
    """A picture as WebP and its mask as PNG, made smaller to a short side where they are larger.

    Raises:
        InputError: one of them cannot be read.
    """
    labels, _ = read_labels(picture.mask)
    if labels.max(initial=0) >= VOID:
        raise InputError(f"{picture.mask} has ids up to {labels.max()}; expected up to {VOID - 1}.")
    try:
        with Image.open(picture.image) as opened:
            image = opened.convert("RGB")
    except OSError as error:
        raise InputError(f"{picture.image} cannot be read as a picture: {error}.") from error
    if min(image.size) > side:
        scale = side / min(image.size)
        size = round(image.width * scale), round(image.height * scale)
        image = image.resize(size, Image.Resampling.BICUBIC)
        labels = np.asarray(Image.fromarray(labels).resize(size, Image.Resampling.NEAREST))
    with io.BytesIO() as file:
        image.save(file, "WEBP", quality=quality, method=6)
        return file.getvalue(), _png(labels)


def _png(labels: LabelMap) -> bytes:
    """A label map as a palette picture of as few bits as it takes."""
    bits = next(bits for bits in (1, 2, 4, 8) if labels.max(initial=0) < 2**bits)
    picture = Image.fromarray(labels.astype(np.uint8))
    picture.putpalette(palette()[: 2**bits].tobytes())
    with io.BytesIO() as file:
        picture.save(file, "PNG", optimize=True, bits=bits)
        return file.getvalue()
