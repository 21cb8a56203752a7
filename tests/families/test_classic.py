"""Models without a network: the mask repeated, the mask carried by optical flow."""

import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch

from masktrail import load
from masktrail.errors import InputError
from masktrail.masks import tight_box
from masktrail.prompts.kinds import Mask


def textured(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth random picture, uint8 (H, W, 3)."""
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(seed).random((height, width, 3))
    smooth = gaussian_filter(noise, (2, 2, 0))
    return ((smooth - smooth.min()) / np.ptp(smooth) * 255).astype(np.uint8)


def square(shape: tuple[int, int], y: int, x: int, side: int = 30) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[y : y + side, x : x + side] = True
    return mask


def test_copy_repeats_every_mask_to_the_pixel():
    tracker, image = load("copy"), textured(61, 97)
    first, second = square((61, 97), 5, 7), square((61, 97), 20, 60)
    assert np.array_equal(tracker.step(image, {1: Mask(first)}).labels, first)
    both = tracker.step(image, {300: Mask(second)}).labels
    for _ in range(3):
        assert np.array_equal(tracker.step(image[::-1]).labels, both)
    assert np.array_equal(both == 300, second) and np.array_equal(both == 1, first & ~second)
    tracker.remove(1)
    assert np.array_equal(tracker.step(image).labels > 0, second)


def test_copy_knows_nothing_before_the_first_prompt():
    assert not load("copy").step(textured(40, 50)).labels.any()


def test_flow_follows_a_camera_that_pans():
    pytest.importorskip("cv2")
    scene, tracker = textured(120, 200), load("flow")
    for t in range(6):
        prompts = {1: Mask(square((120, 160), 40, 60))} if t == 0 else None
        result = tracker.step(scene[:, 3 * t : 160 + 3 * t], prompts)
    truth, found = square((120, 160), 40, 45), result.labels == 1
    assert (truth & found).sum() / (truth | found).sum() > 0.9
    box = tight_box(found)
    assert box is not None and max(np.abs(np.subtract(box, (45, 40, 75, 70)))) <= 2


def test_flow_without_opencv_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(InputError, match=r"pip install 'masktrail\[flow\]'"):
        load("flow")


def run_on(tracker: object, image: np.ndarray, steps: int) -> list[np.ndarray]:
    step: Callable = tracker.step  # type: ignore[attr-defined]
    return [step(np.roll(image, t, 1)).labels for t in range(1, steps + 1)]


@pytest.mark.parametrize("model", ["copy", "flow", "labelprop"])
def test_saved_state_goes_on_bit_for_bit(model):
    if model == "flow":
        pytest.importorskip("cv2")
    torch.manual_seed(0)
    image = textured(64, 96)
    tracker, other = load(model, "cpu"), load(model, "cpu")
    tracker.step(image, {1: Mask(square((64, 96), 10, 10)), 2: Mask(square((64, 96), 20, 50))})
    run_on(tracker, image, 2)
    state = tracker.state_dict()
    expected = run_on(tracker, image, 3)
    other.load_state_dict(state)
    for found, labels in zip(run_on(other, image, 3), expected, strict=True):
        np.testing.assert_array_equal(found, labels)
