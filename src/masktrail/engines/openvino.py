"""Networks computed by OpenVINO from their graphs, on a processor.

Free sizes are slower than fixed ones, and what OpenVINO keeps of each grows without end (its issue
23316): a function is therefore compiled for the sizes it is given, and few of these are kept.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.engines.arrays import ArrayEngine, Arrays
from masktrail.engines.graph import KEY, About
from masktrail.engines.private import untold
from masktrail.engines.threads import threads

with untold():
    import openvino as ov
    from openvino import opset13

KEPT = 8
"""So many compiled forms of a function are kept, the latest used."""

HINTS = {"float": "f32", "bfloat16": "bf16", "int8": "f32"}
"""What operators that are not in 8 bits compute in, by precision."""


class OpenVinoEngine(ArrayEngine):
    """A network's functions by OpenVINO.

    Args:
        files: of the functions by name, see `engines.graph`.
        precision: "float", "bfloat16" or "int8"; the last is of the files.
    """

    name = "openvino"

    def __init__(self, files: Mapping[str, Path], precision: str = "float") -> None:
        self._functions = {name: _Function(path, precision) for name, path in files.items()}
        stride = next(iter(self._functions.values())).about.stride
        super().__init__(files, precision, stride)

    def outputs(self, function: str, inputs: Sequence[Any]) -> Arrays:
        """See `ArrayEngine.outputs`."""
        return self._functions[function](inputs)


class _Function:
    """One function, compiled for whatever sizes it is called with."""

    def __init__(self, path: Path, precision: str) -> None:
        self._path = path
        try:
            self._model = _core().read_model(path)
            self.about = About.read(self._model.get_rt_info(["framework", KEY]).astype(str))
        except (RuntimeError, ValueError, TypeError) as error:
            raise ArrayEngine.unusable(path, error) from error
        self._hint = "f32" if self.about.exact else HINTS[precision]
        self._requests: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    def __call__(self, inputs: Sequence[Any]) -> list[NDArray[Any]]:
        arrays = [value for value in inputs if not isinstance(value, int)]
        request = self._request(inputs)
        results = request.infer(arrays, share_inputs=True, share_outputs=True)
        return [np.array(results[i]) for i in range(len(self.about.outputs))]

    def _request(self, inputs: Sequence[Any]) -> Any:
        key = tuple(
            value if isinstance(value, int) else self._shape(name, value)
            for name, value in zip(self.about.inputs, inputs, strict=True)
        )
        if key not in self._requests:
            self._requests[key] = self._compiled(key)
            if len(self._requests) > KEPT:
                self._requests.popitem(last=False)
        self._requests.move_to_end(key)
        return self._requests[key]

    def _shape(self, name: str, value: NDArray[Any]) -> tuple[int, ...]:
        """The shape of an input, -1 where it stays free."""
        free = self.about.free.get(name, [])
        return tuple(-1 if axis in free else side for axis, side in enumerate(value.shape))

    def _compiled(self, key: tuple[Any, ...]) -> Any:
        model = self._model.clone()
        named = dict(zip(self.about.inputs, key, strict=True))
        for name, number in named.items():
            if isinstance(number, int):
                _set(model, name, number)
        model.reshape({name: list(s) for name, s in named.items() if not isinstance(s, int)})
        options = {
            "INFERENCE_NUM_THREADS": threads(),
            "INFERENCE_PRECISION_HINT": self._hint,
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,  # processes side by side would choose the same cores
        }
        try:
            return _core().compile_model(model, "CPU", options).create_infer_request()
        except RuntimeError as error:
            raise ArrayEngine.unusable(self._path, error) from error


@cache
def _core() -> ov.Core:
    return ov.Core()


def _set(model: ov.Model, name: str, number: int) -> None:
    """Gives an input the value that it always has."""
    port = model.input(name)
    parameter = port.get_node()
    constant = opset13.constant(np.array(number, np.int64))
    for target in port.get_target_inputs():
        target.replace_source_output(constant.output(0))
    model.remove_parameter(parameter)
