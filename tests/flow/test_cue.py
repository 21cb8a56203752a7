"""How fast things move beside the camera."""

import numpy as np
import torch

from masktrail.families.lucid.cue import motion_cue as of_a_batch
from masktrail.flow.cue import motion_cue

SIZE = (40, 60)


def moving(dx: float, dy: float, camera: tuple[float, float] = (0, 0)) -> np.ndarray:
    """A square that moves in front of ground that does."""
    flow = np.broadcast_to(np.float32(camera), (*SIZE, 2)).copy()
    flow[10:20, 10:20] += np.float32([dx, dy])
    return flow


def test_what_moves_stands_out_whatever_the_camera_does() -> None:
    for camera in ((0.0, 0.0), (7.0, -3.0)):
        back = moving(3, 4, camera)
        forth = -moving(0, 0, camera)
        forth[14:24, 13:23] -= np.float32([3, 4])  # where the square was before
        if camera != (0.0, 0.0):
            forth = -np.roll(moving(3, 4, camera), (1, 10), (0, 1))
        cue = motion_cue(back, forth)
        assert cue.dtype == np.float32 and cue.shape == SIZE
        np.testing.assert_allclose(cue[10:20, 10:20], 1, atol=1e-6)
        cue[10:20, 10:20] = 0
        assert cue[:24, :23].max() < 0.51 and not cue[30:, 30:].any()


def test_where_nothing_moves_nothing_is_told() -> None:
    """Noise would be scaled up to the fastest there is."""
    noise = np.random.default_rng(0).normal(0, 0.05, (2, *SIZE, 2)).astype(np.float32)
    assert not motion_cue(*noise).any()
    assert not motion_cue(*(noise + np.float32(20))).any(), "nor where the camera alone does"
    assert motion_cue(*(20 * noise)).max() == 1


def test_the_length_back_and_forth_is_averaged() -> None:
    back, still = moving(4, 0), moving(0, 0)
    back[0, 0] = [8, 0]
    cue = motion_cue(back, still)
    np.testing.assert_allclose(cue[10:20, 10:20], 0.5)
    forth = still.copy()
    forth[10:20, 14:24] = [-4, 0]
    np.testing.assert_allclose(motion_cue(back, forth)[10:20, 10:20], 1)


def test_training_is_told_the_same() -> None:
    random = np.random.default_rng(1)
    flows = random.normal(0, 2, (2, 3, *SIZE, 2)).astype(np.float32)
    flows[:, 2] *= 0.01
    batch = of_a_batch(*(torch.tensor(flow).permute(0, 3, 1, 2) for flow in flows))
    assert batch.shape == (3, 1, *SIZE) and not batch[2].any()
    for back, forth, cue in zip(*flows, batch[:, 0], strict=True):
        np.testing.assert_allclose(motion_cue(back, forth), cue, atol=2e-3)
