"""A network's function compiled by OpenVINO for inputs of certain sizes."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.engines.arrays import ArrayEngine
from masktrail.engines.buffers import Buffers
from masktrail.engines.graph import PARAMETER, STORED
from masktrail.engines.private import untold
from masktrail.engines.threads import threads

with untold():
    import openvino as ov
    from openvino import opset13
    from openvino.preprocess import PrePostProcessor

    # OpenVINO's table of NumPy's types is made when it is first asked for, and two threads that
    # do so at once wait for each other for ever: it is made here, where an import lets only one in
    ov.Type.f32.to_dtype()


class Form:
    """A function for certain sizes, compiled when it is first needed.

    Features go in and come out with their channels last in memory, as they are computed: to
    rearrange them takes a third as long as `encode` of `memory-s` does.

    Args:
        path: of the graph.
        model: the function for any size; it becomes this one.
        inputs: shapes, -1 where they stay free, and numbers, by name.
        hint: what operators that are not in 8 bits compute in.

    Attributes:
        used: whether it was ever called.
    """

    def __init__(
        self,
        path: Path,
        model: ov.Model,
        inputs: Mapping[str, int | tuple[int, ...]],
        hint: str,
    ) -> None:
        self._path, self._inputs, self._hint = path, inputs, hint
        self._model: Any = model
        self._one_by_one = Lock()
        self.used = False
        self._request: Any = None
        self._last_in: list[bool] = []
        self._last_out: list[bool] = []
        self._buffers: list[Buffers | None] = []

    def compile(self) -> None:
        """Compiles it, if that is not done.

        Raises:
            InputError: it cannot be compiled.
        """
        with self._one_by_one:
            if self._request is not None:
                return
            try:
                self._request = self._compiled(self._model)
                self._model = None
            except RuntimeError as error:
                raise ArrayEngine.unusable(self._path, error) from error

    def clear(self) -> None:
        """Lets go of room for outputs, as of memory that has grown since."""
        for buffers in self._buffers:
            if buffers is not None:
                buffers.clear()

    def __call__(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        self.compile()
        self.used = True
        with self._one_by_one:
            return self._infer(inputs)

    def _compiled(self, model: ov.Model) -> Any:
        shapes = {}
        for name, value in self._inputs.items():
            if isinstance(value, int):
                _set(model, name, value)
            else:
                shapes[name] = list(value)
        self._last_in = [_is_features(port) for port in model.inputs]
        self._last_out = [_is_features(port) for port in model.outputs]
        model.reshape(shapes)
        model = _with_channels_last(model, self._last_in, self._last_out)
        self._buffers = [
            None
            if port.get_partial_shape().is_dynamic
            else Buffers(tuple(port.get_shape()), port.get_element_type().to_dtype())
            for port in model.outputs
        ]
        options = {
            "INFERENCE_NUM_THREADS": threads(),
            "INFERENCE_PRECISION_HINT": self._hint,
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,  # processes side by side would choose the same cores
        }
        return core().compile_model(model, "CPU", options).create_infer_request()

    def _infer(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
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
def core() -> ov.Core:
    """OpenVINO, one for the process."""
    return ov.Core()


HOLD_PARAMETERS = ("Constant", "Multiply")
"""Kinds of nodes that are called as parameters: what a file says, or the scaling of 8 bits."""


def set_parameters(model: ov.Model, parameters: Mapping[str, NDArray[np.float32]]) -> set[str]:
    """Gives those of a network's parameters that a function has other values.

    Returns:
        The names of those it has.

    Raises:
        ValueError: one has another shape, or cannot be told from how it is stored.
    """
    found, stored = set[str](), set[str]()
    for node in model.get_ops() if parameters else ():
        port, name = node.output(0), node.get_friendly_name()
        name = name.removeprefix(PARAMETER).removesuffix(STORED)
        if name not in parameters or node.get_type_name() not in HOLD_PARAMETERS:
            continue
        if not port.get_element_type().is_real():  # the node that makes floats of it follows
            stored.add(name)
            continue
        values = parameters[name]
        if tuple(port.get_shape()) != values.shape:
            raise ValueError(f"{name} is {port}, and not {values.shape}")
        constant = opset13.constant(np.ascontiguousarray(values, np.float32))
        for target in port.get_target_inputs():
            target.replace_source_output(constant.output(0))
        found.add(name)
    if missing := sorted(stored - found):
        raise ValueError(f"{missing[0]} is of whole numbers, which nothing makes floats of")
    model.validate_nodes_and_infer_types()
    return found


def _set(model: ov.Model, name: str, number: int) -> None:
    """Gives an input the value that it always has."""
    port = model.input(name)
    parameter = port.get_node()
    constant = opset13.constant(np.array(number, np.int64))
    for target in port.get_target_inputs():
        target.replace_source_output(constant.output(0))
    model.remove_parameter(parameter)
