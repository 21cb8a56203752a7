"""Edges drawn to the picture's: where they lie, what stays, what several objects make of it."""

import numpy as np
import pytest
from scipy import ndimage

from masktrail.masks.edges import guided, refined
from masktrail.results import ObjectResult, Result
from painted_results import GivenMasks

HEIGHT, WIDTH = 120, 160


def disc(x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


def painted(*masks: np.ndarray) -> np.ndarray:
    """Objects in colours of one brightness, which grey cannot tell from the ground."""
    colours = [(60, 140, 60), (150, 95, 60), (60, 95, 150)]
    image = np.empty((HEIGHT, WIDTH, 3), np.float32)
    image[:] = colours[0]
    for mask, colour in zip(masks, colours[1:], strict=False):
        image[mask] = colour
    noise = np.random.default_rng(0).normal(0, 3, image.shape)
    return (image + noise).clip(0, 255).astype(np.uint8)


def blurred(mask: np.ndarray, shift: int = 0) -> np.ndarray:
    """As a network's coarse answer: smooth, and perhaps beside the truth."""
    soft = ndimage.gaussian_filter(np.roll(mask, shift, 1).astype(np.float32), 3)
    return soft


def result(**soft: np.ndarray) -> Result:
    masks = {int(name[1:]): mask.astype(np.float32) for name, mask in soft.items()}
    ids = [0, *masks]
    ground = 1 - sum(masks.values())
    labels = np.asarray(ids, np.uint8)[np.argmax(np.stack([ground, *masks.values()]), 0)]
    objects = {
        i: ObjectResult(0.9, int((labels == i).sum()), (0, 0, 1, 1), "present") for i in masks
    }
    return Result(labels, objects, GivenMasks(masks))


def wrong(labels: np.ndarray, truth: np.ndarray) -> int:
    return int(((labels > 0) != truth).sum())


def test_a_grey_guide_of_single_precision_is_as_good_as_one_of_double():
    rng = np.random.default_rng(0)
    for spread in (1.0, 0.05):
        grey = (0.97 - spread * rng.random((60, 60, 1))).astype(np.float32).repeat(3, 2)
        mask = np.zeros((60, 60), np.float32)
        mask[:, 30:] = 0.9
        single, double = guided(grey, mask, 4), guided(grey.astype(float), mask.astype(float), 4)
        assert np.isfinite(single).all()
        np.testing.assert_allclose(single, double, atol=1e-5)


def test_an_edge_moves_to_that_of_the_picture() -> None:
    truth = disc(80, 60, 30)
    before = result(i1=blurred(truth, shift=2))
    after = refined(painted(truth), before)
    assert wrong(after.labels, truth) < wrong(before.labels, truth) / 2
    found = after.objects[1]
    assert found.area == (after.labels == 1).sum() and found.score == 0.9
    assert found.box is not None and abs(found.box[0] - 50) <= 1 and abs(found.box[2] - 111) <= 2
    assert after.soft is not None
    soft = after.soft[1]
    assert soft.dtype == np.float32 and soft.min() >= 0 and soft.max() <= 1
    assert np.abs(soft - truth).mean() < np.abs(before.soft[1] - truth).mean()  # type: ignore


def test_far_from_edges_nothing_changes() -> None:
    truth = disc(80, 60, 40)
    before = result(i1=blurred(truth))
    after = refined(np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8), before)
    middle, outside = disc(80, 60, 28), ~disc(80, 60, 52)
    assert (after.labels[middle] == 1).all() and (after.labels[outside] == 0).all()
    np.testing.assert_array_equal(after.soft[1][middle], before.soft[1][middle])  # type: ignore


def test_what_the_user_drew_stays() -> None:
    drawn, other = disc(60, 60, 20), disc(100, 60, 25)
    other &= ~drawn
    soft = blurred(other, shift=-2) * ~drawn
    before = result(i1=drawn, i2=soft)
    after = refined(painted(disc(64, 60, 22), other), before)
    np.testing.assert_array_equal(after.labels == 1, drawn)
    assert wrong(after.labels == 2, other) < wrong(before.labels == 2, other)


def test_two_objects_share_an_edge() -> None:
    left = disc(80, 60, 40) & (np.arange(WIDTH) < 80)
    right = disc(80, 60, 40) & ~left
    before = result(i3=blurred(left, 2), i7=blurred(right, 2))
    after = refined(painted(left, right), before)
    truth = np.where(left, 3, np.where(right, 7, 0))
    assert (after.labels != truth).sum() < (before.labels != truth).sum() / 2


def test_without_soft_masks_and_without_objects_nothing_happens() -> None:
    empty = Result(np.zeros((HEIGHT, WIDTH), np.uint8), {})
    assert refined(painted(), empty) is empty
    lost = ObjectResult(0.0, 0, None, "lost")
    nothing = np.zeros((HEIGHT, WIDTH), np.float32)
    after = refined(painted(), Result(empty.labels, {1: lost}, GivenMasks({1: nothing})))
    assert after.objects == {1: lost} and not after.labels.any()


@pytest.mark.parametrize("radius", [1, 4])
def test_the_filter_is_the_least_squares_fit_of_every_window(radius: int) -> None:
    """Against the definition, window by window, by numpy's own solver."""
    rng = np.random.default_rng(2)
    guide = rng.random((17, 19, 3)).astype(np.float32)
    mask = rng.random((17, 19)).astype(np.float32)
    epsilon, fits = 1e-3, np.zeros((17, 19, 4))
    padded = np.pad(np.dstack([guide, mask]), ((radius,) * 2, (radius,) * 2, (0, 0)), "edge")
    for y in range(17):
        for x in range(19):
            window = padded[y : y + 2 * radius + 1, x : x + 2 * radius + 1].reshape(-1, 4)
            colours, values = window[:, :3].astype(float), window[:, 3].astype(float)
            spread = np.cov(colours.T, bias=True) + epsilon * np.eye(3)
            slope = np.linalg.solve(spread, ((colours - colours.mean(0)).T @ values) / len(values))
            fits[y, x] = *slope, values.mean() - slope @ colours.mean(0)
    size = (2 * radius + 1, 2 * radius + 1, 1)
    mean = ndimage.uniform_filter(fits, size, mode="nearest")
    expected = (mean[..., :3] * guide).sum(-1) + mean[..., 3]
    np.testing.assert_allclose(guided(guide, mask, radius, epsilon), expected.clip(0, 1), atol=2e-3)
