"""Soft masks at working size: small, the same after storing, 0 or 1 where the user said so."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake import fake_tracker
from masktrail.prompts.kinds import Mask
from masktrail.tracking.competition import sigmoid, soft_aggregate, softmax
from masktrail.tracking.soft import MAGIC, Kind, Opinion, OpinionMasks, packed, unpacked


def opinion(seed: int, shape: tuple[int, int] = (12, 16), kind: Kind = Kind.TRACKED) -> Opinion:
    rng = np.random.default_rng(seed)
    return Opinion(rng.normal(0, 6, shape).astype(np.float32), float(rng.random()), kind)


@given(st.lists(st.integers(1, 65535), unique=True, max_size=4), st.sampled_from(Kind))
def test_opinions_come_back_as_good_as_they_went(ids, kind) -> None:
    before = {i: opinion(i, kind=kind) for i in ids}
    after = unpacked(packed(before))
    assert list(after) == ids
    for i, one in after.items():
        logits = before[i].logits
        edges = np.abs(logits) < 2
        assert np.abs(one.logits - logits)[edges].max() < 1 / 12
        assert np.abs(sigmoid(one.logits) - sigmoid(logits)).max() < 0.015
        assert one.logits.dtype == np.float32
        assert one.score == pytest.approx(before[i].score, abs=1e-6) and one.kind == kind
    assert packed(after) == packed(before), "what is stored once is not rounded again"


DAMAGED = [b"", MAGIC, MAGIC + zlib.compress(b"1234"), packed({1: opinion(0)})[:-9]]


@pytest.mark.parametrize("content", DAMAGED)
def test_what_is_damaged_is_told(content: bytes) -> None:
    with pytest.raises((ValueError, zlib.error)):
        unpacked(content)


def test_masks_are_the_enlarged_competition_but_for_what_is_given_or_lost() -> None:
    labels = np.zeros((24, 32), np.uint8)
    labels[4:9, 4:9] = 3
    opinions = {2: opinion(2), 3: opinion(3, kind=Kind.GIVEN), 5: opinion(5, kind=Kind.LOST)}
    masks = OpinionMasks(opinions, labels)
    assert list(masks) == [2, 3, 5] and all(m.shape == (24, 32) for m in masks.values())
    np.testing.assert_array_equal(masks[3], labels == 3)
    assert not masks[5].any()
    small = softmax(soft_aggregate(np.stack([o.logits for o in opinions.values()])))[1]
    middles = masks[2][1::2, 1::2] + masks[2][::2, ::2] + masks[2][1::2, ::2] + masks[2][::2, 1::2]
    assert np.corrcoef(middles.ravel(), small.ravel())[0, 1] > 0.8, "only enlarged"


def test_a_tracker_gives_them_as_its_journal_will() -> None:
    """And small: a frame of 1080p, one object, takes a few kilobytes."""
    tracker, image = fake_tracker(384), np.zeros((1080, 1920, 3), np.uint8)
    mask = np.zeros((1080, 1920), bool)
    mask[200:700, 300:900] = True
    tracker.step(image, {1: Mask(mask)})
    result = tracker.step(image)
    assert result.soft is not None
    content = result.soft.packed()
    assert len(content) < 4000
    again = OpinionMasks(unpacked(content), result.labels)
    np.testing.assert_array_equal(again[1], result.soft[1])
    assert ((again[1] > 0.5) == (result.labels == 1)).mean() > 0.999
