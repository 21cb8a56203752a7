"""COCO for videos: read back by pycocotools."""

import json

import numpy as np
import pytest
from pycocotools import mask as coco

from painted_results import SIZE, hard_labels, pairs_of, results_of, write


def written(out, labels, first=0, known=()) -> dict:
    write("coco", out, pairs_of(results_of(labels, known), first))
    return json.loads((out / "annotations.json").read_text())


def test_masks_areas_and_boxes_come_back(tmp_path):
    labels = hard_labels()
    told = written(tmp_path, labels)
    assert [a["id"] for a in told["annotations"]] == [1, 2, 300]
    for annotation in told["annotations"]:
        for picture, rle, area, box in zip(
            labels,
            annotation["segmentations"],
            annotation["areas"],
            annotation["bboxes"],
            strict=True,
        ):
            mask = picture == annotation["id"]
            if not mask.any():
                assert rle is area is box is None
                continue
            np.testing.assert_array_equal(coco.decode(rle), mask)
            assert area == coco.area(rle)
            assert box == coco.toBbox(rle).tolist()


def test_absence_is_null(tmp_path):
    told = written(tmp_path, hard_labels())
    there = {a["id"]: [s is not None for s in a["segmentations"]] for a in told["annotations"]}
    assert there[1] == [True, True, False, False, True]
    assert there[300] == [True, False, False, True, False]


def test_the_video_and_the_category_are_described(tmp_path):
    told = written(tmp_path, hard_labels(), first=7)
    (video,) = told["videos"]
    assert (video["width"], video["height"], video["length"]) == (*SIZE, 5)
    assert video["file_names"] == [f"{i:05d}.jpg" for i in range(7, 12)]
    (category,) = told["categories"]
    for annotation in told["annotations"]:
        assert annotation["video_id"] == video["id"]
        assert annotation["category_id"] == category["id"]
        assert (annotation["width"], annotation["height"], annotation["length"]) == (*SIZE, 5)


def test_what_is_never_seen_has_no_annotation(tmp_path):
    told = written(tmp_path, hard_labels()[:3], known=(9,))
    assert [a["id"] for a in told["annotations"]] == [1, 300]
    assert written(tmp_path / "none", [])["annotations"] == []


@pytest.mark.parametrize("end", ["abort", "close"])
def test_the_file_appears_with_close_alone(tmp_path, end):
    write("coco", tmp_path, pairs_of(results_of(hard_labels())), end=end)
    assert [p.name for p in tmp_path.iterdir()] == (["annotations.json"] * (end == "close"))
