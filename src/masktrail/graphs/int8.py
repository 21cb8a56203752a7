"""Graphs in 8-bit integers: standard QDQ nodes of ONNX, put in by NNCF.

Static quantisation after training: weights symmetric with a scale per output channel, activations
with one range per tensor (Jacob et al., "Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference", CVPR 2018). Weights have 7 bits, because without VNNI
a processor adds two products in 16 bits ("overflow fix").
"""

from collections.abc import Sequence
from typing import Any

import onnx

from masktrail.engines.graph import PARAMETER, Graph
from masktrail.engines.private import untold
from masktrail.graphs.quiet import quiet

with untold():
    import nncf
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, OverflowFix

SAMPLES = 64
"""So many of the calls of a function tell its ranges, spread over all."""

FLOATS = ("MatMul", "Mul", "Sub", "Pow", "Div", "Resize", "ReduceSum", "Sigmoid", "AveragePool")
"""Operators that stay floats."""


def in_int8(model: onnx.ModelProto, graph: Graph, calls: Sequence[Sequence[Any]]) -> Any:
    """A function in 8 bits, its own weights inside.

    Args:
        model: of the function, in floats, its weights inside.
        graph: of it.
        calls: arguments of some calls.
    """
    chosen = calls[:: max(1, len(calls) // SAMPLES)][:SAMPLES]
    samples = [dict(zip(graph.inputs, call, strict=True)) for call in chosen]
    kinds = {node.op_type for node in model.graph.node}.intersection(FLOATS)
    weights = {f"{PARAMETER}{name}.weight" for name in graph.floats}
    names = [node.name for node in model.graph.node if weights.intersection(node.input)]
    with quiet("nncf"):
        return nncf.quantize(
            model,
            nncf.Dataset(samples),
            subset_size=len(samples),
            target_device=nncf.TargetDevice.CPU,
            ignored_scope=nncf.IgnoredScope(names=names, types=sorted(kinds)),
            advanced_parameters=AdvancedQuantizationParameters(overflow_fix=OverflowFix.ENABLE),
        )
