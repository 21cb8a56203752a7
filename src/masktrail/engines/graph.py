"""A network's functions as files that any engine can run hold them, one each, in ONNX.

See docs/engines.md. What is not part of ONNX, `About`, stands in the metadata of the file.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

Shape = tuple[int | str, ...]
"""Sizes along the axes of an array: numbers, or free ones with letters, as "n", "16h", "h*w"."""

SIZE = re.compile(r"([0-9]*)([a-z](?:\*[a-z])*)")


@dataclass(frozen=True)
class Graph:
    """One of a network's functions.

    Attributes:
        inputs: shapes of its arguments by name, in order; None of a whole number.
        outputs: names of what it returns, in order.
        pictures: those of its inputs that are uint8 (B, H, W, 3) in the file.
        free: letters of sizes that change so often that nothing is prepared for each.
        exact: whether it is computed in float32 whatever the rest is computed in.
        floats: convolutions, by their names in the network, that stay floats in 8 bits: of inputs
            whose parts have ranges too different for one.
    """

    inputs: Mapping[str, Shape | None]
    outputs: tuple[str, ...]
    pictures: tuple[str, ...] = ()
    free: str = ""
    exact: bool = False
    floats: tuple[str, ...] = ()


@dataclass(frozen=True)
class About:
    """What a file says of its function besides the graph.

    Attributes:
        function: name of it.
        functions: of all that were exported with it.
        weights: SHA-256 of the weights that they were made of, see `zoo.weights_hash`.
        stride: which sides of its pictures are multiples of.
        inputs: as in `Graph`.
        outputs: names, in order.
        free: as in `Graph`.
        exact: whether it is computed in float32 whatever the rest is computed in.
    """

    function: str
    functions: list[str]
    weights: str
    stride: int
    inputs: Mapping[str, Shape | None]
    outputs: list[str]
    free: str
    exact: bool

    def __post_init__(self) -> None:
        if not isinstance(self.inputs, Mapping):
            raise TypeError("it is of another version")

    def text(self) -> str:
        """As `read` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> "About":
        """What a file says.

        Raises:
            ValueError, TypeError: it says something else.
        """
        return cls(**json.loads(text))

    def shapes(self, sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]] | None:
        """Of all inputs, in order, where letters stand for `sizes`; -1 where nothing is prepared.

        None where this does not tell: an input is a number, or a letter stands for nothing.
        """
        known = {*sizes, *self.free}
        shapes = {}
        for name, shape in self.inputs.items():
            if shape is None or any(set(letters(entry)) - known for entry in shape):
                return None
            free = self.free_axes(name)
            shapes[name] = tuple(
                -1 if i in free else size(entry, sizes) for i, entry in enumerate(shape)
            )
        return shapes

    def free_axes(self, name: str) -> set[int]:
        """Axes of an input whose sizes change so often that nothing is prepared for each."""
        shape = self.inputs[name] or ()
        return {i for i, entry in enumerate(shape) if set(letters(entry)) & set(self.free)}

    @classmethod
    def found_in(cls, content: bytes) -> "About | None":
        """What the bytes of a file say, for those who cannot read ONNX; None where they do not.

        Raises:
            ValueError, TypeError: they say something else.
        """
        start = content.find(BEGINNING)
        if start < 0:
            return None
        said, _ = json.JSONDecoder().raw_decode(content[start:].decode("utf-8", "replace"))
        return cls(**said)


KEY = "masktrail"
"""Under which a file's metadata holds the text of `About`."""

PARAMETER = "network."
"""What a file's names of the network's parameters begin with."""

STORED = ".stored"
"""What they end with where the values lie in the weights file."""

BEGINNING = b'{"function": "'
"""Of that text."""


def file_name(stem: str, function: str, int8: bool = False) -> str:
    """Of a function of the weights whose file is called `stem`, in floats or in 8 bits."""
    return f"{stem}.{function}.{'int8.' if int8 else ''}onnx"


def letters(entry: int | str) -> list[str]:
    """The letters in an entry of a shape."""
    return [] if isinstance(entry, int) else _parts(entry)[1].split("*")


def factor(entry: int | str) -> int:
    """What the letters in an entry of a shape are multiplied by; the entry where it has none."""
    return entry if isinstance(entry, int) else int(_parts(entry)[0] or 1)


def size(entry: int | str, sizes: Mapping[str, int]) -> int:
    """An entry of a shape where letters stand for `sizes`."""
    return factor(entry) * math.prod(sizes[letter] for letter in letters(entry))


def _parts(entry: str) -> tuple[str, str]:
    match = SIZE.fullmatch(entry)
    if match is None:
        raise ValueError(f"{entry!r} is no size as n, 16h or h*w")
    return match[1], match[2]
