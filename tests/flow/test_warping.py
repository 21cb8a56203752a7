"""Maps seen where flow leads."""

import numpy as np
import pytest
import torch

from masktrail.flow.warping import warped
from masktrail.models.flow_network import moved

RANDOM = np.random.default_rng(0)


def flow_of(x: float, y: float, size: tuple[int, int]) -> np.ndarray:
    return np.broadcast_to(np.float32([x, y]), (*size, 2))


def test_whole_pixels_are_looked_up() -> None:
    values = RANDOM.random((6, 9), np.float32)
    seen = warped(values, flow_of(2, -1, values.shape))
    assert seen.dtype == np.float32
    np.testing.assert_array_equal(seen[1:, :-2], values[:-1, 2:])
    assert not seen[0].any() and not seen[:, -2:].any(), "from outside comes nothing"


def test_between_pixels_they_are_interpolated() -> None:
    values = np.float32([[0, 1, 0, 0]])
    np.testing.assert_allclose(warped(values, flow_of(0.25, 0, (1, 4))), [[0.25, 0.75, 0, 0]])
    np.testing.assert_allclose(warped(values, flow_of(0, 0.75, (1, 4))), [[0, 0.25, 0, 0]])


@pytest.mark.parametrize("far", [0.3, 5, 1e6])
def test_it_is_what_torch_does(far: float) -> None:
    values = RANDOM.random((12, 17), np.float32)
    flow = (RANDOM.random((12, 17, 2), np.float32) - np.float32(0.5)) * np.float32(far)
    there = moved(torch.tensor(values)[None, None], torch.tensor(flow).permute(2, 0, 1)[None])
    np.testing.assert_allclose(warped(values, flow), there[0, 0], atol=2e-4)
