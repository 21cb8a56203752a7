"""Losses: values worked out by hand, and bounds."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from masktrail import losses
from masktrail.losses import EMPTY_TARGETS, MASK_LOSSES, mask_loss, squared_dice


def picture(rows: list[list[float]]) -> Tensor:
    return torch.tensor([[rows]])


def test_dice_by_hand() -> None:
    """Overlap 1, sums 2 and 2, smoothed by one: 1 - (2 * 1 + 1) / (4 + 1)."""
    ours, truth = picture([[1, 1], [0, 0]]), picture([[1, 0], [1, 0]])
    assert losses.dice(ours, truth).item() == pytest.approx(0.4)
    assert losses.dice(ours, truth).shape == (1, 1)
    assert losses.dice(ours * 0.5, truth).item() == pytest.approx(1 - 2 / 4)


def test_dice_at_its_ends() -> None:
    full, empty = torch.ones(1, 30, 30), torch.zeros(1, 30, 30)
    assert losses.dice(full, full).item() == 0
    assert losses.dice(empty, empty).item() == 0
    assert losses.dice(full, empty).item() == pytest.approx(900 / 901)


@given(st.integers(0, 10_000))
def test_dice_lies_in_0_to_1_and_is_symmetric(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    a, b = torch.rand((2, 3, 8, 8), generator=generator)
    value = losses.dice(a, b)
    assert value.min() >= 0 and value.max() < 1
    assert torch.allclose(value, losses.dice(b, a))


def test_hard_pixels_by_hand() -> None:
    """Four pixels of two classes with margins 0, 1, 2, 3 for the right one."""
    margins = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    logits = torch.stack([margins, torch.zeros(2, 2)])[None]
    target = torch.zeros(1, 2, 2, dtype=torch.long)
    each = [math.log1p(math.exp(-margin)) for margin in range(4)]

    def loss(keep: float) -> float:
        return losses.hard_pixel_cross_entropy(logits, target, keep).item()

    assert loss(0.25) == pytest.approx(each[0])
    assert loss(0.5) == pytest.approx((each[0] + each[1]) / 2)
    assert loss(1.0) == pytest.approx(sum(each) / 4)
    assert loss(0.0) == pytest.approx(each[0]), "at least one pixel counts"


def test_hard_pixels_are_found_in_each_picture_alone() -> None:
    logits = torch.zeros(2, 2, 4, 4)
    logits[1, 0] = 5
    loss = losses.hard_pixel_cross_entropy(logits, torch.zeros(2, 4, 4, dtype=torch.long), 0.25)
    assert loss.tolist() == pytest.approx([math.log(2), math.log1p(math.exp(-5))])


@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0, 1))
def test_fewer_pixels_are_harder(seed: int, one: float, other: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn((2, 3, 6, 6), generator=generator)
    target = torch.randint(3, (2, 6, 6), generator=generator)
    few, many = (
        losses.hard_pixel_cross_entropy(logits, target, keep) for keep in sorted((one, other))
    )
    assert (few >= many - 1e-6).all() and (many >= 0).all()


def test_masked_mean_counts_what_is_valid() -> None:
    values = torch.tensor([[1.0, 2.0], [30.0, 5.0]], requires_grad=True)
    valid = torch.tensor([[True, True], [False, True]])
    mean = losses.masked_mean(values, valid)
    assert mean.item() == pytest.approx(8 / 3)
    mean.backward()
    assert values.grad is not None and values.grad[1, 0] == 0
    assert losses.masked_mean(values, torch.zeros_like(valid)).item() == 0


def test_label_maps_number_masks_from_one() -> None:
    masks = torch.zeros(1, 3, 2, 2)
    masks[0, 0, 0, 0] = masks[0, 1, 0, 1] = masks[0, 2, 1, 0] = 1
    labels = losses.label_maps(masks)
    assert labels.dtype == torch.int64
    assert labels.tolist() == [[[1, 2], [3, 0]]]


@given(st.integers(1, 6), st.integers(0, 10_000))
def test_label_maps_and_one_hot_are_inverse(count: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(count + 1, (2, 5, 5), generator=generator)
    masks = torch.nn.functional.one_hot(labels, count + 1).movedim(-1, 1)[:, 1:].float()
    assert torch.equal(losses.label_maps(masks), labels)


def test_squared_dice_by_hand() -> None:
    probabilities = torch.tensor([[[0.5, 1.0], [0.0, 0.25]]])
    target = torch.tensor([[[1.0, 1.0], [0.0, 0.0]]])
    expected = 1 - (2 * 1.5 + 1e-5) / (2 + 0.25 + 1 + 0.0625 + 1e-5)
    assert squared_dice(probabilities, target).item() == pytest.approx(expected)


def test_squared_dice_on_empty_targets_is_equation_4_to_the_letter() -> None:
    empty = torch.zeros(1, 4, 4)
    assert squared_dice(empty, empty).item() == 0
    assert squared_dice(empty + 0.1, empty).item() == pytest.approx(1, abs=1e-3)


def test_mask_loss_is_of_each_sample_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 2, 8, 8, generator=generator)
    target = (torch.rand(3, 2, 8, 8, generator=generator) > 0.5).float()
    parts = mask_loss(logits, target, "bce+dice")
    assert set(parts) == {"cross_entropy", "dice"}
    for name, loss in parts.items():
        assert loss.shape == (3, 2)
        alone = mask_loss(logits[1:2, 1:], target[1:2, 1:], "bce+dice")[name]
        assert torch.allclose(loss[1, 1], alone[0, 0])
    probability = logits[0, 0].sigmoid()
    bce = torch.where(target[0, 0] > 0, -probability.log(), -(1 - probability).log()).mean()
    assert torch.allclose(parts["cross_entropy"][0, 0], bce, atol=1e-6)


@pytest.mark.parametrize(("kind", "names"), MASK_LOSSES.items())
def test_kinds_of_mask_loss(kind: str, names: tuple[str, ...]) -> None:
    parts = mask_loss(torch.zeros(1, 4, 4), torch.ones(1, 4, 4), kind)
    assert tuple(parts) == names


def test_what_becomes_of_dice_on_empty_targets() -> None:
    logits, target = torch.full((2, 4, 4), -1.0), torch.zeros(2, 4, 4)
    target[1, 0, 0] = 1
    bce, skip, dice = (mask_loss(logits, target, "dice", e)["dice"] for e in EMPTY_TARGETS)
    assert torch.allclose(bce[0], F.softplus(torch.tensor(-1.0)))
    assert skip[0] == 0 and dice[0] > 0.99
    assert bce[1] == skip[1] == dice[1]  # only empty targets are treated differently
