"""A network's functions written as graphs: any engine computes what torch computes."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnxruntime import InferenceSession

from fake import TRACKING
from masktrail.engines.graph import KEY, About, Graph, file_name, size
from masktrail.engines.onnxruntime import OnnxRuntimeEngine
from masktrail.engines.openvino import OpenVinoEngine
from masktrail.engines.torch import TorchEngine
from masktrail.errors import InputError
from masktrail.families import create, families
from masktrail.families import family as family_of
from masktrail.geometry import Stretch
from masktrail.graphs import labels
from masktrail.graphs.exporting import export_graphs
from masktrail.graphs.onnx import exported as exported_function
from masktrail.tracking.competition import Settled, soft_aggregate
from masktrail.zoo import weights_hash
from masktrail.zoo.fetch import sha256
from masktrail.zoo.weights import load_network, publish, save_network

EXPORTED = [each.name for each in families() if each.graphs]

CONFIGS = {
    "unet": {"width": 8},
    "siamese-unet": {"width": 8},
    "lucid": {"width": 8},
    "agunet": {"width": 4},
}

ENGINES = {"openvino": OpenVinoEngine, "onnxruntime": OnnxRuntimeEngine}

SIZES = (
    {"h": 4, "w": 7, "n": 1, "m": 40, "p": 1, "q": 1, "b": 1, "r": 1},
    {"h": 3, "w": 4, "n": 3, "m": 77, "p": 2, "q": 3, "b": 1, "r": 2},
)
"""Of inputs; none are those that functions are traced with."""


@pytest.fixture(scope="module", params=EXPORTED)
def exported(request, tmp_path_factory):
    """Of every family: its network, untrained, the folder of its graphs, and what they are."""
    if request.param == "memory":
        folder = request.getfixturevalue("exported_memory")
        network, _ = load_network(folder / "weights.safetensors")
        digests = {path.name: sha256(path) for path in folder.glob("*.onnx")}
        return network, folder, family_of("memory").graphs()(network.config), digests
    folder = tmp_path_factory.mktemp("exported")
    config = CONFIGS.get(request.param, {})
    torch.manual_seed(0)
    made = create(request.param, **config)
    save_network(folder / "weights.safetensors", made, request.param, config)
    network, _ = load_network(folder / "weights.safetensors")  # as graphs hold it, in float16
    digests = export_graphs(folder, folder)
    graphs = family_of(request.param).graphs()(network.config)
    return network, folder, graphs, digests


def inputs_of(graph: Graph, sizes: dict[str, int]) -> list:
    """Some arrays for a function."""
    rng = np.random.default_rng(0)
    values = []
    for name, shape in graph.inputs.items():
        if shape is None:
            values.append(20)
        elif name in graph.pictures:
            shape = [size(entry, sizes) for entry in shape]
            values.append(rng.integers(0, 256, shape).astype(np.uint8))
        else:
            values.append(rng.random([size(entry, sizes) for entry in shape]).astype(np.float32))
    return values


def files_of(folder: Path, functions) -> dict[str, Path]:
    return {name: folder / file_name("weights", name) for name in functions}


def all_of(outputs) -> list:
    return list(outputs) if isinstance(outputs, tuple) else [outputs]


@pytest.mark.parametrize("engine", ENGINES)
def test_each_function_gives_what_torch_gives_at_any_size(exported, engine) -> None:
    network, folder, graphs, _ = exported
    whole = TorchEngine(network, bfloat16=False)
    other = ENGINES[engine](files_of(folder, graphs))
    assert other.stride == whole.stride and other.name == engine and other.device == "cpu"
    for (name, graph), sizes in itertools.product(graphs.items(), SIZES):
        inputs = inputs_of(graph, sizes)
        expected = [whole.array(value) for value in all_of(whole.run(name, *inputs))]
        found = [other.array(value) for value in all_of(other.run(name, *inputs))]
        assert len(found) == len(graph.outputs) == len(expected)
        for one, two in zip(found, expected, strict=True):
            assert one.dtype == np.float32 and one.shape == two.shape
            np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-3 * np.abs(two).max())


def test_agunets_correlation_is_a_graph_at_any_size(tmp_path) -> None:
    """What it is made of, by its config, instead of what is exported above."""
    network = create("agunet", g="xcorr", key=8, width=2).eval()
    graph = family_of("agunet").graphs()(network.config)["score"]
    session = InferenceSession(exported_function(network, "score", graph).SerializeToString())
    for sizes in SIZES:
        inputs = inputs_of(graph, sizes)
        inputs[:2] = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in inputs[:2]]
        expected = network.score(*map(torch.from_numpy, inputs)).detach().numpy()
        (found,) = session.run(None, dict(zip(graph.inputs, inputs, strict=True)))
        assert np.ptp(expected) > 1e-3
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("exported", ["agunet"], indirect=True)
def test_all_that_agunet_learns_can_be_replaced(exported) -> None:
    """Single numbers among it, which graphs must not have made part of others."""
    network, folder, graphs, _ = exported
    values = {
        name: 1.2 * value.detach().numpy() + 0.01
        for name, value in network.named_parameters()
        if not name.startswith("encoder.")
    }
    assert values["matching.shift"].shape == ()
    engines, results = [TorchEngine(network, bfloat16=False)], []
    engines.append(OpenVinoEngine(files_of(folder, graphs)))
    for engine in engines:
        engine.replace(values)
        levels = engine.run("encode", np.arange(64 * 96 * 3, dtype=np.uint8).reshape(1, 64, 96, 3))
        key = engine.run("project", levels[0])
        scores = engine.run("score", key, key, np.eye(4, 6, dtype=np.float32)[None, None])
        results.append(engine.array(engine.run("segment", *levels, scores)))
    assert np.ptp(results[0]) > 0
    np.testing.assert_allclose(*results, atol=2e-3 * np.abs(results[0]).max())


def test_files_say_what_they_are_and_hold_no_weights_of_their_own(exported) -> None:
    network, folder, graphs, digests = exported
    for name, graph in graphs.items():
        path = folder / file_name("weights", name)
        model = onnx.load(path, load_external_data=False)
        about = About.read({row.key: row.value for row in model.metadata_props}[KEY])
        assert about.function == name and about.outputs == list(graph.outputs)
        assert about.weights == weights_hash(folder / "weights.safetensors")
        assert about.inputs == {name: shape and list(shape) for name, shape in graph.inputs.items()}
        assert list(about.inputs) == [row.name for row in model.graph.input]
        inline = [t for t in model.graph.initializer if not t.external_data]
        weights = sum(parameter.numel() for parameter in network.parameters())
        assert sum(int(np.prod(t.dims)) for t in inline) < max(0.2 * weights, 20_000)
        assert str(Path(__file__).parents[2]).encode() not in path.read_bytes()
    assert digests.keys() == {path.name for path in folder.glob("*.onnx")}


@pytest.mark.parametrize("exported", ["unet"], indirect=True)
def test_the_same_weights_give_the_same_files(exported, tmp_path) -> None:
    _, folder, _, digests = exported
    assert export_graphs(folder, tmp_path) == digests
    assert (tmp_path / "weights.safetensors").read_bytes() == (
        folder / "weights.safetensors"
    ).read_bytes()


def test_weights_in_8_bit_shards_are_linked(tmp_path) -> None:
    network = create("siamese-unet", width=16).eval()
    files = publish(network, "siamese-unet", {"width": 16}, tmp_path, "big", 1_000_000)
    assert len(files) > 1
    (name, *_) = export_graphs(tmp_path / next(iter(files)), tmp_path)
    assert name == "big.forward.onnx" and (tmp_path / name).stat().st_size < 250_000
    stored, _ = load_network(tmp_path / next(iter(files)))
    graph = family_of("siamese-unet").graphs()(network.config)["forward"]
    inputs = inputs_of(graph, SIZES[1])
    whole = TorchEngine(stored, bfloat16=False)
    expected = whole.array(whole.run("forward", *inputs))
    for engine in ENGINES.values():
        found = engine({"forward": tmp_path / name}).run("forward", *inputs)
        np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("exported", sorted(set(EXPORTED) & set(TRACKING)), indirect=True)
@pytest.mark.parametrize("engine", ENGINES)
def test_the_graph_of_labels_is_the_competition_of_the_tracker(exported, engine) -> None:
    _, folder, _, _ = exported
    run = ENGINES[engine](files_of(folder, [labels.NAME])).run
    for seed, count in enumerate((1, 4)):
        logits = np.random.default_rng(seed).normal(0, 3, (count, 12, 20)).astype(np.float32)
        ids = range(1, count + 1)
        settled = Settled(Stretch(50, 97, 12, 20), ids, soft_aggregate(logits), {})
        same = run(labels.NAME, logits, 50, 97) == settled.labels()
        assert same.mean() > 0.999, "ties alone may differ"


def test_what_cannot_be_exported_is_refused(tmp_path, monkeypatch) -> None:
    with pytest.raises(InputError, match="'copy' has no network that could be exported"):
        export_graphs("copy", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file"):
        export_graphs("memory-s", tmp_path / "file")
    row = replace(family_of("labelprop"), graphs=None)
    monkeypatch.setattr("masktrail.graphs.exporting.family", lambda name: row)
    with pytest.raises(InputError, match="family 'labelprop' cannot be exported"):
        export_graphs("labelprop", tmp_path)
