"""Annotations as prompts of a run."""

from pathlib import Path

import numpy as np
import pytest

from masktrail.annotations import READERS
from masktrail.annotations.prompting import merged, prompts_from
from masktrail.errors import InputError
from masktrail.prompts.kinds import Box, Mask
from painted_results import SIZE, hard_labels, pairs_of, results_of, write

SOURCES = {"coco": "annotations.json", "cvat": "annotations.xml", "labelme": "labelme", "yolo": "."}


@pytest.mark.parametrize("kind", READERS)
def test_exports_are_prompts(tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    labels = hard_labels()
    write(kind, tmp_path, pairs_of(results_of(labels)))
    found = prompts_from(tmp_path / SOURCES[kind], lambda: SIZE, start=1)
    assert {frame: sorted(objects) for frame, objects in found.items()} == {
        1: [1], 3: [2, 300], 4: [1],
    }  # fmt: skip
    mask = found[3][300]
    assert isinstance(mask, Mask)
    np.testing.assert_array_equal(mask.mask, labels[3] == 300)
    assert "1 frames that" in caplog.text
    with pytest.raises(InputError, match="marks no object in the frames that are tracked"):
        prompts_from(tmp_path / SOURCES[kind], lambda: SIZE, start=2, end=3)


def test_boxes_of_yolo_are_boxes(tmp_path: Path) -> None:
    (tmp_path / "00000.txt").write_text("0 0.5 0.5 0.2 0.4\n1 0 0 0.5 0 0.5 0.5\n")
    found = prompts_from(tmp_path, lambda: (100, 50))
    assert found[0][1] == Box(40, 15, 60, 35)
    assert isinstance(found[0][2], Mask)


def test_the_same_object_twice_is_refused() -> None:
    box = Box(0, 0, 5, 5)
    assert merged({3: {1: box}}, {0: {1: box}, 3: {2: box}}) == {0: {1: box}, 3: {1: box, 2: box}}
    with pytest.raises(InputError, match="Object 1 is marked twice in frame 3"):
        merged({3: {1: box}}, {3: {1: box}})


def test_frames_are_those_that_names_tell(tmp_path: Path) -> None:
    for name in ("frame_000010", "frame_000250"):
        (tmp_path / f"{name}.txt").write_text("0 0 0 .5 0 .5 .5\n")
    assert sorted(prompts_from(tmp_path, lambda: SIZE)) == [10, 250]
    (tmp_path / "frame_000250.txt").rename(tmp_path / "late.txt")
    with pytest.raises(InputError, match=r"which frames of the video its 2 pictures are \(frame_0"):
        prompts_from(tmp_path, lambda: SIZE)
    (tmp_path / "frame_000010.txt").unlink()
    assert sorted(prompts_from(tmp_path, lambda: SIZE)) == [0], "one alone is the first"
