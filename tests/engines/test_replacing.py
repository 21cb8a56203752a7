"""Parameters replaced in graphs: as torch computes them, functions without them as they were."""

import numpy as np
import pytest

from masktrail.errors import InputError
from masktrail.families import family
from masktrail.zoo import WEIGHTS, load, weights_path
from masktrail.zoo.engines import make_engine

PATH = WEIGHTS / "memory-s.safetensors"
F16 = np.random.default_rng(0).normal(0, 0.5, (1, 256, 4, 6)).astype(np.float32)
MASKS = np.random.default_rng(1).random((1, 2, 32, 48), np.float32)
IMAGE = np.random.default_rng(2).integers(0, 256, (1, 64, 96, 3), np.uint8)


def engine_of(name: str, precision: str):
    return make_engine(PATH, family("memory"), name, "cpu", precision)


def changed() -> dict[str, np.ndarray]:
    """Some parameters of `memorize`, stored as they are and not."""
    network = engine_of("torch", "float").network_copy()
    parameters = dict(network.named_parameters())
    names = ("values.out.weight", "values.out.bias", "values.image.weight")
    return {name: 1.5 * parameters[name].detach().numpy() + 0.01 for name in names}


@pytest.mark.parametrize("precision", ["float", "int8"])
def test_a_graph_computes_with_other_parameters(precision: str) -> None:
    whole, engine = engine_of("torch", "float"), engine_of("openvino", precision)
    before = engine.array(engine.run("memorize", F16, MASKS))
    key = engine.array(engine.run("encode", IMAGE)[1])
    for each in (whole, engine):
        each.replace(changed())
    expected = whole.array(whole.run("memorize", F16, MASKS))
    found = engine.array(engine.run("memorize", F16, MASKS))
    assert np.abs(expected - before).max() > 0.1 * np.abs(expected).max()
    assert np.abs(found - expected).max() < 0.02 * np.abs(expected).max()
    np.testing.assert_array_equal(engine.array(engine.run("encode", IMAGE)[1]), key)
    engine.replace({})
    np.testing.assert_array_equal(engine.array(engine.run("memorize", F16, MASKS)), before)


def test_what_is_stored_in_8_bits_is_replaced_too() -> None:
    path = weights_path("lucid")
    assert path is not None
    rng = np.random.default_rng(3)
    inputs = (IMAGE, *rng.random((2, 1, 1, 64, 96), np.float32))
    engines = [make_engine(path, family("lucid"), n, "cpu", "float") for n in ("torch", "openvino")]
    parameters = dict(engines[0].network_copy().named_parameters())
    names = ("ups.2.conv1.weight", "encoder.layer3.0.conv1.weight", "head.weight", "head.bias")
    values = {name: 1.5 * parameters[name].detach().numpy() for name in names}
    results = []
    for engine in engines:
        before = engine.array(engine.run("segment", *inputs))
        engine.replace(values)
        results.append(engine.array(engine.run("segment", *inputs)))
        assert np.abs(results[-1] - before).max() > 0.1 * np.abs(before).max()
    np.testing.assert_allclose(*results, atol=2e-3 * np.abs(results[0]).max())


def test_the_network_to_learn_with_has_what_was_replaced() -> None:
    engine = engine_of("openvino", "float")
    engine.replace(changed())
    learned = dict(engine.network_copy().named_parameters())
    for name, values in changed().items():
        np.testing.assert_allclose(learned[name].detach().numpy(), values)


def test_what_does_not_fit_is_refused() -> None:
    engine = engine_of("openvino", "float")
    with pytest.raises(InputError, match=r"values\.out\.bias"):
        engine.replace({"values.out.bias": np.zeros(3, np.float32)})
    with pytest.raises(InputError, match=r"no graph beside it names values\.nothing"):
        engine.replace({**changed(), "values.nothing": np.zeros(3, np.float32)})
    before = engine_of("openvino", "float").run("memorize", F16, MASKS)
    np.testing.assert_array_equal(engine.run("memorize", F16, MASKS), before)


def test_onnx_runtime_says_that_it_cannot() -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(InputError, match="take openvino or torch"):
        engine_of("onnxruntime", "float").replace(changed())
    with pytest.raises(InputError, match="could not be given what it learned"):
        load("memory-s", settings={"adapt": 1}, engine="onnxruntime")
