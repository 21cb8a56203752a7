"""What every family of models has in common, each through the one tracker."""

import numpy as np
import pytest

from fake import TRACKING, tracker_of
from masktrail.prompts.kinds import Mask
from masktrail.run.states import packed_state, unpacked_state
from painted_videos import paint_clip

SIZE = (64, 48)
CLIP = paint_clip(9, SIZE)


def disc(t: int, object_id: int) -> Mask:
    return Mask(CLIP.labels[t] == object_id)


PROMPTS = {0: {1: disc(0, 1)}, 3: {300: disc(3, 2)}, 5: {1: disc(5, 1)}}

every_family = pytest.mark.parametrize("family", TRACKING)


@every_family
def test_prompts_come_out_as_they_went_in(family):
    tracker = tracker_of(family)
    for t, image in enumerate(CLIP.images):
        result = tracker.step(image, PROMPTS.get(t))
        assert result.labels.shape == (48, 64)
        assert set(result.objects) == ({1} if t < 3 else {1, 300})
        assert all(0 <= found.score <= 1 for found in result.objects.values())
        for object_id, prompt in PROMPTS.get(t, {}).items():
            np.testing.assert_array_equal(result.labels == object_id, prompt.mask)


@every_family
def test_objects_can_be_removed_and_given_again(family):
    tracker = tracker_of(family)
    tracker.step(CLIP.images[0])
    tracker.step(CLIP.images[1], {1: disc(1, 1), 2: disc(1, 2)})
    tracker.remove(1)
    assert set(tracker.step(CLIP.images[2]).objects) == {2}
    assert set(tracker.step(CLIP.images[3], {1: disc(3, 1)}).objects) == {1, 2}
    tracker.remove(2)
    tracker.remove(1)
    assert not tracker.step(CLIP.images[4]).labels.any()
    assert set(tracker.step(CLIP.images[5], {2: disc(5, 2)}).objects) == {2}
    assert set(tracker.step(CLIP.images[6]).objects) == {2}


@every_family
@pytest.mark.parametrize("saved_at", [0, 2, 6])
def test_a_saved_tracker_goes_on_bit_for_bit(family, saved_at):
    tracker, expected, state = tracker_of(family), [], None
    for t, image in enumerate(CLIP.images):
        if t == saved_at:
            state = unpacked_state(packed_state(tracker.state_dict()))
        result = tracker.step(image, PROMPTS.get(t))
        expected += [result] if t >= saved_at else []
    again = tracker_of(family)
    again.load_state_dict(state)
    for t, result in enumerate(expected, start=saved_at):
        same = again.step(CLIP.images[t], PROMPTS.get(t))
        np.testing.assert_array_equal(same.labels, result.labels)
        assert same.objects == result.objects
