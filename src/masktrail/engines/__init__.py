"""What computes a network's functions: arrays in, arrays out, whatever does it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Engine(Protocol):
    """A network that is ready to be used.

    Attributes:
        name: of the kind of engine, as `zoo.load` takes it.
        device: what it computes on.
        precision: what it computes in, "float", "bfloat16" or "int8".
        stride: which height and width of its pictures are multiples of.
        graphs: SHA-256 of the files it computes; None where it computes the network itself.
        concurrent: whether two threads that compute at once are quicker than one.
    """

    name: str
    device: str
    precision: str
    stride: int
    graphs: str | None
    concurrent: bool

    def run(self, function: str, *inputs: Any) -> Any:
        """What one of the network's functions gives, kept where it was computed.

        Args:
            function: name of it.
            inputs: arrays, what `run`, `keep` or `join` gave, or plain numbers. Pictures, uint8
                (B, H, W, 3), reach the function as float (B, 3, H, W) in [0, 1].

        Returns:
            What the function returns, one value or a tuple; nothing is to be known of a value but
            that it has a `shape`, can be indexed as an array is, can be an input again, and that
            `array` makes an array of it.
        """

    def warm_up(self, sizes: Mapping[str, int]) -> Iterator[None]:
        """Makes functions ready for inputs of certain sizes, which else happens when they come.

        Another thread may run functions meanwhile.

        Args:
            sizes: what letters in the shapes of `graph.Graph` stand for; functions that have others
                are left out, unless these are `free`.

        Yields:
            After every function, the last one first: the first is likely to be needed by now.

        Raises:
            InputError: a graph that cannot be used, as `run` would.
        """

    def array(self, value: Any) -> NDArray[Any]:
        """What `run` gave as an array, floats as float32; not to be written to."""

    def keep(self, array: NDArray[Any]) -> Any:
        """An array where the engine computes; `array` gives it back."""

    def attend(self, similarity: Any, values: Any, k: int) -> Any:
        """Means of values, weighted by a softmax over the `k` most similar ones.

        Args:
            similarity: (1, Q, M), of what `run` gave.
            values: (1, M, V).
            k: how many count; all where there are fewer, any of those that are as similar.

        Returns:
            (1, Q, V), float32.
        """

    def join(self, values: Sequence[Any], axis: int) -> Any:
        """What `run` or `keep` gave, one after another along an axis."""

    def network_copy(self) -> Any:
        """The network itself to learn with, a copy as torch has it, in float32, with what was
        `replace`d.

        Raises:
            InputError: torch is not installed, or there are no weights but in graphs.
        """

    def replace(self, parameters: Mapping[str, NDArray[np.float32]]) -> None:
        """Gives parameters of the network other values than its weights have, for all that is run
        from now on; all that are not named have those of the weights again.

        Functions with such a parameter are not computed in 8 bits.

        Args:
            parameters: by their names in the network.

        Raises:
            InputError: this engine cannot.
        """
