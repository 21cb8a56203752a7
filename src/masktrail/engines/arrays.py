"""What engines have in common whose networks take and give arrays, from graphs on disk."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.engines.attention import attended
from masktrail.errors import InputError

Arrays = Sequence[NDArray[Any]]

Parameters = Mapping[str, NDArray[np.float32]]
"""Of a network, by name."""


class ArrayEngine(ABC):
    """See `engines.Engine`. What is kept are arrays.

    Args:
        files: of the functions by name, see `engines.graph`.
        precision: see `Engine`.
        stride: see there.
        load: gives the network as torch has it; None where there is no file of it.
    """

    name: str
    device = "cpu"
    concurrent = True

    def __init__(
        self,
        files: Mapping[str, Path],
        precision: str,
        stride: int,
        load: Callable[[], Any] | None = None,
    ) -> None:
        self._files, self.precision, self.stride = dict(files), precision, stride
        self._load, self._replaced = load, dict[str, NDArray[np.float32]]()
        digest = hashlib.sha256()
        for _, file in sorted(files.items()):
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        self.graphs = digest.hexdigest()

    def run(self, function: str, *inputs: Any) -> Any:
        """See `Engine.run`.

        Raises:
            InputError: there is no graph of it.
        """
        if function not in self._files:
            first = next(iter(self._files.values()))
            raise self.unusable(first, ValueError(f"of {function} there is none beside it"))
        plain = [int(value) if isinstance(value, Integral) else value for value in inputs]
        outputs = self.outputs(function, plain)
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    @abstractmethod
    def outputs(self, function: str, inputs: Sequence[NDArray[Any] | int]) -> Arrays:
        """All outputs of a function, in arrays that nobody else writes to.

        Args:
            function: name of it.
            inputs: arrays, in whatever order their numbers lie, and numbers.
        """

    def warm_up(self, sizes: Mapping[str, int]) -> Iterator[None]:
        """See `Engine.warm_up`; nothing, unless a kind of engine compiles for sizes."""
        return iter(())

    @staticmethod
    def unusable(file: Path, error: Exception) -> InputError:
        """What is said of a graph that cannot be read or prepared."""
        reason = " ".join(str(error).split())[:300]
        return InputError(
            f"The graph {file} cannot be used ({reason}); write it anew with `masktrail "
            "export-onnx`, or take the engine torch."
        )

    def network_copy(self) -> Any:
        """See `Engine.network_copy`."""
        if self._load is None:
            raise InputError("There are graphs alone, and no weights that could be learned from.")
        network = self._load()
        if self._replaced:
            import torch

            changed = {name: torch.tensor(array) for name, array in self._replaced.items()}
            network.load_state_dict(changed, strict=False)
        return network

    def replace(self, parameters: Parameters) -> None:
        """See `Engine.replace`."""
        if parameters or self._replaced:
            self.prepare(parameters)
        self._replaced = dict(parameters)

    def prepare(self, parameters: Parameters) -> None:
        """Makes functions ready that have any of these parameters, with their values.

        Raises:
            InputError: this kind of engine cannot.
        """
        raise InputError(
            f"The engine {self.name} computes graphs as they are, and what was learned cannot be "
            "put into them; take openvino or torch."
        )

    def array(self, value: NDArray[Any]) -> NDArray[Any]:
        """See `Engine.array`."""
        return value

    def keep(self, array: NDArray[Any]) -> NDArray[Any]:
        """See `Engine.keep`."""
        return array

    def attend(self, similarity: NDArray[Any], values: NDArray[Any], k: int) -> NDArray[Any]:
        """See `Engine.attend`."""
        return attended(similarity[0], values[0], k)[None]

    def join(self, values: Arrays, axis: int) -> NDArray[Any]:
        """See `Engine.join`."""
        return np.concatenate(values, axis)
