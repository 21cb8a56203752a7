"""Graphs whose weights lie in the safetensors files beside them, as ONNX's external data."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from masktrail.engines.graph import PARAMETER, STORED

SMALL = 1024
"""Tensors of fewer values stay in the graph."""

KINDS = {"F16": TensorProto.FLOAT16, "F32": TensorProto.FLOAT, "I8": TensorProto.INT8}
"""What is linked, by the name that safetensors has for it."""

CLOSE = 1e-5
"""By how much of its largest value a tensor may differ from what its bytes stand for."""


@dataclass(frozen=True)
class Stored:
    """A tensor in a safetensors file.

    Attributes:
        file: that it is in.
        kind: of its values, as safetensors names it.
        shape: of it.
        start: where its bytes begin in the file.
        length: of its bytes.
    """

    file: Path
    kind: str
    shape: tuple[int, ...]
    start: int
    length: int

    def read(self) -> NDArray[np.float32]:
        """Its values."""
        dtype = {"F16": np.float16, "F32": np.float32, "I8": np.int8}[self.kind]
        count = self.length // np.dtype(dtype).itemsize
        values = np.fromfile(self.file, dtype, count, offset=self.start)
        return values.astype(np.float32).reshape(self.shape)


def stored(files: Sequence[Path]) -> dict[str, Stored]:
    """The tensors of safetensors files by name, of the kinds that can be linked."""
    tensors = {}
    for file in files:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            header = json.loads(opened.read(length))
        for name, row in header.items():
            if name != "__metadata__" and row["dtype"] in KINDS:
                start, end = row["data_offsets"]
                tensors[name] = Stored(
                    file, row["dtype"], tuple(row["shape"]), 8 + length + start, end - start
                )
    return tensors


def link(model: onnx.ModelProto, tensors: dict[str, Stored]) -> None:
    """Replaces, in place, the weights in a graph by links to a network's tensors.

    Args:
        model: of a function of the network; its file must come to lie beside those of the tensors.
        tensors: of the network by name, see `stored`.
    """
    for tensor in list(model.graph.initializer):
        source = tensors.get(tensor.name.removeprefix(PARAMETER))
        if source is not None and np.prod(tensor.dims) >= SMALL:
            nodes = _linked(model, tensor, source)
            if nodes:
                model.graph.initializer.remove(tensor)
                for at, node in enumerate(nodes):
                    model.graph.node.insert(at, node)


def _linked(model: onnx.ModelProto, tensor: TensorProto, source: Stored) -> list[onnx.NodeProto]:
    """What makes a tensor of the stored one, which is added to the graph; nothing where that is
    not possible."""
    values, whole = numpy_helper.to_array(tensor), source.read()
    if values.shape != whole.shape:
        return []
    name = f"{tensor.name}{STORED}"
    if source.kind != "I8":
        if not _equal(values, whole):
            return []
        model.graph.initializer.append(_external(name, source))
        return [helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT)]
    for axis in (0, 1):  # of the output channels; the second one where it is transposed
        scale = _scale(values, whole, axis)
        shape = [-1 if i == axis else 1 for i in range(values.ndim)]
        if _equal(values, whole * scale.reshape(shape)):
            model.graph.initializer.append(_external(name, source))
            model.graph.initializer.append(numpy_helper.from_array(scale, f"{name}.scale"))
            inputs = [name, f"{name}.scale"]
            return [helper.make_node("DequantizeLinear", inputs, [tensor.name], axis=axis)]
    return []


def _scale(
    values: NDArray[np.float32], whole: NDArray[np.float32], axis: int
) -> NDArray[np.float32]:
    """What each channel's whole numbers are multiplied by to give the values, a batch norm that was
    folded into them included."""
    others = tuple(i for i in range(values.ndim) if i != axis)
    squares = (whole * whole).sum(others)
    scale: NDArray[np.float32] = (values * whole).sum(others) / np.maximum(squares, 1)
    return scale.astype(np.float32)


def _equal(values: NDArray[np.float32], others: NDArray[np.float32]) -> bool:
    return bool(np.abs(values - others).max() <= CLOSE * np.abs(values).max())


def _external(name: str, source: Stored) -> TensorProto:
    tensor = TensorProto(name=name, data_type=KINDS[source.kind], dims=source.shape)
    tensor.data_location = TensorProto.EXTERNAL
    rows = {"location": source.file.name, "offset": source.start, "length": source.length}
    for key, value in rows.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
    return tensor
