"""8-bit convolutions: what they compute, what they replace, and how near they stay."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from fake import random_network
from masktrail.families.prompt.network import PromptNetwork
from masktrail.models.backbones import NORMALISED, BasicBlock, Normalise, Pool
from masktrail.models.blocks import ResidualBlock
from masktrail.models.int8 import (
    LEVELS,
    Int8Conv2d,
    Int8Pool,
    Int8Residual,
    Int8Stage,
    in_steps,
    observing,
    supported,
    to_int8,
)

CPU = torch.device("cpu")

possible = pytest.mark.skipif(not supported(CPU), reason="no 8-bit convolutions here")


def conv(seed: int = 0, kernel: int = 3, stride: int = 1, channels: int = 8) -> nn.Conv2d:
    torch.manual_seed(seed)
    return nn.Conv2d(channels, 8, kernel, stride, kernel // 2)


def whole_steps(x: Tensor, range_in: float) -> Tensor:
    """What is left of a tensor in steps of its range."""
    return in_steps(x, range_in / LEVELS) * (range_in / LEVELS)


def coarse(layer: nn.Conv2d) -> nn.Conv2d:
    """The same convolution, its weights in 255 steps per output channel."""
    rough = nn.Conv2d(
        layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding
    )
    step = layer.weight.detach().abs().amax((1, 2, 3), keepdim=True) / 127
    rough.load_state_dict({**layer.state_dict(), "weight": (layer.weight / step).round() * step})
    return rough.double()


@given(st.floats(0.01, 100), st.lists(st.floats(-200, 200), min_size=1))
def test_steps_are_cut_off_and_nearest(largest: float, values: list[float]) -> None:
    x = torch.tensor(values)[None, None, None]
    found = in_steps(x, largest / LEVELS)
    assert found.dtype == torch.uint8 and found.max() <= LEVELS
    inside = x.clamp(0, largest)
    assert torch.allclose(found * (largest / LEVELS), inside, atol=largest / LEVELS * 0.501)


@possible
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (1, 2), (7, 2)])
def test_a_convolution_of_whole_steps(kernel: int, stride: int) -> None:
    layer = conv(1, kernel, stride)
    x = torch.rand(2, 8, 20, 24) * 5 - 0.5  # some below 0, some beyond the range
    found = Int8Conv2d(layer, 4.0)(x)
    expected = coarse(layer)(whole_steps(x, 4.0).double())
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), expected, atol=1e-4)
    assert (Int8Conv2d(layer, 4.0, relu=True)(x) == found.relu()).all()


@possible
def test_a_convolution_of_what_can_be_negative() -> None:
    layer = conv(5, 7, 2)
    x = torch.rand(2, 8, 20, 24) * 5 - 2
    step = 5.0 / LEVELS
    found = Int8Conv2d(layer, 3.0, low=-2.0)(x)
    zero = round(2.0 / step)
    expected = coarse(layer)((in_steps(x, step, zero).double() - zero) * step)
    assert torch.allclose(found.double(), expected, atol=1e-4), "borders, which are 0, included"


def test_pooling_whole_steps() -> None:
    x = torch.randint(0, 128, (2, 8, 12, 18), dtype=torch.uint8)
    assert torch.equal(Int8Pool()(x).float(), Pool()(x.float()))


def test_images_lie_between_the_darkest_and_the_brightest() -> None:
    found = Normalise()(torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 3, 1, 1))
    assert (found.min().item(), found.max().item()) == pytest.approx(NORMALISED, abs=1e-3)


@possible
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (1, 2)])
def test_several_pictures_give_the_same_every_time(kernel: int, stride: int) -> None:
    layer, x = Int8Conv2d(conv(4, kernel, stride), 4.0), torch.rand(2, 8, 20, 24) * 4
    first = layer(x)
    for _ in range(100):
        assert torch.equal(layer(x), first)


@possible
def test_sums_as_large_as_they_can_be_do_not_overflow() -> None:
    layer = conv(channels=64)
    nn.init.constant_(layer.weight, 0.5)
    layer.weight.data[1::2] = -0.5
    x = torch.full((1, 64, 9, 9), 3.0)
    assert torch.allclose(Int8Conv2d(layer, 3.0)(x), layer(x), rtol=1e-4)


@possible
def test_an_output_in_steps_is_the_float_one_rounded() -> None:
    layer, x = conv(2), torch.rand(1, 8, 16, 16) * 4
    exact = Int8Conv2d(layer, 4.0, relu=True)(x)
    found = Int8Conv2d(layer, 4.0, range_out=1.0)(x)
    assert found.dtype == torch.uint8
    assert (found.float() - in_steps(exact, 1.0 / LEVELS).float()).abs().max() <= 1


@possible
def test_a_sum_is_taken_before_the_activation() -> None:
    layer, x = conv(3), torch.rand(1, 8, 16, 16) * 4
    base = torch.randn(1, 8, 16, 16).contiguous(memory_format=torch.channels_last)
    expected = (Int8Conv2d(layer, 4.0)(x) + base).relu()
    assert torch.allclose(Int8Conv2d(layer, 4.0, relu=True).onto(x, base.clone()), expected)
    steps = in_steps(torch.rand(1, 8, 16, 16) * 2, 2 / LEVELS)
    expected = in_steps(Int8Conv2d(layer, 4.0)(x) + steps * (2 / LEVELS), 3 / LEVELS)
    found = Int8Conv2d(layer, 4.0, range_out=3.0).onto(x, steps.clone(), 2 / LEVELS)
    assert (found.float() - expected.float()).abs().max() <= 1


def test_ranges_are_of_what_is_never_negative() -> None:
    network = nn.Sequential(conv(), nn.ReLU(), conv(1), nn.ReLU())
    with observing(network) as ranges:
        for scale in (1.0, 3.0, 2.0):
            network(torch.full((1, 8, 6, 6), scale) * torch.tensor([1.0, -1.0]).repeat(3))
    assert ranges.keys() == {"2"}, "the first one's input was negative"
    with observing(network) as again:
        network(torch.full((1, 8, 6, 6), 3.0))
    assert again["0"] == 3.0
    assert not any(m._forward_pre_hooks or m._forward_hooks for m in network.modules())


def test_few_values_lie_beyond_a_range() -> None:
    layer, x = conv(), torch.rand(1, 8, 100, 100)
    x.view(-1)[:8] = 50.0  # 8 of 80,000, one in ten thousand
    network = nn.Sequential(layer)
    with observing(network) as ranges:
        network(x)
    assert 0.99 < ranges["0"] <= 1.0


@possible
def test_a_stage_and_a_residual_block_stay_near() -> None:
    torch.manual_seed(0)
    stage = nn.Sequential(BasicBlock(8, 16, 2), BasicBlock(16, 16))
    network = nn.ModuleDict({"stage": stage, "block": ResidualBlock(16)})
    x = torch.rand(2, 8, 24, 32)
    with torch.no_grad(), observing(network) as ranges:
        between = stage(x)
        expected = network["block"](between - 0.1)
    quick = to_int8(network, ranges)
    assert isinstance(quick["stage"], Int8Stage) and isinstance(quick["block"], Int8Residual)
    with torch.no_grad():
        assert distance(quick["stage"](x), between) < 0.03
        assert distance(quick["block"](between - 0.1), expected) < 0.03


@possible
def test_a_memory_network_stays_near() -> None:
    network = random_network().eval()
    images, masks = torch.rand(1, 3, 64, 96), torch.zeros(1, 2, 32, 48)
    earlier = torch.rand(1, 3, 64, 96)
    masks[:, 0, 8:20, 8:24] = masks[:, 1, 16:, 28:] = 1

    def compute() -> list[Tensor]:
        encoded, before = network.encode(images), network.encode(earlier).near
        values = network.memorize(encoded.f16, masks)
        carried = network.carry(before, encoded.near, masks)
        return [*encoded, values, network.segment(*encoded.skips, values, *carried)]

    with torch.no_grad(), observing(network) as ranges:
        expected = compute()
    to_int8(network, ranges)
    assert isinstance(network.encoder.layer2, Int8Stage)
    assert isinstance(network.decoder.block8, Int8Residual)
    assert isinstance(network.decoder.head, Int8Conv2d)
    assert isinstance(network.encoder.conv1, Int8Conv2d)
    kept = (network.decoder.readout, network.skip4, network.decoder.carried.conv)
    assert all(isinstance(module, nn.Conv2d) for module in kept)
    with torch.no_grad():
        for found, exact in zip(compute(), expected, strict=True):
            assert distance(found, exact) < 0.05


@possible
def test_a_prompt_network_stays_near() -> None:
    torch.manual_seed(0)
    network = PromptNetwork().eval()
    given = torch.rand(1, 3, 64, 96), torch.rand(1, 3, 64, 96).round(), torch.rand(1, 1, 64, 96)
    with torch.no_grad(), observing(network) as ranges:
        expected = network(*given)
    to_int8(network, ranges)
    assert isinstance(network.encoder.layer2, Int8Stage)
    assert not isinstance(network.encoder.conv1, Int8Conv2d)
    with torch.no_grad():
        assert distance(network(*given), expected) < 0.05


@possible
def test_what_has_no_range_is_left_as_it_is() -> None:
    network = random_network()
    to_int8(network, {"decoder.head": 1.0, "encoder.layer1.0.conv1": 1.0})
    changed = {name for name, module in network.named_modules() if isinstance(module, Int8Conv2d)}
    assert changed == {"decoder.head", "encoder.layer1.0.conv1"}


def test_other_devices_have_none() -> None:
    assert not supported(torch.device("meta"))
    assert not supported(torch.device("cuda"))


def distance(found: Tensor, expected: Tensor) -> float:
    """Root mean square of the difference over that of what was expected."""
    return float(F.mse_loss(found, expected).sqrt() / expected.square().mean().sqrt())
