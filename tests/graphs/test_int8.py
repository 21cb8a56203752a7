"""Graphs in 8 bits, made on videos: the command, and what the files are."""

import shutil

import numpy as np
import onnx
import pytest
import torch

from masktrail.data.davis import find_sequences
from masktrail.engines.onnxruntime import OnnxRuntimeEngine
from masktrail.engines.openvino import OpenVinoEngine
from masktrail.families import create
from masktrail.graphs import samples
from masktrail.zoo.weights import save_network
from painted_sets import paint_videos
from small_networks import MODELS


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """What the command leaves of a small network and painted videos, and what it says."""
    folder = tmp_path_factory.mktemp("exported")
    config = MODELS["memory"]
    torch.manual_seed(0)
    save_network(folder / "weights.safetensors", create("memory", **config), "memory", config)
    return folder


def test_a_model_of_ones_own_is_exported_and_computed_in_8_bits(
    exported, tmp_path, command
) -> None:
    data = paint_videos(tmp_path / "data")
    out = shutil.copytree(exported, tmp_path / "model")
    done = command("export-onnx", out, out, "--data", data)
    assert done.code == 0, done.err
    whole = {path.name for path in out.glob("*.int8.onnx")}
    assert whole >= {"weights.encode.int8.onnx", "weights.segment.int8.onnx"}
    assert not whole & {"weights.compare.int8.onnx", "weights.carry.int8.onnx"}
    digests = [line.split() for line in done.out.splitlines()]
    assert whole < {name for _, name in digests}, "and nothing else is said"
    for name in whole:
        graph = onnx.load(out / name).graph
        assert sum(node.op_type == "QuantizeLinear" for node in graph.node) > 5
        domains = {node.domain for node in graph.node}
        assert domains <= {"", "ai.onnx"}, "nothing but standard operators"
    frame = find_sequences(data, ["left"])[0].image(4)[None, :48]
    picture = np.ascontiguousarray(frame)  # (1, 48, 96, 3)
    found = {}
    for engine in (OpenVinoEngine, OnnxRuntimeEngine):
        for name, end in (("float", ""), ("int8", ".int8")):
            files = {"encode": out / f"weights.encode{end}.onnx"}
            found[engine.name, name] = engine(files, name).run("encode", picture)[0]
    expected = found["openvino", "float"]
    for value in found.values():
        assert np.abs(value - expected).mean() < 0.2 * np.abs(expected).mean()
    said = command(
        "track", data / "JPEGImages/480p/left", "--mask", data / "Annotations/480p/left/00000.png",
        "--model", out, "--precision", "int8", "--export", "csv", "--out", tmp_path / "run",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert '"engine": "openvino"' in (tmp_path / "run/run.json").read_text()
    assert '"precision": "int8"' in (tmp_path / "run/run.json").read_text()


def test_a_recorder_hands_everything_on_and_keeps_what_it_is_told_to() -> None:
    class Echo:
        name, device, precision, stride = "echo", "cpu", "float", 8
        graphs, concurrent = None, True

        def run(self, function, *inputs):
            return inputs

        def array(self, value):
            return np.float32(value)

        def keep(self, array):
            return ("kept", array)

        def attend(self, similarity, values, k):
            return ("attended", similarity, values, k)

        def join(self, values, axis):
            return ("joined", values, axis)

    recorder = samples.Recorder(Echo(), {"one"})
    assert recorder.run("one", np.zeros(2), 3) == recorder.run("one", *recorder.samples["one"][0])
    assert recorder.run("two", 1) == (1,) and "two" not in recorder.samples
    recorder.keeping = False
    recorder.run("one", 1)
    assert len(recorder.samples["one"]) == 2
    assert recorder.keep(1) == ("kept", 1) and recorder.join([1], 0) == ("joined", [1], 0)
    assert recorder.attend(1, 2, 3) == ("attended", 1, 2, 3) and recorder.concurrent
    assert recorder.array(2) == 2 and (recorder.name, recorder.stride) == ("echo", 8)


def test_models_tell_what_computes_them(command) -> None:
    said = command("models", "-v")
    assert said.code == 0
    rows = [line.split() for line in said.out.splitlines()]
    assert any(row[:2] == ["memory-s", "openvino"] for row in rows)
    assert any(row[:2] == ["labelprop", "openvino"] for row in rows) and ["copy", "none"] in rows
    assert ["avx2", "int8,", "float"] in [row[:3] for row in rows]
    assert "processor has" not in command("models").out
