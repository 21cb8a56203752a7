"""Data sets made of annotations: where pictures are found, and what is said to be lost."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from masktrail.annotations.data_set import import_data
from masktrail.data.check import check_data
from masktrail.data.davis import are_stills, find_sequences
from masktrail.data.rules import ERROR
from masktrail.data.stills import find_stills
from masktrail.errors import InputError
from masktrail.masks import read_labels
from masktrail.run import track
from painted_videos import PaintVideo
from said import Said

BOX = (60, 20, 88, 46)
SQUARE = [4, 6, 14, 6, 14, 16, 4, 16]
OVER = [10, 6, 20, 6, 20, 16, 10, 16]


def paint(path: Path, size: tuple[int, int] = (40, 30), grey: int = 90) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (grey, grey, grey)).save(path)
    return path


def coco(path: Path, names: list[str], *annotations: dict[str, Any]) -> Path:
    """A file of pictures, and annotations of the first."""
    images = [
        {"id": k, "file_name": name, "width": 40, "height": 30} for k, name in enumerate(names)
    ]
    told = {
        "images": images,
        "categories": [{"id": 1, "name": "object"}],
        "annotations": [
            {"id": k, "image_id": 0, "category_id": 1, **annotation}
            for k, annotation in enumerate(annotations)
        ],
    }
    path.write_text(json.dumps(told))
    return path


def test_pictures_alone_are_pairs(tmp_path: Path) -> None:
    names = ["a/1.jpg", "b/1.jpg", "a/1.png"]
    for grey, name in enumerate(names):
        paint(tmp_path / "photos" / name.replace("/1.png", "/2.png"), grey=grey)
    names[2] = "a/2.png"
    source = coco(
        tmp_path / "coco.json", names,
        {"segmentation": [SQUARE]}, {"segmentation": [OVER]}, {"bbox": [1, 2, 3, 4]},
    )  # fmt: skip
    came = import_data("coco", source, tmp_path / "set", tmp_path / "photos")
    assert (came.videos, came.frames, came.objects) == (2, 3, 2)
    assert came.losses == (
        "1 boxes, which are no masks",
        "what lies beneath 1 masks: a pixel is of one object, the one on top",
    )
    assert are_stills(tmp_path / "set")
    assert not [f for f in check_data(tmp_path / "set") if f.severity == ERROR]
    stills = find_stills(tmp_path / "set")
    assert [s.name for s in stills] == ["set/a_1", "set/a_2", "set/b_1"]
    copied = (tmp_path / "set/images/b_1.jpg").read_bytes()
    assert copied == (tmp_path / "photos/b/1.jpg").read_bytes()
    found = read_labels(tmp_path / "set/masks/a_1.png")[0]
    assert (found == 1).sum() == 60 and (found == 2).sum() == 100


def test_pictures_of_one_name_get_numbers(tmp_path: Path) -> None:
    for name in ("x/a/1.jpg", "y/a/1.jpg"):
        paint(tmp_path / name)
    source = coco(tmp_path / "coco.json", ["x/a/1.jpg", "y/a/1.jpg"])
    import_data("coco", source, tmp_path / "set")
    names = sorted(path.name for path in (tmp_path / "set/images").iterdir())
    assert names == ["a-2_1.jpg", "a_1.jpg"]


def test_pictures_are_not_taken_for_one_another(tmp_path: Path) -> None:
    source = coco(tmp_path / "coco.json", ["1.jpg"], {"segmentation": [SQUARE]})
    for name in ("masks/1.png", "labels/1.png", "Annotations/x/1.png"):
        paint(tmp_path / "photos" / name)
    with pytest.raises(InputError, match=r"There is no picture 1\.jpg in .*photos; say where"):
        import_data("coco", source, tmp_path / "set", tmp_path / "photos")
    for name in ("a/1.jpg", "b/1.jpg"):
        paint(tmp_path / "photos" / name)
    with pytest.raises(InputError, match=r"1\.jpg may be .*a/1\.jpg or .*b/1\.jpg"):
        import_data("coco", source, tmp_path / "set", tmp_path / "photos")
    assert not (tmp_path / "set").exists()
    import_data("coco", source, tmp_path / "set", tmp_path / "photos" / "b")


def test_what_does_not_fit_is_refused_and_nothing_left(tmp_path: Path) -> None:
    source = coco(tmp_path / "coco.json", ["1.jpg"], {"segmentation": [SQUARE]})
    paint(tmp_path / "small" / "1.jpg", (20, 30))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("kept")
    for how, words in (
        ({"pictures": tmp_path / "small"}, r"1\.jpg is 20x30, and its annotations are of 40x30"),
        ({"pictures": tmp_path / "nowhere"}, "There is no .*nowhere"),
        ({"layout": "tree"}, "no layout 'tree'; known are auto, video, pairs"),
        ({"kind": "voc"}, "no format 'voc'; known are coco, cvat, labelme, yolo"),
        ({"source": tmp_path / "none.json"}, r"There is no .*none\.json"),
        ({"out": tmp_path / "full"}, "is there already"),
    ):
        told = {"kind": "coco", "source": source, "out": tmp_path / "set", **how}
        with pytest.raises(InputError, match=words):
            import_data(**told)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["coco.json", "full", "small"]


def test_a_video_needs_ids_that_last(tmp_path: Path) -> None:
    for name in ("1.jpg", "2.jpg"):
        paint(tmp_path / name)
    square, over = {"segmentation": [SQUARE]}, {"segmentation": [OVER]}
    later = {"segmentation": [OVER], "image_id": 1}
    two = coco(tmp_path / "coco.json", ["1.jpg", "2.jpg"], square, over, later)
    with pytest.raises(InputError, match="numbered in every picture by themselves"):
        import_data("coco", two, tmp_path / "set", layout="video")
    one = coco(tmp_path / "coco.json", ["1.jpg", "2.jpg"], square, later)
    import_data("coco", one, tmp_path / "set", layout="video")
    (sequence,) = find_sequences(tmp_path / "set")
    assert sequence.ids == (1,) and len(sequence) == 2


def test_a_picture_is_of_one_frame(tmp_path: Path) -> None:
    paint(tmp_path / "val" / "a.jpg")
    source = coco(tmp_path / "coco.json", ["train/a.jpg", "val/a.jpg"])
    with pytest.raises(InputError, match=r"val/a\.jpg would be the picture of train/a\.jpg and of"):
        import_data("coco", source, tmp_path / "set")


def test_exact_names_come_first(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png", "sub/a.jpg"):
        paint(tmp_path / name, grey=len(name))
    source = coco(tmp_path / "coco.json", ["a.png", "sub/a.jpg"])
    import_data("coco", source, tmp_path / "set")
    copied = {p.name: p.read_bytes() for p in (tmp_path / "set/images").iterdir()}
    assert copied == {
        "pictures_a.png": (tmp_path / "a.png").read_bytes(),
        "sub_a.jpg": (tmp_path / "sub/a.jpg").read_bytes(),
    }


def test_an_archive_of_cvat(tmp_path: Path) -> None:
    for k in (5, 6, 7):
        paint(tmp_path / "images" / f"frame_{k:06}.PNG", grey=k)
    corners = "4,6;14,6;14,16;4,16"
    (tmp_path / "annotations.xml").write_text(
        "<annotations><meta><task><start_frame>5</start_frame><stop_frame>7</stop_frame></task>"
        f'</meta><track id="0" label="fly"><polygon frame="5" points="{corners}"/>'
        f'<polygon frame="7" points="{corners}"/></track></annotations>'
    )
    import_data("cvat", tmp_path, tmp_path / "set")
    (sequence,) = find_sequences(tmp_path / "set")
    assert [path.name for path in sequence.frames] == ["00005.png", "00006.png", "00007.png"]
    assert [int(sequence.image(k)[0, 0, 0]) for k in range(3)] == [5, 6, 7]
    assert all(sequence.truth(k).sum() == 100 for k in range(3))


def test_pictures_called_otherwise_are_taken_in_order_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for k in (1, 2, 10):
        paint(tmp_path / "shots" / f"dsc{k}.png", grey=k)
    (tmp_path / "annotations.xml").write_text(
        '<annotations><track id="0" label="fly"><box frame="2" xtl="1" ytl="1" xbr="5" ybr="5"/>'
        "</track></annotations>"
    )
    import_data("cvat", tmp_path, tmp_path / "set", tmp_path / "shots")
    assert "taken in their order, frame 0 is the first" in caplog.text
    (sequence,) = find_sequences(tmp_path / "set")
    assert int(sequence.image(2)[0, 0, 0]) == 10
    with pytest.raises(InputError, match=r"There is no picture 00000 in"):
        import_data("cvat", tmp_path, tmp_path / "other")


def test_yolo_as_it_is_trained_with(tmp_path: Path) -> None:
    for part, k in (("train", 1), ("train", 2), ("val", 1)):
        paint(tmp_path / "images" / part / f"{k}.jpg", grey=len(part) + k)
        labels = tmp_path / "labels" / part / f"{k}.txt"
        labels.parent.mkdir(parents=True, exist_ok=True)
        labels.write_text("0 0.1 0.2 0.5 0.2 0.5 0.6\n")
    (tmp_path / "data.yaml").write_text("names:\n  0: fly\n")
    came = import_data("yolo", tmp_path, tmp_path / "set")
    assert (came.frames, came.losses) == (3, ("names, as masks hold ids: 1 = fly",))
    assert are_stills(tmp_path / "set"), "a class is no object of a video"
    for name, part in (("train_1", "train/1"), ("val_1", "val/1")):
        copied = tmp_path / "set/images" / f"{name}.jpg"
        assert copied.read_bytes() == (tmp_path / f"images/{part}.jpg").read_bytes()


@pytest.fixture
def run(paint_video: PaintVideo, tmp_path: Path) -> Path:
    """A run of all four formats, of a video beside it."""
    formats = "davis,coco,cvat,labelme,yolo"
    track(paint_video(frames=6), {0: {1: BOX}}, tmp_path / "run", "copy", formats)
    return tmp_path / "run"


SOURCES = {"coco": "annotations.json", "cvat": "annotations.xml", "labelme": "labelme", "yolo": "."}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_run_becomes_a_data_set(
    run: Path, tmp_path: Path, command: Callable[..., Said], kind: str
) -> None:
    (video,) = tmp_path.glob("*.mp4")
    source, out = run / SOURCES[kind], tmp_path / "set"
    said = command("import-data", kind, source, out, "--pictures", video)
    assert said.code == 0
    assert said.out == f"6 frames of 1 videos or folders, 6 masks, in {out}\n"
    (sequence,) = find_sequences(out)
    for place, path in enumerate(sorted((run / "masks").iterdir())):
        np.testing.assert_array_equal(sequence.truth(place), read_labels(path)[0])
    assert not [f for f in check_data(out) if f.severity == ERROR]
    refused = command("import-data", kind, source, tmp_path / "other")
    assert refused.code == 2 and "say where the pictures are" in refused.err


@pytest.mark.parametrize("kind", SOURCES)
def test_annotations_are_prompts_and_come_out_as_they_were(
    run: Path, tmp_path: Path, command: Callable[..., Said], kind: str
) -> None:
    (video,) = tmp_path.glob("*.mp4")
    how = ("--labels", run / SOURCES[kind], "--model", "copy", "--export", f"davis,{kind}")
    said = command("track", video, "--out", tmp_path / "again", *how)
    assert said.code == 0, said.err
    for path in (tmp_path / "again").rglob("*"):
        told = path.relative_to(tmp_path / "again")
        if path.is_file() and told.parts[0] in ("masks", "labels", SOURCES[kind]):
            assert path.read_bytes() == (run / told).read_bytes(), told


def test_prompts_may_stand_beside_annotations(
    run: Path, tmp_path: Path, command: Callable[..., Said]
) -> None:
    (video,) = tmp_path.glob("*.mp4")
    labels = ("--labels", run / "annotations.json", "--model", "copy", "--export", "davis")
    box = ("--box", "2:10,10,30,30")
    said = command("track", video, *box, *labels, "--out", tmp_path / "both")
    assert said.code == 0, said.err
    assert set(np.unique(read_labels(tmp_path / "both/masks/00000.png")[0])) == {0, 1, 2}
    again = command("track", video, "--box", "1:1,1,9,9", *labels, "--out", tmp_path / "twice")
    assert again.code == 2 and "Object 1 is marked twice in frame 0" in again.err
    nothing = command("track", video, "--labels", tmp_path / "no.json", "--out", tmp_path / "x")
    assert nothing.code == 2 and "There is no" in nothing.err
    changed = json.loads((run / "annotations.json").read_text())
    changed["annotations"][0]["segmentations"][3] = None
    (tmp_path / "other.json").write_text(json.dumps(changed))
    resumed = command(
        "track", video, *box, "--labels", tmp_path / "other.json", *labels[2:],
        "--out", tmp_path / "both", "--resume",
    )  # fmt: skip
    assert resumed.code == 2 and "a run of another prompts" in resumed.err
