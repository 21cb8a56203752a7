"""One video of a data set, its frames and masks read as `track` reads them."""

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from masktrail.data.inventory import MaskInfo, PictureInfo, read_all, read_mask, read_picture
from masktrail.errors import InputError
from masktrail.masks import read_labels
from masktrail.masks.legend import Legend, colours_count, decide
from masktrail.pictures import UNREADABLE, decoding
from masktrail.pictures.depth import Depth
from masktrail.types import Image, LabelMap


@dataclass(frozen=True)
class Sequence:
    """One video of a data set.

    Attributes:
        name: folder name.
        frames: image paths in temporal order.
        annotations: mask path of each frame, None where the frame carries none.
        strays: masks of no frame.
        unread: pictures among the masks that cannot be masks, or share their name with one.
        left_out: pictures that are no frames, since they have no number and the others do.
    """

    name: str
    frames: tuple[Path, ...]
    annotations: tuple[Path | None, ...]
    strays: tuple[Path, ...] = ()
    unread: tuple[Path, ...] = ()
    left_out: tuple[Path, ...] = ()

    def __len__(self) -> int:
        return len(self.frames)

    def image(self, index: int) -> Image:
        """Frame `index` as uint8 RGB (H, W, 3): upright, deep values made visible alike in all.

        Raises:
            InputError: it cannot be read.
        """
        path = self.frames[index]
        try:
            return decoding.read_picture(path, self._depth)
        except UNREADABLE as error:
            reason = str(error) or type(error).__name__
            raise InputError(f"{path} cannot be read as a picture: {reason}.") from error

    def truth(self, index: int) -> LabelMap | None:
        """Label map of frame `index`, shape (H, W), 0 background; None where not annotated.

        Raises:
            InputError: it cannot be read.
        """
        path = self.annotations[index]
        return None if path is None else read_labels(path, self.legend)[0]

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """Object ids seen in any annotated frame, ascending; 255 (void) is none.

        Raises:
            InputError: as `legend`.
        """
        ids = {i for mask in self.masks for i in self.ids_in(mask)}
        return tuple(sorted(ids - {255}))

    def ids_in(self, mask: MaskInfo) -> list[int]:
        """Ids of the objects in one of `masks`; none where it is no mask."""
        if mask.values is None:
            return []
        return sorted({i for i in self.legend.ids_of(mask.values) if i})

    @cached_property
    def largest(self) -> dict[int, float]:
        """By id, the largest share of a picture that an object has.

        Raises:
            InputError: as `legend`.
        """
        shares: dict[int, float] = {}
        for values in (mask.values for mask in self.masks if mask.values is not None):
            size = sum(values.counts)
            for i, count in zip(self.legend.ids_of(values), values.counts, strict=True):
                shares[i] = max(shares.get(i, 0.0), count / size)
        return {i: share for i, share in shares.items() if i}

    @cached_property
    def pictures(self) -> tuple[PictureInfo, ...]:
        """What the files of the frames are."""
        return read_all(read_picture, self.frames)

    @property
    def masks(self) -> tuple[MaskInfo, ...]:
        """What the files of the masks are, in the order of their frames."""
        return self._masks[0]

    @cached_property
    def legend(self) -> Legend:
        """What the values of the masks mean, in all of them alike.

        Raises:
            InputError: more colours than there can be objects.
        """
        values = [mask.values for mask in self.masks if mask.values is not None]
        try:
            return decide(values, self._masks[1])
        except InputError as error:
            raise InputError(f"The masks of {self.name} {error}") from None

    @cached_property
    def _masks(self) -> tuple[tuple[MaskInfo, ...], bool]:
        """The masks, and whether they are read by the colours of their palettes."""
        paths = list(dict.fromkeys(filter(None, self.annotations)))
        masks = read_all(read_mask, paths)
        if not colours_count([mask.values for mask in masks if mask.values is not None]):
            return masks, False
        return read_all(partial(read_mask, by_colour=True), paths), True

    @cached_property
    def _depth(self) -> Depth:
        first = partial(decoding.first_values, self.frames)
        return Depth(self.name, first, loud=len(self.frames) > 1)
