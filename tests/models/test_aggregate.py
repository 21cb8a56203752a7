"""Soft aggregation against the formula."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from masktrail.models.aggregate import CLAMP, others, soft_aggregate


def logit(p: float) -> float:
    return torch.tensor(p, dtype=torch.float64).logit().item()


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_one_object_against_the_formula(p: float) -> None:
    """Odds of p against odds of 1 - p: p^2 / (p^2 + (1 - p)^2)."""
    out = soft_aggregate(torch.full((1, 1, 2, 2), logit(p)))
    assert out.shape == (1, 2, 2, 2)
    assert out[0, :, 0, 0].tolist() == pytest.approx([logit(1 - p), logit(p)], abs=1e-5)
    mine = out.softmax(1)[0, 1, 0, 0].item()
    assert mine == pytest.approx(p * p / (p * p + (1 - p) ** 2), abs=1e-5)


def test_two_objects_against_the_formula() -> None:
    p, q = 0.8, 0.3
    out = soft_aggregate(torch.tensor([logit(p), logit(q)]).view(1, 2, 1, 1))
    background = (1 - p) * (1 - q)
    odds = [x / (1 - x) for x in (background, p, q)]
    expected = [o / sum(odds) for o in odds]
    assert out.softmax(1).flatten().tolist() == pytest.approx(expected, abs=1e-5)


@given(st.integers(0, 10_000), st.integers(1, 6))
def test_the_order_of_objects_does_not_matter(seed: int, count: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn((2, count, 3, 3), generator=generator)
    order = torch.randperm(count, generator=generator)
    out, mixed = soft_aggregate(logits), soft_aggregate(logits[:, order])
    assert torch.allclose(mixed[:, 1:], out[:, 1:][:, order])
    assert torch.allclose(mixed[:, 0], out[:, 0], atol=1e-4)


@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_extreme_logits_stay_finite_with_gradients(a: float, b: float) -> None:
    logits = torch.tensor([a, b]).view(1, 2, 1, 1).requires_grad_()
    out = soft_aggregate(logits)
    out.softmax(1)[:, 1].sum().backward()
    assert logits.grad is not None
    assert out.isfinite().all() and logits.grad.isfinite().all()
    assert out.abs().max() <= abs(logit(CLAMP)) + 0.5


def test_half_precision_is_raised() -> None:
    assert soft_aggregate(torch.zeros(1, 1, 1, 1, dtype=torch.bfloat16)).dtype == torch.float32


def test_others_is_the_sum_of_the_rest() -> None:
    masks = torch.tensor([0.5, 0.25, 0.125]).view(1, 3, 1, 1)
    assert others(masks).flatten().tolist() == [0.375, 0.625, 0.75]
    assert not others(masks[:, :1]).any()
