"""The engines on the shipped weights: the same frame from the same memory gives the same mask."""

from functools import cache

import numpy as np
import pytest

from golden.clips import CLIPS, SIZE
from masktrail.engines.processor import precisions
from masktrail.evaluate.measures import region_similarity
from masktrail.geometry import Stretch
from masktrail.zoo import load

FRAMES = range(0, 40, 3)
"""Of the demo's clip."""


@cache
def masks(engine: str, precision: str) -> list[np.ndarray]:
    """Masks of the demo's object in some frames, each from true masks in memory."""
    propagator = load("memory-s", "cpu", engine=engine, precision=precision).propagator
    clip = CLIPS["demo"]()
    found = []
    for step, index in enumerate(FRAMES):
        image, truth = clip[index]
        stretch = Stretch.to_short_side(*image.shape[:2], min(SIZE), propagator.stride)
        seen = propagator.look(stretch.image_in(image))
        logits = propagator.propagate(seen, [1] if step else [])
        if step:
            found.append(stretch.logits_out(logits[0]) > 0)
        coverage = stretch.mask_in(truth == 1, propagator.mask_stride)
        propagator.update({1: coverage}, {1: 1.0}, set() if step else {1})
    return found


@pytest.mark.parametrize(
    ("engine", "precision"),
    [
        ("openvino", "float"),
        ("openvino", "bfloat16"),
        ("openvino", "int8"),
        ("onnxruntime", "float"),
        ("onnxruntime", "int8"),
    ],
)
def test_masks_are_those_of_torch_in_floats(engine: str, precision: str) -> None:
    if precision == "bfloat16" and precision not in precisions():
        pytest.skip("this processor has no bfloat16")
    pairs = zip(masks("torch", "float"), masks(engine, precision), strict=True)
    similarities = [region_similarity(one, other) for one, other in pairs]
    assert np.mean(similarities) > (0.999 if precision == "float" else 0.99), similarities
