"""States of trackers as bytes: what goes in comes out, and what version 0.1 kept still opens."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fake import TRACKING, tracker_of
from masktrail.run.states import packed_state, unpacked_state
from masktrail.tracking.competition import sigmoid
from masktrail.tracking.tracker import Tracker
from painted_videos import paint_clip

STORED = Path(__file__).parents[1] / "stored" / "states-0.1.zip"
"""Of every family then, untrained, after four frames: the state, and the logits of the fifth."""

kinds = st.sampled_from([np.float32, np.uint8, np.bool_, np.int64, np.float64])
shapes = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text()
    | arrays.arrays(kinds, shapes, elements={"allow_nan": False}),
    lambda inner: st.lists(inner) | st.dictionaries(st.integers(0, 9) | st.text(), inner),
    max_leaves=8,
)


def same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray):
        return (
            isinstance(other, np.ndarray)
            and (one.dtype, one.shape) == (other.dtype, other.shape)
            and bool((one == other).all())
        )
    if isinstance(one, dict):
        assert isinstance(other, dict)
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        assert isinstance(other, list)
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


@given(st.dictionaries(st.text(), values))
def test_a_state_comes_back_as_it_was(state) -> None:
    assert same(state, unpacked_state(packed_state(state)))


def test_views_are_kept_as_what_they_show() -> None:
    whole = np.arange(12, dtype=np.float32).reshape(3, 4)
    state = {"turned": whole.T, "backwards": whole[::-1], "part": whole[:, 1:3]}
    assert same(state, unpacked_state(packed_state(state)))


@pytest.mark.parametrize("cut", [0, 1, 7, 8, 40, -1])
def test_a_damaged_state_is_said_to_be_so(cut: int) -> None:
    content = packed_state({"masks": {1: np.zeros((4, 4), np.float32)}, "size": 3})
    with pytest.raises(ValueError):  # which the journal makes a sentence of
        unpacked_state(content[:cut])


@pytest.mark.parametrize("content", [b"PK\3\4 no archive", b"\0" * 40, b"{}"])
def test_what_is_no_state_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        unpacked_state(content)


def kept(family: str) -> tuple[bytes, dict[int, np.ndarray]]:
    with zipfile.ZipFile(STORED) as archive:
        logits = np.load(io.BytesIO(archive.read(f"{family}.npz")))
        return archive.read(f"{family}.pt"), {int(i): logits[i] for i in logits.files}


def gone_on(tracker: Tracker, content: bytes) -> dict[int, np.ndarray]:
    tracker.load_state_dict(unpacked_state(content))
    tracker.step(paint_clip(6, (64, 48), objects=2).images[4])
    return tracker.logits


LATER = {"agunet", "lucid", "siammask"}
"""Families that version 0.1 did not have."""


@pytest.mark.parametrize("family", [name for name in TRACKING if name not in LATER])
def test_a_state_of_version_0_1_is_gone_on_with(family: str) -> None:
    content, expected = kept(family)
    found = gone_on(tracker_of(family), content)
    assert set(found) == set(expected)
    for object_id, logits in expected.items():
        off = np.abs(sigmoid(found[object_id]) - sigmoid(logits))
        assert off.mean() < 0.01, "processors round differently"


def test_what_is_gone_on_with_counts() -> None:
    """With the masks of both objects exchanged, others follow."""
    content, expected = kept("labelprop")
    state = unpacked_state(content)
    for _, masks in [*state["propagator"]["given"], *state["propagator"]["passing"]]:
        masks[1], masks[2] = masks[2], masks[1]
    found = gone_on(tracker_of("labelprop"), packed_state(state))
    assert max(np.abs(sigmoid(found[i]) - sigmoid(expected[i])).mean() for i in expected) > 0.02
