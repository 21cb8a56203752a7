"""The graphs of a model, made of its weights: `masktrail export-onnx`."""

import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import onnx

from masktrail.devices import choose_device
from masktrail.engines.graph import KEY, About, Graph, file_name
from masktrail.engines.torch import TorchEngine
from masktrail.errors import InputError
from masktrail.families import family
from masktrail.files import make_folder, replacing
from masktrail.graphs import labels
from masktrail.graphs.linked import link, stored
from masktrail.graphs.onnx import exported
from masktrail.graphs.samples import Samples, recorded
from masktrail.zoo import card_of, weights_hash, weights_path
from masktrail.zoo.fetch import sha256
from masktrail.zoo.files import siblings, stem_of
from masktrail.zoo.weights import load_network

Progress = Callable[[float], None]
"""Called with the share that is done, 0 to 1."""

LOOKING = 0.5
"""Share of the time that goes into looking at videos, where there are any."""


def export_graphs(
    model: str | Path,
    out: Path,
    data: Path | None = None,
    progress: Progress = lambda share: None,
) -> dict[str, str]:
    """Writes the functions of a model's network as ONNX files, and its weights beside them.

    Args:
        model: whatever `zoo.load` loads; its family says what its functions are.
        out: folder, which may be that of the weights; files of these names are replaced.
        data: data set whose videos tell the ranges of what the network computes; with it the
            functions are written in 8 bits too.
        progress: see `Progress`.

    Returns:
        SHA-256 by file name: `graphs` of the model's card.

    Raises:
        InputError: no such model, one without a network or whose functions cannot be exported, data
            that cannot be used, a file that cannot be written.
    """
    path = weights_path(model)
    if path is None:
        raise InputError(f"The model {str(model)!r} has no network that could be exported.")
    network, name = load_network(path)
    spec = family(name)
    if spec.graphs is None:
        raise InputError(f"Networks of the family {name!r} cannot be exported as they are.")
    make_folder(out)  # before minutes are spent
    graphs: Mapping[str, Graph] = spec.graphs()(getattr(network, "config", None))
    protos = {name: exported(network, name, graph) for name, graph in graphs.items()}
    samples: Samples = {}
    if data is not None:
        engine = TorchEngine(network, choose_device("cpu"))
        small = {name for name, graph in graphs.items() if not graph.exact} & _quantised(protos)
        looking = partial(_part, progress, LOOKING)
        samples = recorded(engine, small, spec, card_of(model), data, looking)
    for file in siblings(path):
        if file.resolve().parent != out.resolve():
            _copy(file, out / file.name)
    begun, digests, tensors = LOOKING if samples else 0.0, {}, stored(siblings(path))
    if spec.propagator is not None:
        graphs = {**graphs, labels.NAME: labels.GRAPH}
        protos[labels.NAME] = exported(labels.Competition(), labels.NAME, labels.GRAPH)
    for done, (function, graph) in enumerate(graphs.items()):
        about = _about(function, list(graphs), graph, network, path)
        proto = protos.pop(function)
        if function in samples:
            from masktrail.graphs.int8 import in_int8  # which takes long to import

            quantised = in_int8(proto, graph, samples.pop(function))
            digests.update(_write(quantised, about, out / file_name(stem_of(path), function, True)))
        link(proto, tensors)
        digests.update(_write(proto, about, out / file_name(stem_of(path), function)))
        progress(begun + (1 - begun) * (done + 1) / len(graphs))
    return digests


def _quantised(protos: Mapping[str, onnx.ModelProto]) -> set[str]:
    """Functions in which there is something to be written in 8 bits: convolutions."""
    return {
        name
        for name, proto in protos.items()
        if any(node.op_type == "Conv" for node in proto.graph.node)
    }


def _part(progress: Progress, part: float, share: float) -> None:
    progress(part * share)


def _about(function: str, functions: list[str], graph: Graph, network: Any, path: Path) -> About:
    return About(
        function=function,
        functions=functions,
        weights=weights_hash(path) or "",
        stride=getattr(network, "stride", 1),
        inputs=graph.inputs,
        outputs=list(graph.outputs),
        free=graph.free,
        exact=graph.exact,
    )


def _write(model: onnx.ModelProto, about: About, path: Path) -> dict[str, str]:
    """Writes a graph; its SHA-256 by its name."""
    entry = model.metadata_props.add()
    entry.key, entry.value = KEY, about.text()
    model.producer_name, model.producer_version = "masktrail", ""
    with replacing(path) as part:
        part.write_bytes(model.SerializeToString(deterministic=True))
    return {path.name: sha256(path)}


def _copy(file: Path, to: Path) -> None:
    with replacing(to) as part:
        shutil.copyfile(file, part)
