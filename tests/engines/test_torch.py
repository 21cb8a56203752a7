"""A network behind the engine: what goes in, what comes out, what is left alone."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from masktrail.engines.torch import TorchEngine, arrays_of
from masktrail.families import create


class Echo(nn.Module):
    """Gives back what it was given."""

    stride = 8

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0))

    def same(self, *given):
        return given

    def doubled(self, x: Tensor) -> Tensor:
        return self.factor * x

    def computed(self, x: Tensor) -> Tensor:
        return x @ x


def test_pictures_arrays_and_numbers_reach_the_function() -> None:
    engine = TorchEngine(Echo())
    picture = np.arange(24, dtype=np.uint8).reshape(1, 2, 4, 3)
    seen, values, number = engine.run("same", picture, np.float32([[1, 2], [3, 4]]), 3)
    assert seen.shape == (1, 3, 2, 4) and seen.dtype == torch.float32
    torch.testing.assert_close(seen[0, 2, 1, 3] * 255, torch.tensor(23.0))
    assert seen.is_contiguous(memory_format=torch.channels_last)
    assert values.tolist() == [[1, 2], [3, 4]]
    assert number == 3 and engine.stride == 8 and engine.device == "cpu"


def test_maps_that_are_put_back_lie_in_memory_as_networks_give_them() -> None:
    """Or what goes on from a state would be computed in another way, to another last digit."""
    engine = TorchEngine(create("memory").eval())
    for value in engine.run("encode", np.zeros((1, 64, 96, 3), np.uint8)):
        assert value.is_contiguous(memory_format=torch.channels_last)
        kept = engine.keep(engine.array(value))
        assert kept.is_contiguous(memory_format=torch.channels_last)


def test_what_is_kept_goes_in_again_and_comes_out_as_an_array() -> None:
    engine = TorchEngine(Echo())
    once = engine.run("doubled", np.float32([1, 2]))
    twice = engine.array(engine.run("doubled", once))
    assert isinstance(twice, np.ndarray) and twice.dtype == np.float32
    assert twice.tolist() == [4, 8]
    assert engine.array(engine.keep(np.float32([5]))).tolist() == [5]
    joined = engine.join([once, engine.keep(np.float32([5]))], 0)
    assert engine.array(joined).tolist() == [2, 4, 5]


@pytest.mark.parametrize("view", ["backwards", "read-only", "transposed"])
def test_any_array_goes_in(view: str) -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    given = {"backwards": values[:, ::-1], "read-only": values, "transposed": values.T}[view]
    given.setflags(write=view != "read-only")
    engine = TorchEngine(Echo())
    np.testing.assert_array_equal(engine.array(engine.run("doubled", given)), 2 * given)


def test_the_network_is_left_as_it_is_and_runs_without_gradients() -> None:
    network = create("unet", width=4).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    engine = TorchEngine(network)
    pictures = np.zeros((2, 32, 32, 3), np.uint8)
    out = engine.run("forward", pictures, pictures, np.zeros((2, 1, 32, 32), np.float32))
    assert out.shape == (2, 1, 32, 32) and not out.requires_grad
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in engine.network.modules())


@pytest.mark.parametrize("bfloat16", [True, False])
def test_it_computes_in_what_it_is_told(bfloat16: bool) -> None:
    engine = TorchEngine(Echo(), bfloat16=bfloat16)
    assert engine.precision == ("bfloat16" if bfloat16 else "float")
    assert engine.run("computed", np.float32([[1]])).dtype == (
        torch.bfloat16 if bfloat16 else torch.float32
    )


def test_states_of_tensors_become_states_of_arrays() -> None:
    state = {
        "half": torch.tensor([1.5], dtype=torch.bfloat16),
        1: [(torch.tensor([True]), None), {"size": 3}],
    }
    found = arrays_of(state)
    assert found["half"].dtype == np.float32 and found["half"].tolist() == [1.5]
    assert found[1][0][0].dtype == np.bool_ and found[1] == [[np.array([True]), None], {"size": 3}]


def test_parameters_are_replaced_and_come_back() -> None:
    network = Echo()
    engine = TorchEngine(network)
    engine.replace({"factor": np.array(5.0, np.float32)})
    assert engine.array(engine.run("doubled", np.float32([1]))).tolist() == [5]
    assert network.factor.item() == 2, "the network is left as it is"
    copy = engine.network_copy()
    assert copy.factor.item() == 5
    copy.factor.data.fill_(7.0)
    assert engine.array(engine.run("doubled", np.float32([1]))).tolist() == [5]
    engine.replace({})
    assert engine.array(engine.run("doubled", np.float32([1]))).tolist() == [2]
    assert engine.network_copy().factor.item() == 2
