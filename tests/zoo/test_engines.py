"""Which engine computes a model, in what, and what is said where that is not possible."""

import logging
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest

from fake import random_network
from masktrail.engines import processor
from masktrail.errors import InputError
from masktrail.prompts.kinds import Mask
from masktrail.tracking.family import Family
from masktrail.zoo import CARDS, engines, load, weights_hash
from masktrail.zoo.weights import save_network

FAMILY = Family("memory")


@pytest.fixture
def folder(exported_memory, tmp_path):
    """Weights with graphs beside them, as one's own."""
    return shutil.copytree(exported_memory, tmp_path / "model")


def in_8_bits(folder) -> None:
    """Calls the graph of `encode` one of 8 bits, too."""
    shutil.copy(folder / "weights.encode.onnx", folder / "weights.encode.int8.onnx")


def test_graphs_are_computed_by_openvino_and_other_weights_by_torch(folder, caplog) -> None:
    assert load(folder, "cpu").provenance.engine == "openvino"
    assert load(folder).propagator.device == "cpu"
    for path in folder.glob("*.onnx"):
        path.unlink()
    assert load(folder, "cpu").provenance.engine == "torch"
    assert not caplog.records


def test_graphs_that_another_version_wrote_are_told_of(folder, caplog) -> None:
    for path in folder.glob("*.onnx"):
        path.write_bytes(path.read_bytes().replace(b'"inputs": ', b'"entries":'))
    assert load(folder, "cpu").provenance.engine == "torch"
    assert "graphs beside weights.safetensors are of another version" in caplog.text


def test_a_graph_that_another_version_left_beside_those_of_this_one_does_not_matter(
    folder, caplog
) -> None:
    content = (folder / "weights.lift.onnx").read_bytes().replace(b'"inputs": ', b'"entries":')
    (folder / "weights.read.onnx").write_bytes(content.replace(b'"lift"', b'"read"'))
    assert load(folder, "cpu").provenance.engine == "openvino"
    assert not caplog.records


@pytest.mark.parametrize("name", ["auto", "onnxruntime"])
def test_graphs_of_another_version_lack_a_function_which_is_told(folder, name) -> None:
    """They were all there were when they were written."""
    (folder / "weights.compare.onnx").rename(folder / "weights.read.onnx")
    for path in folder.glob("*.onnx"):
        path.write_bytes(path.read_bytes().replace(b'"compare"', b'"read"   '))
    tracker, image = load(folder, "cpu", engine=name), np.zeros((64, 64, 3), np.uint8)
    tracker.step(image, {1: Mask(np.eye(64) > 0)})
    with pytest.raises(InputError, match=r"cannot be used \(of compare there is none.*export-onnx"):
        tracker.step(image)


def test_graphs_that_nothing_needs_any_more_do_not_matter(folder, caplog) -> None:
    content = (folder / "weights.lift.onnx").read_bytes()
    digest = weights_hash(folder / "weights.safetensors").encode()
    (folder / "weights.read.onnx").write_bytes(
        content.replace(b'"function": "lift"', b'"function": "read"').replace(digest, b"0" * 64)
    )
    assert load(folder, "cpu").provenance.engine == "openvino"
    assert not caplog.records


@pytest.mark.parametrize("name", ["openvino", "onnxruntime", "torch"])
def test_an_engine_that_is_asked_for_computes(folder, name) -> None:
    tracker = load(folder, "cpu", precision="float", engine=name)
    assert (tracker.provenance.engine, tracker.provenance.precision) == (name, "float")
    assert tracker.propagator.engine.name == name
    image = np.random.default_rng(0).integers(0, 256, (64, 96, 3)).astype(np.uint8)
    propagator = tracker.propagator
    assert propagator.propagate(propagator.look(image), []).shape == (0, 32, 48)


@pytest.mark.parametrize(
    ("has", "whole", "expected"),
    [
        ({"amx_bf16", "avx512_bf16", "avx2"}, True, "bfloat16"),
        ({"avx512_bf16", "avx2"}, True, "int8"),
        ({"avx512_bf16", "avx2"}, False, "bfloat16"),
        ({"avx2"}, True, "int8"),
        ({"avx2"}, False, "float"),
        (set(), True, "float"),
    ],
)
def test_what_the_processor_is_fast_in_is_taken(folder, monkeypatch, has, whole, expected) -> None:
    monkeypatch.setattr(processor, "instructions", lambda: frozenset(has))
    if whole:
        in_8_bits(folder)
    assert load(folder, "cpu").provenance.precision == expected


def test_instructions_are_those_that_linux_tells(tmp_path, monkeypatch) -> None:
    processor.instructions.cache_clear()
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(processor.platform, "machine", lambda: "AMD64")
    assert processor.instructions() == {"avx2"}, "where nothing is told"
    processor.instructions.cache_clear()
    (tmp_path / "cpuinfo").write_text("model name : x\nflags\t\t: fpu avx2 avx512_bf16 sse\n")
    assert processor.instructions() == {"avx2", "avx512_bf16"}
    assert processor.precisions() == ("int8", "bfloat16", "float")
    processor.instructions.cache_clear()
    (tmp_path / "cpuinfo").write_text("Features : asimd\n")
    assert processor.precisions() == ("float",)
    processor.instructions.cache_clear()


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (None, {"avx2", "avx512_bf16", "amx_bf16"}),
        ("avx512_core_amx", {"avx2", "avx512_bf16", "amx_bf16"}),
        ("AVX512_CORE_BF16", {"avx2", "avx512_bf16"}),
        ("AVX512_CORE_VNNI", {"avx2"}),
        ("AVX2", {"avx2"}),
        ("SSE41", set()),
    ],
)
def test_instructions_that_onednn_may_not_use_are_not_counted_on(
    tmp_path, monkeypatch, limit, expected
) -> None:
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "cpuinfo")
    processor.CPUINFO.write_text("flags\t: fpu avx2 avx512_bf16 amx_bf16\n")
    monkeypatch.delenv(processor.LIMIT, raising=False)
    if limit is not None:
        monkeypatch.setenv(processor.LIMIT, limit)
    assert processor.instructions.__wrapped__() == expected


@pytest.mark.parametrize("small", [False, True])
def test_graphs_of_other_weights_are_told_of_and_not_used(folder, caplog, small) -> None:
    if small:  # made of the weights of before
        in_8_bits(folder)
    before = weights_hash(folder / "weights.safetensors").encode()
    save_network(folder / "weights.safetensors", random_network(1), "memory", {})
    if small:  # all others are of these weights
        for path in set(folder.glob("*.onnx")) - set(folder.glob("*.int8.onnx")):
            now = weights_hash(folder / "weights.safetensors").encode()
            path.write_bytes(path.read_bytes().replace(before, now))
    with caplog.at_level(logging.WARNING):
        assert load(folder, "cpu").provenance.engine == "torch"
    told = "graphs beside weights.safetensors are of other weights"
    assert f"{told}, so that torch computes" in caplog.text
    with pytest.raises(InputError, match=rf"{told}, .* write them with `masktrail export-onnx"):
        load(folder, "cpu", engine="openvino")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"engine": "tensorrt"}, "No engine 'tensorrt'; there are auto, openvino, onnxruntime"),
        ({"engine": "openvino", "device": "cuda"}, "openvino computes on cpu, not on cuda"),
        ({"engine": "openvino", "precision": "int8"}, "int8 is not possible .* --data DATA"),
        ({"engine": "onnxruntime", "precision": "bfloat16"}, "with onnxruntime there are float"),
        ({"engine": "torch", "precision": "int4"}, "No precision 'int4'; there are auto, float"),
    ],
)
def test_what_is_not_possible_is_refused(folder, asked, said) -> None:
    with pytest.raises(InputError, match=said):
        load(folder, **asked)


@pytest.mark.parametrize("name", ["openvino", "onnxruntime"])
def test_an_engine_that_is_not_installed_is_told_of(folder, monkeypatch, name) -> None:
    monkeypatch.setitem(sys.modules, f"masktrail.engines.{name}", None)
    with pytest.raises(InputError, match=f"The engine {name} is not installed, .* pip install"):
        load(folder, "cpu", engine=name)


def test_openvino_that_is_not_there_is_not_chosen(folder, monkeypatch) -> None:
    lacking(monkeypatch, "openvino")
    assert load(folder, "cpu").provenance.engine == "torch"


def lacking(monkeypatch, *names: str) -> None:
    """Has packages not be installed."""
    real = engines.find_spec
    monkeypatch.setattr(engines, "find_spec", lambda name: None if name in names else real(name))


@pytest.mark.parametrize(
    ("break_it", "asked", "said"),
    [
        (lambda folder: None, {"device": "cuda"}, "on the device cpu, not on cuda; torch"),
        (
            lambda folder: (folder / "weights.compare.onnx").unlink(),
            {},
            "safetensors lack compare; torch",
        ),
        (
            lambda folder: [path.unlink() for path in folder.glob("*.onnx")],
            {},
            r"no graphs of .*weights\.safetensors beside it; torch",
        ),
    ],
)
def test_what_torch_alone_could_do_is_told(folder, monkeypatch, break_it, asked, said) -> None:
    lacking(monkeypatch, "torch")
    assert load(folder).provenance.engine == "openvino"
    break_it(folder)
    with pytest.raises(InputError, match=rf"{said} .* pip install 'masktrail\[torch\]'"):
        load(folder, **asked)


def test_a_broken_torch_keeps_nothing_from_openvino(folder, monkeypatch, caplog) -> None:
    monkeypatch.setattr(engines.gpu, "is_possible", lambda: True)
    monkeypatch.setitem(sys.modules, "masktrail.devices", None)
    assert load(folder).provenance.engine == "openvino"
    assert "No GPU is used, since torch is broken" in caplog.text


def test_8_bits_of_weights_without_graphs_are_those_of_graphs(folder) -> None:
    for path in folder.glob("*.onnx"):
        path.unlink()
    with pytest.raises(InputError, match=r"int8 is not possible .* write 8-bit graphs with"):
        load(folder, "cpu", precision="int8")


def test_openvino_that_is_broken_is_told_of(folder, monkeypatch, caplog) -> None:
    monkeypatch.setitem(sys.modules, "masktrail.engines.openvino", None)
    assert load(folder, "cpu").provenance.engine == "torch"
    assert "so that torch computes weights.safetensors" in caplog.text


def test_graphs_that_are_not_all_there_are_told_of(folder, caplog) -> None:
    (folder / "weights.carry.onnx").unlink()
    assert load(folder, "cpu").provenance.engine == "torch"
    assert "graphs beside weights.safetensors lack carry" in caplog.text


def test_files_of_others_are_left_alone(folder, caplog) -> None:
    (folder / "weights.all.onnx").write_bytes(b"something else")
    assert load(folder, "cpu").provenance.engine == "openvino" and not caplog.records


@pytest.mark.parametrize("name", ["openvino", "onnxruntime"])
def test_a_damaged_graph_is_told_of(folder, name) -> None:
    path = folder / "weights.encode.onnx"
    about = path.read_bytes()
    path.write_bytes(about[: len(about) // 3] + about[about.index(b'{"function"') :])
    with pytest.raises(InputError, match=r"graph .*weights.encode.onnx cannot be used .* torch"):
        load(folder, "cpu", engine=name)


def test_weights_that_were_renamed_leave_their_graphs_unusable(folder) -> None:
    for path in list(folder.iterdir()):
        path.rename(path.with_name(path.name.replace("weights", "renamed")))
    with pytest.raises(InputError, match="cannot be used"):
        renamed = load(folder / "renamed.safetensors", "cpu", engine="openvino")
        renamed.look(np.zeros((64, 64, 3), np.uint8))


@pytest.mark.parametrize("model", ["copy", "memory-s"])
def test_names_are_checked_whatever_the_model(model) -> None:
    with pytest.raises(InputError, match="No engine 'nonsense'"):
        load(model, engine="nonsense")
    with pytest.raises(InputError, match="No precision 'half'"):
        load(model, precision="half")


def test_without_its_graphs_a_model_that_ships_is_computed_by_torch(monkeypatch, caplog) -> None:
    card = replace(CARDS["memory-s"], graphs={"memory-s.gone.onnx": "0" * 64})
    monkeypatch.setitem(CARDS, "memory-s", card)
    assert load("memory-s", "cpu").provenance.engine == "torch"
    assert "memory-s.gone.onnx" in caplog.text
    with pytest.raises(InputError, match=r"memory-s\.gone\.onnx are missing"):
        load("memory-s", "cpu", engine="openvino")


def test_numbers_of_any_library_go_in(folder) -> None:
    for name in ("openvino", "onnxruntime"):
        engine = load(folder, "cpu", engine=name).propagator.engine
        logits = np.zeros((2, 6, 8), np.float32)
        assert engine.run("labels", logits, np.int64(12), 16).shape == (12, 16)


def test_the_shipped_model_is_computed_from_its_graphs() -> None:
    tracker = load("memory-s", "cpu")
    assert tracker.provenance.engine == "openvino"
    assert tracker.provenance.precision == processor.precisions()[0]
