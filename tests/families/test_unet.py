"""The report's baseline: its size, its shapes, what it refuses."""

import pytest
import torch
from torch import Tensor, nn

from masktrail.errors import InputError
from masktrail.families.unet.network import UNet, UNetConfig
from masktrail.models.blocks import folded


def small(variant: str = "report", **config) -> UNet:
    torch.manual_seed(0)
    return UNet(UNetConfig(variant, width=4, **config))


def pair(batch: int = 2, height: int = 48, width: int = 80) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    sizes = [(batch, channels, height, width) for channels in (3, 3, 1)]
    previous, current, mask = (torch.rand(size, generator=generator) for size in sizes)
    return previous, current, mask


variants = pytest.mark.parametrize("variant", ["report", "repo", "classic"])


@pytest.mark.parametrize(
    ("variant", "count"), [("report", 31_113_921), ("repo", 49_918_401), ("classic", 31_039_937)]
)
def test_the_networks_of_the_report_have_this_many_parameters(variant: str, count: int) -> None:
    with torch.device("meta"):
        network = UNet(UNetConfig(variant))
    assert sum(p.numel() for p in network.parameters()) == count


@variants
@pytest.mark.parametrize("size", [(16, 16), (48, 80), (112, 16)])
def test_logits_have_the_size_of_the_images(variant: str, size: tuple[int, int]) -> None:
    logits = small(variant).eval()(*pair(2, *size))
    assert logits.shape == (2, 1, *size)
    assert logits.amin() < 0 or logits.amax() > 1  # no sigmoid


@pytest.mark.parametrize(
    ("variant", "convolutions"),
    [("report", (4, 2, 2, 2, 2)), ("repo", (2, 2, 2, 2, 4)), ("classic", (2, 2, 2, 2, 2))],
)
def test_where_the_additional_convolutions_are(variant: str, convolutions: tuple) -> None:
    levels = small(variant).levels
    counts = [sum(isinstance(m, nn.Conv2d) for m in level.modules()) for level in levels]
    assert tuple(counts) == convolutions


@variants
def test_dropout_is_off_when_it_is_used(variant: str) -> None:
    network, inputs = small(variant), pair()
    with torch.no_grad():
        network.train()
        assert not torch.equal(network(*inputs), network(*inputs))
        network.eval()
        assert torch.equal(network(*inputs), network(*inputs))


@variants
def test_gradient_reaches_every_parameter_and_every_input(variant: str) -> None:
    network, inputs = small(variant, dropout=0.0), [x.requires_grad_() for x in pair()]
    network(*inputs).square().mean().backward()
    assert not [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert all(x.grad is not None and x.grad.any() for x in inputs)


def warmed(network: nn.Module, *inputs: Tensor) -> nn.Module:
    """Its batch norms have settled on what they saw."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # a plain average
    with torch.no_grad():
        for _ in range(3):
            network.train()(*inputs)
    return network.eval()


@variants
def test_folding_batch_norms_changes_nothing_but_the_layers(variant: str) -> None:
    network = warmed(small(variant), *pair()).train()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        quick = folded(network)(*pair())
        assert network.training
        torch.testing.assert_close(quick, network.eval()(*pair()), atol=1e-4, rtol=1e-4)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded(network).modules())
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("size", [(40, 48), (48, 40), (8, 16)])
def test_other_sizes_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=rf"{size[1]}x{size[0]}.*multiples of 16; resize"):
        small()(*pair(1, *size))


def test_other_configs_are_refused() -> None:
    with pytest.raises(InputError, match="variant = 'reprot'; choose one of 'report', 'repo'"):
        UNetConfig("reprot")
    with pytest.raises(InputError, match=r"dropout = 1.5; expected a share"):
        UNetConfig(dropout=1.5)
