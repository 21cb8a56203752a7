"""Reading from memory against the formula written out."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from masktrail.families.memory.readout import (
    GROUP,
    _largest,
    lift_memory,
    lift_query,
    read,
    read_nearest,
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


@given(st.integers(0, 10_000), st.one_of(st.none(), st.integers(1, 20)))
def test_weights_sum_to_one(seed: int, top_k: int | None) -> None:
    """A memory whose values are all one reads as one everywhere."""
    memory, query = lifted(seed)
    if top_k is None:
        out = read(memory, query, torch.ones(2, 12, 3))
    else:
        out = read_nearest(memory[0], query[0], torch.ones(12, 3), top_k)
    assert out.shape[-2:] == (12, 3)
    assert torch.allclose(out, torch.ones_like(out), atol=1e-5)


@pytest.mark.parametrize("top_k", [12, 13, 500])
def test_the_nearest_of_everything_are_everything(top_k: int) -> None:
    key, shrinkage, query, selection = keys(2)
    memory, wanted = lift_memory(key, shrinkage), lift_query(query, selection)
    values = torch.randn((2, 12, 5), generator=torch.Generator().manual_seed(0))
    full = read(memory, wanted, values)
    assert torch.allclose(read_nearest(memory[1], wanted[1], values[1], top_k), full[1], atol=1e-5)
    naive = naive_similarity(key, shrinkage, query, selection).softmax(2).float() @ values
    assert torch.allclose(full, naive, atol=1e-4)


def test_the_nearest_share_the_weight_in_proportion() -> None:
    """Values that are the identity hand back the weights themselves."""
    memory, query = lifted(3)
    full = read(memory, query, torch.eye(12).expand(2, 12, 12))[0]
    few = read_nearest(memory[0], query[0], torch.eye(12), 5)
    kept = few > 0
    assert torch.equal(kept.sum(1), torch.full((12,), 5))
    assert full.masked_fill(kept, 0).amax(1).le(full.masked_fill(~kept, 1).amin(1)).all()
    share = torch.where(kept, full, 0)
    assert torch.allclose(few, share / share.sum(1, keepdim=True), atol=1e-5)


@given(st.integers(1, 12), st.integers(1, 15), st.integers(1, 40), st.integers(0, 10_000))
def test_the_largest_in_groups_are_the_largest_of_all(
    rows: int, k: int, columns: int, seed: int
) -> None:
    x = torch.randn((rows, columns * GROUP), generator=torch.Generator().manual_seed(seed))
    k = min(k, x.shape[1])
    largest, at = _largest(x, k)
    assert torch.equal(largest, x.gather(1, at))
    assert torch.equal(largest.sort(1).values, x.topk(k, dim=1).values.sort(1).values)


def test_objects_side_by_side_are_read_as_each_alone() -> None:
    memory, query = lifted(5)
    one, two = torch.randn((2, 2, 12, 4), generator=torch.Generator().manual_seed(1))
    both = torch.cat([one, two], 2)
    assert torch.allclose(read(memory, query, both)[..., :4], read(memory, query, one), atol=1e-6)
    nearest = read_nearest(memory[0], query[0], both[0], 3)
    assert torch.allclose(nearest[:, 4:], read_nearest(memory[0], query[0], two[0], 3), atol=1e-6)


def test_gradient_flows_into_keys_and_values() -> None:
    memory, query = (x.float().requires_grad_() for x in lifted(6))
    values = torch.rand((2, 12, 4), requires_grad=True)
    read(memory, query, values).square().sum().backward()
    assert all(x.grad is not None and x.grad.any() for x in (memory, query, values))
