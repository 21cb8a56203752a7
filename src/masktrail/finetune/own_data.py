"""What a user teaches with, videos or pictures that stand alone: what is learned from and measured.

Videos are measured as they are. Nothing moves in pictures that stand alone: these are measured set
in motion, as dreams of them, see `dreaming.set_in_motion`.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from masktrail.data.check import require_sound
from masktrail.data.davis import are_stills, find_sequences, marked_sequences
from masktrail.data.held_out import refuse_held_out
from masktrail.data.sequence import Sequence
from masktrail.data.stills import find_stills, list_stills
from masktrail.data.synth import least_area
from masktrail.dreaming import set_in_motion
from masktrail.errors import InputError, listed
from masktrail.finetune.splitting import parts_of
from masktrail.recipe import Recipe

log = logging.getLogger(__name__)

Val = Iterable[str] | Path | None
"""What is measured on, see `splitting.parts_of`."""

SHORT_SIDE = 384
"""Pictures are packed at this height or width, whichever is smaller, at most; pixels."""

MOTIONS, MOTION_FRAMES = 24, 8
"""Pictures that are set in motion to be measured, at most, and frames of each."""


@dataclass(frozen=True)
class OwnData(ABC):
    """A data set, sound, in two parts.

    Attributes:
        root: folder of it.
        trained: what is learned from.
        held_out: what is measured on instead; nothing where there is one sequence only.
    """

    root: Path
    trained: list[Sequence]
    held_out: list[Sequence]

    @classmethod
    def of(cls, root: Path, sequences: list[Sequence], val: Val) -> Self:
        """Splits sequences, see `splitting.parts_of`, those that show nothing left out, which is
        said, as is where one alone is measured on.

        Raises:
            InputError: none shows an object, one that is used is kept out of all training, or as
                `parts_of`.
        """
        shown = [sequence for sequence in sequences if sequence.ids]
        if not shown:
            raise InputError(f"No mask of {root} shows an object: there is nothing to learn from.")
        if len(shown) < len(sequences):
            without = [sequence.name for sequence in sequences if not sequence.ids]
            log.warning("Left out, since no mask shows an object, are %s.", listed(without))
        trained, held_out = parts_of(root, shown, val)
        refuse_held_out((sequence.name for sequence in (*trained, *held_out)), root)
        if not held_out:
            log.warning("There is one sequence only: it is both trained and measured on.")
        elif len(held_out) == 1:
            name = held_out[0].name
            log.warning("One sequence alone is measured on, %s: one may be luck.", name)
        return cls(root, trained, held_out)

    @property
    def measured(self) -> list[Sequence]:
        return self.held_out or self.trained

    @abstractmethod
    def require_clips(self, recipe: Recipe) -> None:
        """Refuses data of which no clip could be drawn.

        Raises:
            InputError: videos with too few masks, or objects that are too small.
        """

    @abstractmethod
    def taught(self, recipe: Recipe, pack: Path) -> Recipe:
        """The recipe that learns from a pack of what is `trained`."""

    @abstractmethod
    def videos(self) -> AbstractContextManager[tuple[Path, list[str]]]:
        """A data set, there within the context, and the sequences of it that are measured on."""

    @property
    def canvas(self) -> tuple[int, int]:
        """Height and width to pack at: those of the pictures, shrunk where they are large."""
        size = self.trained[0].pictures[0].size
        assert size is not None  # it is sound
        width, height = size
        scale = min(1.0, SHORT_SIDE / min(height, width))
        return round(height * scale), round(width * scale)


class OwnVideos(OwnData):
    """Videos with masks, see `data.davis.find_sequences`."""

    def require_clips(self, recipe: Recipe) -> None:
        for stage in recipe.stages:
            count, least = stage.clips.frames, least_area(stage.clips)
            long = [s for s in self.trained if sum(map(bool, s.annotations)) >= count]
            if not long:
                raise InputError(
                    f"No video of {self.root} has {count} frames with a mask, as {recipe.family} "
                    "learns from; mark more of them."
                )
            if not any(share > least for s in long for share in s.largest.values()):
                raise InputError(
                    f"No video of {self.root} with {count} masks shows an object of {least:.2g} of "
                    "its area."
                )

    def taught(self, recipe: Recipe, pack: Path) -> Recipe:
        return replace(recipe, videos=(str(pack),))

    @contextmanager
    def videos(self) -> Iterator[tuple[Path, list[str]]]:
        yield self.root, [sequence.name for sequence in self.measured]


class OwnPictures(OwnData):
    """Pictures that stand alone with masks, see `data.stills.find_stills`."""

    def require_clips(self, recipe: Recipe) -> None:
        least = max(least_area(stage.clips) for stage in recipe.stages)
        if not any(share > least for s in self.trained for share in s.largest.values()):
            raise InputError(
                f"No picture of {self.root} that is learned from shows an object of {least:.2g} of "
                "its area."
            )

    def taught(self, recipe: Recipe, pack: Path) -> Recipe:
        stages = tuple(replace(stage, real=0.0) for stage in recipe.stages)
        return replace(recipe, stills=str(pack), videos=(), stages=stages)

    @contextmanager
    def videos(self) -> Iterator[tuple[Path, list[str]]]:
        names = []
        with TemporaryDirectory(prefix="masktrail-") as folder:
            for seed, picture in enumerate(self.measured[:MOTIONS]):
                name = f"{seed:02}-{picture.name.replace('/', '-')}"
                labels = picture.truth(0)
                assert labels is not None
                moving = set_in_motion(
                    picture.image(0), labels, Path(folder), name, SHORT_SIDE, MOTION_FRAMES, seed
                )
                names += [name] if moving else []
            if not names:
                raise InputError(f"Nothing in the pictures of {self.root} can be measured on.")
            yield Path(folder), names


def own_data_of(root: Path, val: Val = None) -> OwnData:
    """A user's data set, looked through as `check-data` does.

    Args:
        root: of it.
        val: what is measured on, see `splitting.parts_of`.

    Raises:
        InputError: no data set, one that cannot be used, or that holds what models are measured on.
    """
    if are_stills(root):
        require_sound(list_stills(root), root, stills=True)
        return OwnPictures.of(root, find_stills(root), val)
    found = find_sequences(root)
    require_sound(marked_sequences(root), root)
    return OwnVideos.of(root, found, val)
