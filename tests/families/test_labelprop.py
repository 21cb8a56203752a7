"""Label propagation: the tiled computation against the plain one, and its memory."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from masktrail import load
from masktrail.families.labelprop.labels import ONE_BY_ONE, propagate_labels
from masktrail.families.labelprop.network import STRIDE, FeatureNetwork
from masktrail.prompts.kinds import Mask


def plain(query, keys, labels, radius, top_k, temperature):
    """Pixel by pixel: all reference pixels in reach, sorted by similarity."""
    height, width = query.shape[:2]
    out = np.zeros(labels.shape[1:])
    for y in range(height):
        for x in range(width):
            rows = slice(max(y - radius, 0), y + radius + 1)
            columns = slice(max(x - radius, 0), x + radius + 1)
            near = keys[:, rows, columns].reshape(-1, keys.shape[-1])  # (M, C)
            votes = labels[:, :, rows, columns].swapaxes(0, 1).reshape(len(out), -1)  # (N, M)
            similarity = near.astype(float) @ query[y, x]
            nearest = np.argsort(similarity)[::-1][:top_k]
            weights = np.exp((similarity[nearest] - similarity.max()) / temperature)
            out[:, y, x] = votes[:, nearest] @ weights / weights.sum()
    return out


def some(height, width, frames, objects, seed=0):
    """Features of a query and of reference frames, and labels in these on their left side."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(frames + 1, height, width, 6)).astype(np.float32)
    features /= np.linalg.norm(features, axis=-1, keepdims=True)
    labels = rng.random((frames, objects, height, width), np.float32)
    labels[..., width // 2 :] = 0
    return features[0], features[1:], labels


def assert_as_plain(query, keys, labels, radius, top_k, temperature=0.07):
    given_to = [each.copy() for each in (query, keys, labels)]
    found = propagate_labels(query, list(keys), labels, radius, top_k, temperature)
    expected = plain(query, keys, labels, radius, top_k, temperature)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    for before, now in zip(given_to, (query, keys, labels), strict=True):
        np.testing.assert_array_equal(before, now)


@given(
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(0, 14),
    st.sampled_from([1, 3, 5, ONE_BY_ONE + 1, 40]),
    st.integers(0, 9),
)
@settings(max_examples=40)
def test_tiles_equal_the_plain_definition(height, width, frames, objects, radius, top_k, seed):
    assert_as_plain(*some(height, width, frames, objects, seed), radius, top_k)


@pytest.mark.parametrize("top_k", [3, 5000])
def test_a_neighbourhood_larger_than_the_picture_is_the_picture(top_k):
    query, keys, labels = some(7, 11, 2, 2)
    assert_as_plain(query, keys, labels, 100, top_k)
    everywhere = propagate_labels(query, list(keys), labels, 11, top_k)
    np.testing.assert_array_equal(
        everywhere, propagate_labels(query, list(keys), labels, 100, top_k)
    )


def test_all_keys_count_where_there_are_fewer_than_asked_for():
    query, keys, labels = some(5, 6, 1, 1)
    for top_k in (ONE_BY_ONE, 29, 30, 31, 1000):
        assert_as_plain(query, keys, labels, 6, top_k)
    assert_as_plain(query, keys, labels, 0, 5)  # of each pixel there is one


@pytest.mark.parametrize("temperature", [0.001, 100.0])
def test_any_temperature(temperature):
    assert_as_plain(*some(9, 30, 2, 1), 3, 5, temperature)


def test_without_labels_there_is_nothing():
    query, keys, labels = some(20, 30, 2, 3)
    found = propagate_labels(query, list(keys), np.zeros_like(labels))
    assert found.shape == (3, 20, 30) and not found.any()


def test_a_label_far_away_does_not_count():
    query, keys, labels = some(40, 50, 1, 1)
    labels[:] = 0
    labels[0, 0, 30, 45] = 1
    query[20, 37] = keys[0, 30, 45]  # the nearest of all, 10 down and 8 across
    assert propagate_labels(query, list(keys), labels, 10)[0, 20, 37] > 0
    for radius in (8, 9):
        assert propagate_labels(query, list(keys), labels, radius)[0, 20, 37] == 0
    assert_as_plain(query, keys, labels, 10, 5)


def test_the_number_of_threads_changes_nothing(monkeypatch):
    query, keys, labels = some(40, 50, 2, 2)
    found = []
    for count in (1, 3):
        monkeypatch.setattr("masktrail.families.labelprop.labels.threads", lambda n=count: n)
        found.append(propagate_labels(query, list(keys), labels))
    np.testing.assert_array_equal(*found)


def test_features_are_at_stride_8_and_of_length_1():
    features = FeatureNetwork()(torch.rand(1, 3, 64, 80))
    assert features.shape == (1, 256, 64 // STRIDE, 80 // STRIDE)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(1, 8, 10))


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_features_are_those_of_torch(engine):
    picture = np.random.default_rng(0).integers(0, 256, (1, 72, 104, 3)).astype(np.uint8)
    expected, found = (
        engine.array(engine.run("forward", picture))
        for engine in (
            load("labelprop", "cpu", engine=name, precision="float").propagator.engine
            for name in ("torch", engine)
        )
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


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
    assert {features.shape for features, _ in state["passing"]} == {(256, 12, 16)}


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
