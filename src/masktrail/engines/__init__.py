"""What computes a network's functions: arrays in, arrays out, whatever does it."""

from typing import Any, Protocol

from numpy.typing import NDArray


class Engine(Protocol):
    """A network that is ready to be used.

    Attributes:
        device: what it computes on.
        precision: what it computes in, "float" or "int8".
        stride: which height and width of its pictures are multiples of.
    """

    device: str
    precision: str
    stride: int

    def run(self, function: str, *inputs: Any) -> Any:
        """What one of the network's functions gives, kept where it was computed.

        Args:
            function: name of it.
            inputs: arrays, what `run` or `keep` gave, lists of them, or plain numbers. Pictures,
                uint8 (B, H, W, 3), reach the function as float (B, 3, H, W) in [0, 1].

        Returns:
            What the function returns; nothing is to be known of it but that it can be an input
            again, and that `array` makes an array of what is one.
        """

    def array(self, value: Any) -> NDArray[Any]:
        """What `run` gave as an array, floats as float32; not to be written to."""

    def keep(self, array: NDArray[Any]) -> Any:
        """An array where the engine computes; `array` gives it back."""
