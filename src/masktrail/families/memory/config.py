"""What a memory network is made from, and what passes between its functions."""

from dataclasses import dataclass
from typing import Any, NamedTuple

STRIDE = 16
"""Height and width of images must be multiples of this."""

MASK_STRIDE = 2
"""Masks go in and come out at this stride."""


@dataclass(frozen=True)
class MemoryConfig:
    """Widths, in channels.

    Attributes:
        key: keys that memory and query are compared by.
        value: values that memory hands back.
        hidden: stride-16 features of the value encoder and the decoder.
        stride8: decoder features at stride 8.
        stride4: decoder features at stride 4.
        stride2: decoder features at stride 2.
        near: keys that a frame and the one before it are compared by.
    """

    key: int = 64
    value: int = 128
    hidden: int = 128
    stride8: int = 64
    stride4: int = 48
    stride2: int = 16
    near: int = 32


class Encoded(NamedTuple):
    """Everything the network keeps of one batch of images; tensors, or what an engine keeps.

    Attributes:
        f16: encoder features (B, 256, H/16, W/16), input of `memorize`.
        key: (B, K, H/16, W/16), this and the next two inputs of `lift`.
        shrinkage: (B, 1, H/16, W/16), at least 1.
        selection: (B, K, H/16, W/16) in (0, 1).
        skip16: decoder input (B, hidden, H/16, W/16).
        skip8: decoder input (B, stride8, H/8, W/8).
        skip4: decoder input (B, stride4, H/4, W/4).
        skip2: decoder input (B, stride2, H/2, W/2).
        near: keys for the frame before or after (B, near, H/8, W/8).
    """

    f16: Any
    key: Any
    shrinkage: Any
    selection: Any
    skip16: Any
    skip8: Any
    skip4: Any
    skip2: Any
    near: Any

    @property
    def keys(self) -> tuple[Any, Any, Any]:
        """What `lift` takes of it."""
        return self.key, self.shrinkage, self.selection

    @property
    def skips(self) -> tuple[Any, Any, Any, Any]:
        """What `segment` takes of it."""
        return self.skip16, self.skip8, self.skip4, self.skip2
