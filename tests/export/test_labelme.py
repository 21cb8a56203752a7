"""labelme's files: their fields, and polygons drawn as labelme draws them."""

import json

import numpy as np
from PIL import Image, ImageDraw

from painted_results import SIZE, hard_labels, pairs_of, results_of, write

FIELDS = {"version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth"}
SHAPE = {"label", "points", "group_id", "description", "shape_type", "flags", "mask"}


def drawn(shapes) -> np.ndarray:
    """Object ids (H, W) by `group_id`."""
    picture = np.zeros(SIZE[::-1], int)
    for shape in shapes:
        layer = Image.new("L", SIZE)
        points = [tuple(point) for point in shape["points"]]
        ImageDraw.Draw(layer).polygon(points, fill=1, outline=1)
        picture[np.asarray(layer) == 1] = shape["group_id"]
    return picture


def test_polygons_give_every_pixel_back(tmp_path):
    labels = hard_labels()
    write("labelme", tmp_path, pairs_of(results_of(labels), first=3))
    names = sorted(p.name for p in (tmp_path / "labelme").iterdir())
    assert names == [f"{i:05d}.json" for i in range(3, 8)]
    for name, picture in zip(names, labels, strict=True):
        told = json.loads((tmp_path / "labelme" / name).read_text())
        np.testing.assert_array_equal(drawn(told["shapes"]), picture)


def test_the_fields_are_labelmes(tmp_path):
    write("labelme", tmp_path, pairs_of(results_of(hard_labels())))
    for index in range(5):
        told = json.loads((tmp_path / f"labelme/{index:05d}.json").read_text())
        assert told.keys() == FIELDS
        assert (told["imageWidth"], told["imageHeight"]) == SIZE
        assert told["imageData"] is None and told["imagePath"] == f"{index:05d}.jpg"
        for shape in told["shapes"]:
            assert shape.keys() == SHAPE and shape["shape_type"] == "polygon"
            assert shape["label"] == f"object {shape['group_id']}"
            assert len(shape["points"]) > 2  # labelme refuses fewer


def test_pieces_share_a_group(tmp_path):
    write("labelme", tmp_path, pairs_of(results_of(hard_labels()[1:3])))
    first, second = (
        json.loads((tmp_path / f"labelme/0000{i}.json").read_text())["shapes"] for i in (0, 1)
    )
    assert [shape["group_id"] for shape in first] == [1, 1] and second == []
