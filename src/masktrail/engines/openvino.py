"""Networks computed by OpenVINO from their graphs, on a processor.

Free sizes are slower than fixed ones, and what OpenVINO keeps of each grows without end (its issue
23316): a function is therefore compiled for the sizes it is given, and few of these are kept.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.engines.arrays import ArrayEngine, Arrays
from masktrail.engines.buffers import Buffers
from masktrail.engines.graph import KEY, About
from masktrail.engines.private import untold
from masktrail.engines.threads import threads

with untold():
    import openvino as ov
    from openvino import opset13
    from openvino.preprocess import PrePostProcessor

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
        self._compiled: OrderedDict[tuple[Any, ...], _Compiled] = OrderedDict()
        self._one_by_one = Lock()

    def __call__(self, inputs: Sequence[Any]) -> list[NDArray[Any]]:
        key = tuple(
            value if isinstance(value, int) else self._shape(name, value)
            for name, value in zip(self.about.inputs, inputs, strict=True)
        )
        with self._one_by_one:
            if key not in self._compiled:
                for other in self._compiled.values():
                    other.clear()
                self._compiled[key] = self._compile(key)
                if len(self._compiled) > KEPT:
                    self._compiled.popitem(last=False)
            self._compiled.move_to_end(key)
            return self._compiled[key]([value for value in inputs if not isinstance(value, int)])

    def _shape(self, name: str, value: NDArray[Any]) -> tuple[int, ...]:
        """The shape of an input, -1 where it stays free."""
        free = self.about.free.get(name, ())
        return tuple(-1 if axis in free else side for axis, side in enumerate(value.shape))

    def _compile(self, key: tuple[Any, ...]) -> "_Compiled":
        model = self._model.clone()
        named = dict(zip(self.about.inputs, key, strict=True))
        for name, number in named.items():
            if isinstance(number, int):
                _set(model, name, number)
        shapes = {name: list(shape) for name, shape in named.items() if not isinstance(shape, int)}
        model.reshape(shapes)
        options = {
            "INFERENCE_NUM_THREADS": threads(),
            "INFERENCE_PRECISION_HINT": self._hint,
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,  # processes side by side would choose the same cores
        }
        try:
            return _Compiled(self._model, model, options)
        except RuntimeError as error:
            raise ArrayEngine.unusable(self._path, error) from error


class _Compiled:
    """A function for certain sizes.

    Features go in and come out with their channels last in memory, as they are computed: to
    rearrange them takes a third as long as `encode` of `memory-s` does.

    Args:
        general: the function for any size.
        model: the same for these.
        options: of the compilation.
    """

    def __init__(self, general: ov.Model, model: ov.Model, options: Mapping[str, Any]) -> None:
        self._last_in = [_is_features(general.input(port.any_name)) for port in model.inputs]
        self._last_out = [_is_features(port) for port in general.outputs]
        model = _with_channels_last(model, self._last_in, self._last_out)
        self._buffers = [
            None
            if port.get_partial_shape().is_dynamic
            else Buffers(tuple(port.get_shape()), port.get_element_type().to_dtype())
            for port in model.outputs
        ]
        self._request = _core().compile_model(model, "CPU", options).create_infer_request()

    def clear(self) -> None:
        """Lets go of room for outputs, as of memory that has grown since."""
        for buffers in self._buffers:
            if buffers is not None:
                buffers.clear()

    def __call__(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        given = [
            np.ascontiguousarray(value.transpose(0, 2, 3, 1) if last else value)
            for value, last in zip(inputs, self._last_in, strict=True)
        ]
        room = [None if buffers is None else buffers.take() for buffers in self._buffers]
        for i, array in enumerate(room):
            if array is not None:
                self._request.set_output_tensor(i, ov.Tensor(array, shared_memory=True))
        results = self._request.infer(given, share_inputs=True, share_outputs=True)
        outputs = [np.array(results[i]) if a is None else a for i, a in enumerate(room)]
        return [
            output.transpose(0, 3, 1, 2) if last else output
            for output, last in zip(outputs, self._last_out, strict=True)
        ]


def _is_features(port: Any) -> bool:
    """Whether an input or output is of maps with a number of channels that is always the same."""
    shape = port.get_partial_shape()
    has_channels = shape.rank.get_length() == 4 and shape[1].is_static and shape[1].get_length() > 1
    return has_channels and port.get_element_type() == ov.Type.f32


def _with_channels_last(model: ov.Model, inputs: list[bool], outputs: list[bool]) -> ov.Model:
    """The same function, with some of what goes in and out (B, H, W, C)."""
    preparation = PrePostProcessor(model)
    ports = ((preparation.input, inputs), (preparation.output, outputs))
    for place, last in ports:
        for i in np.flatnonzero(last):
            place(int(i)).model().set_layout(ov.Layout("NCHW"))
            place(int(i)).tensor().set_layout(ov.Layout("NHWC"))
    return preparation.build()


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
