"""Reading from memory against the formula written out."""

import math

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from masktrail.families.memory.readout import (
    lift_memory,
    lift_query,
    read,
    similarity,
)


def keys(seed: int, size: tuple[int, int] = (3, 4), channels: int = 6) -> tuple[Tensor, ...]:
    """Memory key, shrinkage, query key, selection, float64, of two batch entries."""
    generator = torch.Generator().manual_seed(seed)

    def normal(count: int) -> Tensor:
        return torch.randn((2, count, *size), generator=generator, dtype=torch.float64)

    return normal(channels), normal(1).square() + 1, normal(channels), normal(channels).sigmoid()


def naive_similarity(key: Tensor, shrinkage: Tensor, query: Tensor, selection: Tensor) -> Tensor:
    """XMem's equation 2, one pair of pixels at a time by broadcasting: (B, Q, M)."""
    m, s, q, e = (x.flatten(2).transpose(1, 2) for x in (key, shrinkage, query, selection))
    distance = (e[:, :, None] * (m[:, None] - q[:, :, None]).square()).sum(-1)
    return -s.transpose(1, 2) * distance / math.sqrt(key.shape[1])


def lifted(seed: int) -> tuple[Tensor, Tensor]:
    """Memory (2, 12, 13) and query (2, 13, 12)."""
    key, shrinkage, query, selection = keys(seed)
    return lift_memory(key, shrinkage), lift_query(query, selection)


@given(st.integers(0, 10_000), st.integers(1, 16))
def test_lifted_similarity_is_the_formula(seed: int, channels: int) -> None:
    key, shrinkage, query, selection = keys(seed, channels=channels)
    memory, wanted = lift_memory(key, shrinkage), lift_query(query, selection)
    assert memory.shape == (2, 12, 2 * channels + 1)
    assert wanted.shape == (2, 2 * channels + 1, 12)
    naive = naive_similarity(key, shrinkage, query, selection)
    assert torch.allclose((memory @ wanted).transpose(1, 2), naive)
    single = similarity(memory, wanted)
    assert single.dtype == torch.float32
    assert torch.allclose(single.double(), naive, rtol=1e-3, atol=1e-3)


def test_a_pixel_is_most_similar_to_itself() -> None:
    key, _, _, selection = keys(1)
    compared = similarity(lift_memory(key, torch.ones(2, 1, 3, 4)), lift_query(key, selection))
    assert torch.equal(compared.argmax(2), torch.arange(12).expand(2, 12))
    assert torch.allclose(compared.diagonal(dim1=1, dim2=2), torch.zeros(2, 12), atol=1e-5)


def test_similarity_does_not_lose_precision_under_autocast() -> None:
    key, shrinkage, query, selection = (x.float() for x in keys(4))
    memory, wanted = lift_memory(key + 30, shrinkage), lift_query(query + 30, selection)
    expected = similarity(memory, wanted)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(similarity(memory, wanted), expected)


@given(st.integers(0, 10_000))
def test_weights_sum_to_one(seed: int) -> None:
    """A memory whose values are all one reads as one everywhere."""
    out = read(*lifted(seed), torch.ones(2, 12, 3))
    assert out.shape == (2, 12, 3)
    assert torch.allclose(out, torch.ones_like(out), atol=1e-5)


def test_what_is_read_is_the_formula() -> None:
    key, shrinkage, query, selection = keys(2)
    values = torch.randn((2, 12, 5), generator=torch.Generator().manual_seed(0))
    full = read(lift_memory(key, shrinkage), lift_query(query, selection), values)
    naive = naive_similarity(key, shrinkage, query, selection).softmax(2).float() @ values
    assert torch.allclose(full, naive, atol=1e-4)


def test_objects_side_by_side_are_read_as_each_alone() -> None:
    memory, query = lifted(5)
    one, two = torch.randn((2, 2, 12, 4), generator=torch.Generator().manual_seed(1))
    both = torch.cat([one, two], 2)
    assert torch.allclose(read(memory, query, both)[..., :4], read(memory, query, one), atol=1e-6)


def test_gradient_flows_into_keys_and_values() -> None:
    memory, query = (x.float().requires_grad_() for x in lifted(6))
    values = torch.rand((2, 12, 4), requires_grad=True)
    read(memory, query, values).square().sum().backward()
    assert all(x.grad is not None and x.grad.any() for x in (memory, query, values))
