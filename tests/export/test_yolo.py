"""YOLO's labels: read as Ultralytics reads them, filled as it fills them."""

import cv2
import numpy as np
import pytest

from painted_results import SIZE, hard_labels, overlap, pairs_of, results_of, write


def read(path) -> dict[int, np.ndarray]:
    """Masks (H, W) by class: corners cut to whole pixels and filled by the even-odd rule."""
    masks = {}
    for line in path.read_text().splitlines():
        kind, *numbers = line.split()
        assert len(numbers) >= 6 and int(kind) not in masks  # a polygon, one per object
        corners = np.array(numbers, np.float32).reshape(-1, 2)
        assert corners.min() >= 0 and corners.max() <= 1
        picture = np.zeros(SIZE[::-1], np.uint8)
        cv2.fillPoly(picture, [(corners * SIZE).astype(np.int32)], 1)
        masks[int(kind)] = picture.astype(bool)
    return masks


def test_polygons_give_the_masks_back(tmp_path):
    labels = hard_labels()
    write("yolo", tmp_path, pairs_of(results_of(labels), first=3))
    names = sorted(p.name for p in (tmp_path / "labels").iterdir())
    assert names == [f"{i:05d}.txt" for i in range(3, 8)]
    for name, picture in zip(names, labels, strict=True):
        masks = read(tmp_path / "labels" / name)
        assert sorted(masks) == [i - 1 for i in np.unique(picture) if i]
        for kind, mask in masks.items():
            assert overlap(mask, picture == kind + 1) > 0.97
            if name != "00004.txt":  # of one piece each: not a pixel is lost
                np.testing.assert_array_equal(mask, picture == kind + 1)


def test_two_pieces_are_one_instance_with_a_thin_bridge(tmp_path):
    picture = hard_labels()[1]
    write("yolo", tmp_path, pairs_of(results_of([picture])))
    mask = read(tmp_path / "labels/00000.txt")[0]
    assert (mask | (picture == 1)).sum() == mask.sum()  # both pieces are whole
    assert cv2.connectedComponents(mask.astype(np.uint8))[0] == 2  # the ground and one piece
    assert 0 < (mask & (picture == 0)).sum() < 10


def test_an_empty_frame_is_an_empty_file(tmp_path):
    write("yolo", tmp_path, pairs_of(results_of(hard_labels()[2:3])))
    assert (tmp_path / "labels/00000.txt").read_text() == ""


def test_every_class_up_to_the_greatest_has_a_name(tmp_path):
    write("yolo", tmp_path, pairs_of(results_of(hard_labels()[1:2], known=(4,))))
    lines = (tmp_path / "data.yaml").read_text().splitlines()
    assert lines[:3] == ["train: images", "val: images", "names:"]
    assert lines[3:] == ["  0: object 1", "  1: object 2", "  2: object 3", "  3: object 4"]


@pytest.mark.parametrize("end", ["abort", "close"])
def test_data_yaml_comes_last(tmp_path, end):
    write("yolo", tmp_path, pairs_of(results_of(hard_labels())), end=end)
    assert (tmp_path / "data.yaml").exists() == (end == "close")
    assert len(list((tmp_path / "labels").iterdir())) == 5
