"""Label propagation: the blocked computation against the plain one, and its memory."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from masktrail import load
from masktrail.families.labelprop.network import STRIDE, FeatureNetwork, propagate_labels
from masktrail.types import Mask


def plain(
    query: Tensor, keys: Tensor, labels: Tensor, radius: int, k: int, temperature: float
) -> Tensor:
    """Pixel by pixel: all reference pixels in reach, sorted by similarity."""
    height, width = query.shape[1:]
    out = torch.zeros(labels.shape[1], height, width)
    for y in range(height):
        for x in range(width):
            rows = slice(max(y - radius, 0), y + radius + 1)
            columns = slice(max(x - radius, 0), x + radius + 1)
            near = keys[:, :, rows, columns].transpose(0, 1).flatten(1)  # (C, M)
            votes = labels[:, :, rows, columns].transpose(0, 1).flatten(1)  # (N, M)
            similarity, where = (query[:, y, x] @ near).topk(k)
            out[:, y, x] = votes[:, where] @ (similarity / temperature).softmax(0)
    return out


@given(
    st.integers(1, 30), st.integers(1, 30), st.integers(1, 3), st.integers(2, 14), st.integers(0, 9)
)
@settings(max_examples=25)
def test_blocks_equal_the_plain_definition(height, width, frames, radius, seed):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(frames + 1, 6, height, width, generator=generator)
    features = F.normalize(features, dim=1)
    labels = torch.rand(frames, 2, height, width, generator=generator)
    labels[:, :, :, width // 2 :] = 0
    in_reach = min(height, radius + 1) * min(width, radius + 1) * frames
    k = min(3, in_reach)
    found = propagate_labels(features[0], features[1:], labels, radius, k, 0.07)
    expected = plain(features[0], features[1:], labels, radius, k, 0.07)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


def test_features_are_at_stride_8_and_of_length_1():
    features = FeatureNetwork()(torch.rand(1, 3, 64, 80))
    assert features.shape == (1, 256, 64 // STRIDE, 80 // STRIDE)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(1, 8, 10))


@pytest.fixture(scope="module")
def clip() -> list[np.ndarray]:
    """A bright textured square that moves over dark ground, uint8 (96, 128, 3) each."""
    rng = np.random.default_rng(0)
    thing, ground = rng.integers(120, 255, (40, 40, 3)), rng.integers(0, 60, (96, 128, 3))
    images = []
    for t in range(6):
        image = ground.copy()
        image[24:64, 16 + 8 * t : 56 + 8 * t] = thing
        images.append(image.astype(np.uint8))
    return images


def true_mask(t: int) -> np.ndarray:
    mask = np.zeros((96, 128), bool)
    mask[24:64, 16 + 8 * t : 56 + 8 * t] = True
    return mask


def test_follows_a_moving_thing_with_a_bounded_memory(clip):
    tracker = load("labelprop", "cpu", settings={"context": 2})
    for t, image in enumerate(clip):
        result = tracker.step(image, {1: Mask(true_mask(0))} if t == 0 else None)
    truth, found = true_mask(5), result.labels == 1
    assert (truth & found).sum() / (truth | found).sum() > 0.7
    state = tracker.state_dict()["propagator"]
    assert (len(state["given"]), len(state["passing"])) == (1, 2)


def test_objects_added_later_do_not_change_the_others(clip):
    alone, both = load("labelprop", "cpu"), load("labelprop", "cpu")
    far = np.zeros((96, 128), bool)
    far[80:, :16] = True
    for t, image in enumerate(clip):
        first = {1: Mask(true_mask(0))} if t == 0 else {}
        expected = alone.step(image, first).labels == 1
        found = both.step(image, {2: Mask(far)} if t == 2 else first).labels
    np.testing.assert_array_equal(found == 1, expected)
    assert (found == 2).any()
    both.remove(1)
    assert both.ids == (2,) and not (both.step(clip[-1]).labels == 1).any()
