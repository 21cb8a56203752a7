"""The memory network: shapes, size, independence of objects, gradients."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.families import create, families, parts_of
from masktrail.families.memory.network import MemoryConfig, MemoryNetwork
from masktrail.families.memory.readout import read
from masktrail.models.aggregate import soft_aggregate

SMALL = {"key": 8, "value": 12, "hidden": 16, "stride8": 12, "stride4": 8, "stride2": 4, "near": 6}


@pytest.fixture(scope="module")
def network() -> MemoryNetwork:
    torch.manual_seed(0)
    return MemoryNetwork(MemoryConfig(**SMALL)).eval()


def images(batch: int = 2, height: int = 48, width: int = 64) -> Tensor:
    return torch.rand((batch, 3, height, width), generator=torch.Generator().manual_seed(1))


def masks(objects: int, batch: int = 2, height: int = 48, width: int = 64) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.rand((batch, objects, height // 2, width // 2), generator=generator) / objects


def propagate(network: MemoryNetwork, pictures: Tensor, given: Tensor) -> Tensor:
    """Object logits of the pictures, from memory of themselves with masks given."""
    encoded = network.encode(pictures)
    values = network.memorize(encoded.f16, given)
    memory, query = network.lift(*encoded.keys)
    carried = network.carry(encoded.near, encoded.near, given)
    return network.segment(*encoded.skips, read(memory, query, values), *carried)


def test_the_published_network_has_this_many_parameters() -> None:
    assert sum(p.numel() for p in MemoryNetwork().parameters()) == 4_543_829


@pytest.mark.parametrize("objects", [1, 3])
def test_shapes(network: MemoryNetwork, objects: int) -> None:
    encoded = network.encode(images())
    assert encoded.f16.shape == (2, 256, 3, 4)
    memory, query = network.lift(*encoded.keys)
    assert memory.shape == (2, 12, 17)
    assert query.shape == (2, 17, 12)
    assert encoded.skip16.shape == (2, 16, 3, 4)
    assert encoded.skip8.shape == (2, 12, 6, 8)
    assert encoded.skip4.shape == (2, 8, 12, 16)
    assert encoded.skip2.shape == (2, 4, 24, 32)
    values = network.memorize(encoded.f16, masks(objects))
    assert values.shape == (2, 12, objects * 12)
    assert encoded.near.shape == (2, 6, 6, 8)
    carried, found = network.carry(encoded.near, encoded.near, masks(objects))
    assert carried.shape == (2, objects * 32, 6, 8)
    assert found.shape == (2, 1, 6, 8)
    logits = network.segment(*encoded.skips, values, carried, found)
    assert logits.shape == (2, objects, 24, 32)


def test_no_state_is_kept_between_calls(network: MemoryNetwork) -> None:
    with torch.no_grad():
        first = propagate(network, images(), masks(2))
        propagate(network, images().flip(-1), masks(3))
        assert torch.equal(propagate(network, images(), masks(2)), first)


def test_the_order_of_objects_is_kept(network: MemoryNetwork) -> None:
    order = torch.tensor([2, 0, 1])
    with torch.no_grad():
        plain = propagate(network, images(), masks(3))
        mixed = propagate(network, images(), masks(3)[:, order])
    assert torch.allclose(mixed, plain[:, order], atol=1e-5)


def test_objects_know_of_each_other_only_by_their_sum(network: MemoryNetwork) -> None:
    """Two objects that swap a part among themselves are all one to the third."""
    given = masks(3)
    traded = given.clone()
    moved = 0.5 * given[:, 1, 6:16]
    traded[:, 1, 6:16] -= moved
    traded[:, 2, 6:16] += moved
    with torch.no_grad():
        plain = propagate(network, images(), given)
        after = propagate(network, images(), traded)
    assert torch.allclose(after[:, 0], plain[:, 0], atol=1e-5)
    assert not torch.allclose(after[:, 1], plain[:, 1], atol=1e-4)


def test_an_object_alone_is_as_one_beside_an_empty_one(network: MemoryNetwork) -> None:
    alone = masks(1)
    with torch.no_grad():
        beside = propagate(network, images(), torch.cat([alone, torch.zeros_like(alone)], 1))
        assert torch.allclose(beside[:, :1], propagate(network, images(), alone), atol=1e-5)


def test_pictures_of_a_batch_are_independent(network: MemoryNetwork) -> None:
    with torch.no_grad():
        together = propagate(network, images(), masks(2))
        apart = [propagate(network, images()[i : i + 1], masks(2)[i : i + 1]) for i in (0, 1)]
    assert torch.allclose(together, torch.cat(apart), atol=1e-5)


def test_at_first_the_logits_are_those_of_stride_4() -> None:
    torch.manual_seed(0)
    network = MemoryNetwork(MemoryConfig(**SMALL)).eval()
    coarse: list[Tensor] = []
    network.decoder.head.register_forward_hook(lambda module, given, out: coarse.append(out))
    with torch.no_grad():
        logits = propagate(network, images(), masks(1))
        doubled = F.interpolate(coarse[0], scale_factor=2, mode="bilinear", align_corners=False)
        assert torch.equal(logits, doubled)
        nn.init.normal_(network.decoder.head2.weight)
        assert not torch.allclose(logits, propagate(network, images(), masks(1)), atol=1e-3)


def test_gradient_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    network = MemoryNetwork(MemoryConfig(**SMALL))
    for start in (network.decoder.head2, network.decoder.carried.conv):
        nn.init.normal_(start.weight)  # it starts at zero
    first, second = (network.encode(images().roll(k, -1)) for k in (0, 5))
    values = network.memorize(first.f16, masks(2))
    memory, query = network.lift(*first.keys)[0], network.lift(*second.keys)[1]
    carried = network.carry(first.near, second.near, masks(2))
    logits = network.segment(*second.skips, read(memory, query, values), *carried)
    soft_aggregate(logits).square().mean().backward()
    still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not still


def test_memory_keys_are_lifted_with_shrinkage_of_at_least_one(network: MemoryNetwork) -> None:
    """The last channel of a lifted memory key is its shrinkage over the root of the width."""
    with torch.no_grad():
        memory, _ = network.lift(*network.encode(images()).keys)
        shrinkage = memory[..., -1] * 8**0.5
    assert (shrinkage >= 1 - 1e-6).all()


@pytest.mark.parametrize("family", [each.name for each in families() if each.network])
def test_every_family_is_made_from_its_config(family: str) -> None:
    network = create(family)
    assert isinstance(network, nn.Module)
    assert isinstance(network, parts_of(family)[0])
    with pytest.raises(TypeError):
        create(family, no_such_width=3)
