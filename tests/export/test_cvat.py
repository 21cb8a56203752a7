"""CVAT's XML for videos: masks decoded as CVAT decodes them, ends of tracks, labels."""

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from masktrail.export.cvat import run_lengths
from painted_results import SIZE, hard_labels, pairs_of, results_of, write


def decode(element) -> np.ndarray:
    """A `mask` as bool (H, W): runs row by row within its box, beginning outside."""
    runs = [int(run) for run in element.get("rle").split(",")]
    left, top, width, height = (int(element.get(k)) for k in ("left", "top", "width", "height"))
    part = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)
    picture = np.zeros(SIZE[::-1], bool)
    picture[top : top + height, left : left + width] = part
    return picture


def written(out, labels, first=0, known=()):
    write("cvat", out, pairs_of(results_of(labels, known), first))
    return ElementTree.parse(out / "annotations.xml").getroot()


def test_masks_come_back_as_cvat_imports_them(tmp_path):
    """CVAT takes the first mask of every track, by the label's name and the frame."""
    labels = hard_labels()
    found = {}
    for track in written(tmp_path, labels, first=3).iter("track"):
        mask = track[0]
        assert mask.get("keyframe") == "1" and mask.get("outside") == "0"
        assert track.get("label") == f"object {track.get('group_id')}"
        found[int(mask.get("frame")), int(track.get("group_id"))] = decode(mask)
    truth = {(t, i): p == i for t, p in enumerate(labels, 3) for i in np.unique(p) if i}
    assert found.keys() == truth.keys()
    for key, mask in found.items():
        np.testing.assert_array_equal(mask, truth[key])


def test_a_track_ends_with_the_next_frame(tmp_path):
    root = written(tmp_path, hard_labels())
    spans = [[(int(m.get("frame")), m.get("outside")) for m in t] for t in root.iter("track")]
    assert spans == [
        [(0, "0"), (1, "1")],
        [(0, "0"), (1, "1")],
        [(1, "0"), (2, "1")],
        [(3, "0"), (4, "1")],
        [(3, "0"), (4, "1")],
        [(4, "0")],  # nothing comes behind the last frame
    ]
    assert [t.get("id") for t in root.iter("track")] == [str(n) for n in range(6)]


def test_the_task_is_described(tmp_path):
    root = written(tmp_path, hard_labels(), first=3, known=(9,))
    assert root.findtext("version") == "1.1"
    task = root.find("meta/task")
    facts = {key: task.findtext(key) for key in ("size", "mode", "start_frame", "stop_frame")}
    assert facts == {"size": "5", "mode": "interpolation", "start_frame": "3", "stop_frame": "7"}
    names = [label.findtext("name") for label in task.iter("label")]
    assert names == ["object 1", "object 2", "object 9", "object 300"]
    size = task.find("original_size")
    assert (size.findtext("width"), size.findtext("height")) == tuple(map(str, SIZE))


def test_no_frames_make_a_document_without_tracks(tmp_path):
    root = written(tmp_path, [])
    assert root.find("meta/task/size").text == "0" and root.find("track") is None


@pytest.mark.parametrize("end", ["abort", "close"])
def test_the_file_appears_with_close_alone(tmp_path, end):
    write("cvat", tmp_path, pairs_of(results_of(hard_labels())), end=end)
    assert [p.name for p in tmp_path.iterdir()] == (["annotations.xml"] * (end == "close"))


@given(arrays.arrays(bool, st.tuples(st.integers(1, 6), st.integers(1, 6))))
def test_runs_alternate_and_fill_the_box(mask):
    runs = run_lengths(mask)
    assert all(run > 0 for run in runs[1:])
    back = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    np.testing.assert_array_equal(back.reshape(mask.shape), mask)
