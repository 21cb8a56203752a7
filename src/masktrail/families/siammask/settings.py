"""What a stage of a recipe tells the training step of a SiamMask."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from masktrail.families.siammask.config import EXEMPLAR, SEARCH, STRIDE
from masktrail.recipe import StepSettings


@dataclass(frozen=True)
class SiamSettings(StepSettings):
    """What a SiamMask is trained with, beside its clips.

    Attributes:
        refine: whether masks are learned, refined and not, all else being left as it is (the
            paper's second stage); else all but the refinement is.
        search: side of the search regions, pixels; 255, or less where only masks are learned.
        shift: how far the object is from the middle of them, at most, pixels.
        scale: share by which it is too large or small there, at most.
        strangers: share of the pairs whose exemplar is of another clip.
        grey: share of the pairs without colours.
        blur: share of the search regions that are blurred.
        spoilt: whether exemplars are cut out a little badly.
        windows: so many windows of every search region have their masks learned, at most.
        score: weight of the score's loss.
        box: of the box's.
        mask: of the mask's.
    """

    refine: bool = False
    search: int = SEARCH
    shift: float = 64.0
    scale: float = 0.18
    strangers: float = 0.2
    grey: float = 0.25
    blur: float = 0.18
    spoilt: bool = True
    windows: int = 16
    score: float = 1.0
    box: float = 1.2
    mask: float = 36.0

    def problems(self) -> Iterator[str]:
        """What makes no sense, a sentence each."""
        least = EXEMPLAR + 2 * STRIDE
        if self.search < least or (self.search - EXEMPLAR) % (2 * STRIDE):
            yield (
                f"search = {self.search}; expected {EXEMPLAR} pixels and a multiple of "
                f"{2 * STRIDE}, as {least} or {SEARCH}"
            )
        if self.search > SEARCH or (self.search < SEARCH and not self.refine):
            yield f"search = {self.search}; expected {SEARCH}, or less with refine = true"
        for name in ("strangers", "grey", "blur"):
            if getattr(self, name) > 1:
                yield f"{name} = {getattr(self, name):g}; expected a share from 0 to 1"
        if self.scale > 0.5 or self.windows < 1:
            yield (
                f"scale = {self.scale:g}, windows = {self.windows}; expected a share of 0.5 or "
                "less, and 1 or more"
            )

    def unspoilt(self) -> Self:
        """The same for scoring: the object is where it was, as it is."""
        unmoved = replace(self, search=SEARCH, shift=0.0, scale=0.0)
        return replace(unmoved, spoilt=False, strangers=0.0, grey=0.0, blur=0.0)
