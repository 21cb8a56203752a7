"""Geometry and colour that training clips are varied by."""

import colorsys
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator, Tensor

from masktrail.data import augment
from masktrail.data.thin_plate import bend


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def square(matrices: Tensor) -> Tensor:
    """(..., 2, 3) as (..., 3, 3)."""
    last = torch.tensor([0.0, 0.0, 1.0]).expand(*matrices.shape[:-2], 1, 3)
    return torch.cat([matrices, last], -2)


def test_motion_starts_at_rest_and_keeps_its_limits() -> None:
    moves = augment.motion(200, 4, seeded(), rotation=0.12, zoom=0.1, shift=0.15)
    assert moves.shape == (200, 4, 2, 3)
    assert torch.equal(moves[:, 0], torch.eye(3)[:2].expand(200, 2, 3))
    steps = torch.linalg.inv(square(moves[:, :-1])) @ square(moves[:, 1:])
    assert steps[..., :2, 2].abs().max() <= 0.3 + 1e-4, "a crop is 2 wide"
    assert steps[..., :2, 2].abs().max() > 0.25
    lengths = steps[..., :2, :2].norm(dim=-2)
    assert (lengths - 1).abs().max() <= 1.1 * 1.05 - 1 + 1e-4
    angles = torch.atan2(steps[..., 1, 0], steps[..., 0, 0])
    assert 0.1 < angles.abs().max() <= 0.12 + 1e-4


def test_motion_without_strength_stands_still() -> None:
    moves = augment.motion(3, 5, seeded(), 0, 0, 0)
    assert torch.allclose(moves, torch.eye(3)[:2].expand(3, 5, 2, 3))


def test_motion_follows_from_its_seed() -> None:
    first, again, other = (augment.motion(2, 3, seeded(s), 0.1, 0.1, 0.1) for s in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_bending_is_zero_at_first_and_grows() -> None:
    bends = augment.bending(64, 4, seeded(), amount=0.05)
    field = bend(bends.flatten(0, 1), 32).unflatten(0, (64, 4))
    assert field.shape == (64, 4, 32, 32, 2)
    assert torch.equal(field[:, 0], torch.zeros_like(field[:, 0]))
    size = field.square().mean((0, 2, 3, 4)).sqrt()
    assert 0 < size[1] < size[2] < size[3]
    assert size[1] == pytest.approx(0.05, rel=0.5)
    assert torch.equal(bends, augment.bending(64, 4, seeded(), amount=0.05))


def test_bending_moves_neighbours_alike() -> None:
    field = bend(augment.bending(4, 2, seeded(), amount=0.02)[:, 1], 64)
    assert field.diff(dim=1).abs().max() < 0.01


def test_positions_are_those_of_pixels_moved_and_bent() -> None:
    turned = torch.tensor([[[0.0, -2.0, 0.5], [1.0, 0.0, 0.0]]])
    bends = torch.zeros(1, 16, 2)
    bends[..., 0] = 0.25
    at = augment.positions(turned, bends, 4)
    torch.testing.assert_close(at[0, 0, 3], torch.tensor([2 * 0.75 + 0.5 + 0.25, 0.75]))
    torch.testing.assert_close(at[0, 3, 1], torch.tensor([-2 * 0.75 + 0.5 + 0.25, -0.25]))


def clip(batch: int = 4, frames: int = 3) -> Tensor:
    return torch.rand((batch, frames, 3, 12, 12), generator=seeded(9))


def test_colour_stays_in_range_and_follows_from_its_seed() -> None:
    images = clip()
    first, again, other = (augment.jitter_colour(images, seeded(s), 0.9) for s in (1, 1, 2))
    assert first.shape == images.shape
    assert first.min() >= 0 and first.max() <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_colour_without_strength_changes_nothing() -> None:
    images = clip()
    assert torch.allclose(augment.jitter_colour(images, seeded(3), 0), images, atol=1e-6)


def test_colour_is_much_the_same_over_a_clip_and_differs_between_clips() -> None:
    images = torch.full((40, 3, 3, 4, 4), 0.4)
    brightness = augment.jitter_colour(images, seeded())[:, :, 0, 0, 0] / 0.4
    assert (brightness - 1).abs().max() <= 0.25 * 1.2 + 1e-5
    within = brightness.amax(1) - brightness.amin(1)
    assert within.max() <= 0.1 + 1e-5
    assert brightness.mean(1).std() > 0.08


def test_some_clips_turn_grey_as_a_whole() -> None:
    images = torch.tensor([0.8, 0.2, 0.4]).view(1, 1, 3, 1, 1).expand(400, 2, 3, 4, 4)
    out = augment.jitter_colour(images, seeded(), 0.1)
    grey = (out.amax(2) - out.amin(2)).amax((2, 3)) < 1e-6
    assert torch.equal(grey[:, 0], grey[:, 1])
    assert 0.01 < grey[:, 0].float().mean() < 0.1


@given(st.floats(-3, 3), st.floats(0, 5))
def test_uniform_lies_between_its_bounds(low: float, width: float) -> None:
    drawn = augment.uniform((50,), low, low + width, seeded())
    assert drawn.min() >= low - 1e-6 and drawn.max() <= low + width + 1e-6
    assert math.isfinite(float(drawn.sum()))


def test_corrupted_masks_are_near_the_true_ones_and_differ_from_them() -> None:
    y, x = torch.meshgrid(torch.arange(96), torch.arange(96), indexing="ij")
    disc = ((x - 50).square() + (y - 45).square() < 24**2).float()
    true = disc.repeat(32, 1, 1)
    spoilt = augment.corrupt(true, torch.Generator().manual_seed(0))
    assert spoilt.shape == true.shape
    assert spoilt.min() >= 0 and spoilt.max() <= 1
    hard = spoilt > 0.5
    overlap = (hard & (true > 0)).sum((1, 2)) / (hard | (true > 0)).sum((1, 2))
    assert overlap.min() > 0.4 and 0.6 < overlap.mean() < 0.95
    areas = hard.sum((1, 2)) / disc.sum()
    assert areas.min() < 0.97 and areas.max() > 1.03


def test_empty_masks_stay_empty_when_corrupted() -> None:
    assert not augment.corrupt(torch.zeros(3, 32, 32), torch.Generator().manual_seed(0)).any()


def test_light_of_no_change_changes_nothing() -> None:
    images = torch.rand((2, 3, 8, 9), generator=Generator().manual_seed(0))
    images[0, :, 0, 0], images[0, :, 0, 1] = 0.0, 0.4  # black and grey have no hue
    same = torch.tensor([1.0, 1.0, 0.0]).expand(2, 3)
    assert torch.allclose(augment.relit(images, same, same), images, atol=1e-6)


def test_light_changes_saturation_and_value_alone() -> None:
    images = torch.rand((1, 3, 8, 9), generator=Generator().manual_seed(0))
    saturation, value = torch.tensor([[0.9, 1.2, 0.02]]), torch.tensor([[1.1, 0.8, -0.05]])
    lit = augment.relit(images, saturation, value)
    assert lit.min() >= 0 and lit.max() <= 1
    for before, after in zip(images[0].flatten(1).T, lit[0].flatten(1).T, strict=True):
        h, s, v = colorsys.rgb_to_hsv(*before.tolist())
        s, v = (a * x**b + c for x, (a, b, c) in ((s, saturation[0]), (v, value[0])))
        expected = colorsys.hsv_to_rgb(h, min(max(float(s), 0), 1), min(max(float(v), 0), 1))
        assert after.tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("radius", [0, 1, 3, 7])
def test_masks_grow_by_a_disk(radius: int) -> None:
    mask = torch.zeros((2, 20, 30), dtype=torch.bool)
    mask[0, 4, 3], mask[0, 12, 20] = True, True
    y, x = torch.meshgrid(torch.arange(20), torch.arange(30), indexing="ij")
    near = ((y - 4) ** 2 + (x - 3) ** 2).minimum((y - 12) ** 2 + (x - 20) ** 2) <= radius**2
    grown = augment.grown(mask, radius)
    assert torch.equal(grown[0], near) and not grown[1].any()
