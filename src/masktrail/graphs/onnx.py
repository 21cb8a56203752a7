"""One function of a network as ONNX, with free sizes."""

from collections.abc import Mapping
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from masktrail.engines.graph import Graph, Shape, factor, letters, size
from masktrail.graphs.quiet import quiet

EXAMPLE = {"h": 6, "w": 10, "n": 3, "m": 150, "p": 5, "q": 4, "b": 2, "r": 7}
"""Sizes that a function is traced with, by letter; none is special."""

NUMBER = 30
"""The same of a number."""

MOST = 4096
"""No size is larger."""

OPSET = 20


class Function(nn.Module):
    """One function of a network with arrays in: pictures uint8, numbers of no dimensions."""

    def __init__(self, network: nn.Module, name: str, graph: Graph) -> None:
        super().__init__()
        self.network, self._name, self._graph = network, name, graph

    def forward(self, *inputs: Tensor) -> Any:
        named = zip(self._graph.inputs, inputs, strict=True)
        return getattr(self.network, self._name)(*(self._prepared(*each) for each in named))

    def _prepared(self, name: str, value: Tensor) -> Any:
        if name in self._graph.pictures:
            return value.permute(0, 3, 1, 2).float() / 255
        if self._graph.inputs[name] is not None:
            return value
        number = value.item()
        torch._check(number >= 1)
        return number


def exported(network: nn.Module, name: str, graph: Graph) -> onnx.ModelProto:
    """One function of a network, its weights inside, batch norms folded.

    Args:
        network: in eval mode.
        name: of the function.
        graph: of it.
    """
    dims = {letter: torch.export.Dim(letter, min=1, max=MOST) for letter in EXAMPLE}
    shapes = tuple(None if s is None else _free(s, dims) for s in graph.inputs.values())
    with quiet("torch.onnx._internal.exporter._registration"), torch.no_grad():
        program = torch.onnx.export(
            Function(network, name, graph),
            tuple(_example(graph, each) for each in graph.inputs),
            dynamo=True,
            dynamic_shapes=(shapes,),
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None
    return _bare(program.model_proto)


def _example(graph: Graph, name: str) -> Tensor:
    shape = graph.inputs[name]
    if shape is None:
        return torch.tensor(NUMBER)
    sizes = [size(entry, EXAMPLE) for entry in shape]
    return torch.zeros(sizes, dtype=torch.uint8) if name in graph.pictures else torch.rand(sizes)


def _free(shape: Shape, dims: Mapping[str, Any]) -> dict[int, Any]:
    """Which axes are free, as `torch.export` is told of them."""
    free: dict[int, Any] = {}
    for axis, entry in enumerate(shape):
        symbols = letters(entry)
        if len(symbols) > 1:  # a product, which it finds out by itself
            free[axis] = torch.export.Dim.AUTO
        elif symbols:
            free[axis] = (
                dims[symbols[0]] if factor(entry) == 1 else factor(entry) * dims[symbols[0]]
            )
    return free


def _bare(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without what tells how the graph was made, paths of this machine among it."""
    model.ClearField("metadata_props")
    model.ClearField("doc_string")
    model.graph.ClearField("metadata_props")
    model.graph.ClearField("doc_string")
    model.graph.ClearField("value_info")
    for part in (*model.graph.node, *model.graph.initializer, *model.graph.input):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    return model
