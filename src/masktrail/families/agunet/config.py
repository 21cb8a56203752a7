"""What AGUNet's network is made from, and what passes between its functions."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from masktrail.errors import InputError

STRIDE = 16
"""Height and width of images must be multiples of this."""

MASK_STRIDE = 2
"""Masks come out at this stride."""

MATCHES, FUSIONS = ("topk", "xcorr"), ("concat", "replace")


@dataclass(frozen=True)
class AgunetConfig:
    """Widths, and the two choices that the paper's abstract leaves open.

    Attributes:
        g: how a picture is compared with the annotated one: "topk", each pixel with those most like
            it of the object and of all else; "xcorr", the object's features as a kernel.
        fuse: what becomes of the skips F with a score map S: "concat", both F and F * S; "replace",
            F * S alone.
        key: channels that pictures are compared by.
        width: channels of the decoder at stride 2; twice as many at stride 4, and so on.

    Raises:
        InputError: a choice that there is not, or less than one channel.
    """

    g: str = "topk"
    fuse: str = "concat"
    key: int = 128
    width: int = 16

    def __post_init__(self) -> None:
        for field, choices in (("g", MATCHES), ("fuse", FUSIONS)):
            if getattr(self, field) not in choices:
                raise InputError(
                    f"{field} = {getattr(self, field)!r}; choose one of "
                    f"{', '.join(map(repr, choices))}."
                )
        for field in ("key", "width"):
            if getattr(self, field) < 1:
                raise InputError(f"{field} = {getattr(self, field)}; expected 1 or more.")


class Levels(NamedTuple):
    """What the encoder sees of B pictures; tensors, or what an engine keeps.

    Attributes:
        f16: (B, 256, H/16, W/16).
        f8: (B, 128, H/8, W/8).
        f4: (B, 64, H/4, W/4).
        f2: (B, 64, H/2, W/2).
    """

    f16: Any
    f8: Any
    f4: Any
    f2: Any
