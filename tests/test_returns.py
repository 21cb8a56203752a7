"""An object that leaves and comes back beside a look-alike: the painted clip, small."""

import numpy as np
import pytest

from masktrail.prompts.kinds import Mask
from masktrail.zoo import load
from returns import AFTER, GONE, Scene, measure

SIZE = (427, 240)


@pytest.fixture(scope="module")
def scene():
    return Scene(SIZE)


def test_the_clip_is_what_it_says(scene):
    there = [bool((scene.paint(t)[1] == 1).any()) for t in range(scene.leaves - 2, scene.frames)]
    gone = [not seen for seen in there]
    assert GONE <= sum(gone) <= GONE + 4
    assert there[-AFTER + 2 :] == [True] * (AFTER - 2)
    image, labels = scene.paint(scene.frames - 1)
    assert image.shape == (*SIZE[::-1], 3) and image.dtype == np.uint8
    assert set(np.unique(labels)) == {0, 1}


@pytest.mark.slow
def test_it_is_lost_while_it_is_gone_and_found_beside_the_look_alike(scene):
    tracker = load("memory-s", "cpu", size=160)
    results, truths = [], []
    for frame in range(scene.frames):
        image, truth = scene.paint(frame)
        results.append(tracker.step(image, {1: Mask(truth == 1)} if frame == 0 else None))
        truths.append(truth)
    figures = measure(scene, truths, results)
    assert figures.lost_after is not None and figures.lost_after <= 3
    assert figures.marked == 0
    written = [entry for entry in tracker.propagator.bank.entries if not entry.permanent]
    assert written  # frames after its return are remembered again
    assert figures.similarity > 0.5


def test_memory_is_not_written_while_it_is_gone(scene):
    tracker = load("memory-s", "cpu", size=128)
    before: list[int] = []
    for frame in range(0, scene.leaves + 12, 2):
        image, truth = scene.paint(frame)
        result = tracker.step(image, {1: Mask(truth == 1)} if frame == 0 else None)
        kept = [id(entry) for entry in tracker.propagator.bank.entries]
        if frame > scene.leaves + 4:
            assert result.objects[1].state == "lost" and kept == before
        before = kept
