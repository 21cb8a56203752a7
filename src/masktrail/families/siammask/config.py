"""What a SiamMask is made from, its sizes, and where the windows of its masks lie.

Source: SiamMask (Wang et al., CVPR 2019) and the code published with it.
"""

from dataclasses import dataclass
from typing import Literal

from masktrail.errors import InputError

EXEMPLAR, SEARCH = 127, 255
"""Sides of the crops around the object as it was marked and of those it is sought in, pixels."""

STRIDE = 8
"""Of the response map, pixels of the crops."""

RING = 4
"""Responses on every side whose windows lie partly outside of the search region."""

COARSE = 63
"""Side of a mask before it is refined."""

ANCHORS = 5
"""Boxes that every response is compared with, see `anchors`."""

TAPS = {"resnet18": (64, 64, 128, 256), "resnet50": (64, 256, 512, 1024)}
"""Channels of a backbone's maps at strides 2, 4, 8 and again 8."""


@dataclass(frozen=True)
class SiamMaskConfig:
    """Which of the paper's networks.

    Attributes:
        backbone: "resnet18", without norms, or "resnet50", as published.
        branches: "three" for score, box and mask; "two" for similarity and mask.
        width: channels of the heads; 256 in the paper.

    Raises:
        InputError: an unknown backbone, or another number of branches.
    """

    backbone: Literal["resnet18", "resnet50"] = "resnet18"
    branches: Literal["two", "three"] = "three"
    width: int = 128

    def __post_init__(self) -> None:
        known = {"backbone": tuple(TAPS), "branches": ("two", "three")}
        for name, choices in known.items():
            if getattr(self, name) not in choices:
                raise InputError(
                    f"{name} = {getattr(self, name)!r}; choose one of {', '.join(choices)}."
                )

    @property
    def heads(self) -> dict[str, int]:
        """What every response says, and in how many channels."""
        if self.branches == "two":
            return {"score": 1, "mask": COARSE**2}
        return {"score": 2 * ANCHORS, "box": 4 * ANCHORS, "mask": COARSE**2}


def responses(search: int) -> int:
    """Side of the response map of a search region, 25 of 255 pixels."""
    return (search - EXEMPLAR) // STRIDE + 1 + 2 * RING
