"""Our own exports, read back: the same label maps, and exported again the same bytes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from masktrail.annotations import READERS, kind_of, read_annotations
from masktrail.annotations.data_set import import_data
from masktrail.data.check import check_data
from masktrail.data.davis import find_sequences
from masktrail.data.rules import ERROR
from masktrail.types import LabelMap
from painted_results import SIZE, hard_labels, pairs_of, results_of, write

FIRST = 3
"""Index of the first frame."""

SOURCES = {"coco": "annotations.json", "cvat": "annotations.xml", "labelme": "labelme", "yolo": "."}
"""What an export leaves, and `import-data` is given."""


def in_one_piece() -> list[LabelMap]:
    """The label maps that every format holds: yolo joins the pieces of an object by lines."""
    labels = hard_labels()
    labels[1][20:90, 60:110] = 0
    return labels


def exported(kind: str, out: Path, labels: list[LabelMap]) -> Path:
    write(kind, out, pairs_of(results_of(labels), FIRST))
    return out / SOURCES[kind]


def paint_frames(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True)
    for index in range(FIRST, FIRST + count):
        Image.fromarray(np.full((*SIZE[::-1], 3), index, np.uint8)).save(
            folder / f"{index:05d}.jpg"
        )
    return folder


@pytest.mark.parametrize("kind", READERS)
def test_label_maps_come_back_pixel_for_pixel(tmp_path: Path, kind: str) -> None:
    labels = in_one_piece()
    told = read_annotations(kind, exported(kind, tmp_path, labels))
    (video,) = told.videos
    assert video.lasting and not told.losses
    assert sorted(video.frames) == list(range(FIRST, FIRST + len(labels)))
    for index, painted in enumerate(labels, FIRST):
        np.testing.assert_array_equal(video.frames[index].labels(SIZE), painted)


@pytest.mark.parametrize("kind", READERS)
def test_what_is_exported_again_is_the_same_byte_for_byte(tmp_path: Path, kind: str) -> None:
    labels = in_one_piece()
    source = exported(kind, tmp_path / "first", labels)
    (video,) = read_annotations(kind, source).videos
    again = [video.frames[index].labels(SIZE) for index in sorted(video.frames)]
    exported(kind, tmp_path / "second", again)
    first, second = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (tmp_path / "first", tmp_path / "second")
    )
    assert first == second


@pytest.mark.parametrize("kind", READERS)
def test_a_data_set_is_made_of_them(tmp_path: Path, kind: str) -> None:
    labels = [np.where(painted == 300, 30, painted) for painted in in_one_piece()]
    source = exported(kind, tmp_path / "run", labels)
    frames = paint_frames(tmp_path / "frames", len(labels))
    came = import_data(kind, source, tmp_path / "set", frames)
    assert (came.videos, came.frames, came.losses) == (1, len(labels), ())
    assert not [finding for finding in check_data(tmp_path / "set") if finding.severity == ERROR]
    (sequence,) = find_sequences(tmp_path / "set")
    for place, painted in enumerate(labels):
        np.testing.assert_array_equal(sequence.truth(place), painted)
        name = f"{place + FIRST:05d}.jpg"
        assert sequence.frames[place].read_bytes() == (frames / name).read_bytes()


@pytest.mark.parametrize("kind", READERS)
def test_formats_are_told_apart(tmp_path: Path, kind: str) -> None:
    source = exported(kind, tmp_path, in_one_piece())
    assert kind_of(source) == kind
