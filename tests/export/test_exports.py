"""Writers: pictures, table, overlay video; names that do not exist; what an abort leaves."""

import csv
import errno
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from masktrail.errors import InputError
from masktrail.export import WRITERS, make_writers
from masktrail.masks import areas, read_labels
from masktrail.results import ObjectResult, Result, described
from masktrail.types import Frame, VideoInfo

INFO = VideoInfo("none.mp4", 96, 64, Fraction(25), Fraction(1, 25), start=3)


def results(clip) -> list[tuple[Frame, Result]]:
    """The painted clip from frame 3 on, its label maps as results, object 9 lost throughout."""
    pairs = []
    for index, (image, labels) in enumerate(zip(clip.images, clip.labels, strict=True), start=3):
        objects = {9: ObjectResult(0.0, 0, None, "lost")}
        for i in areas(labels):
            objects[i] = described(labels == i, 0.875, turned=False)
        pairs.append((Frame(image, index, index, Fraction(1, 25)), Result(labels, objects)))
    return pairs


def write(name: str, out: Path, pairs: list[tuple[Frame, Result]], end: str = "close") -> None:
    (writer,) = make_writers(name, out)
    writer.open(INFO)
    for frame, result in pairs:
        writer.write(frame, result)
    getattr(writer, end)()


def test_pictures_are_named_by_frame_and_read_back(tmp_path, clip):
    write("davis", tmp_path, results(clip))
    names = sorted(path.name for path in (tmp_path / "masks").iterdir())
    assert names == [f"{i:05d}.png" for i in range(3, 15)]
    for name, labels in zip(names, clip.labels, strict=True):
        np.testing.assert_array_equal(read_labels(tmp_path / "masks" / name)[0], labels)


def test_ids_above_255_make_sixteen_bit_pictures(tmp_path, clip):
    frame, result = results(clip)[0]
    labels = result.labels.astype(np.uint16) * 300
    write("davis", tmp_path, [(frame, Result(labels))])
    with Image.open(tmp_path / "masks/00003.png") as picture:
        assert picture.mode == "I;16"
    np.testing.assert_array_equal(read_labels(tmp_path / "masks/00003.png")[0], labels)


def test_table_has_a_row_per_frame_and_object(tmp_path, clip):
    pairs = results(clip)
    write("csv", tmp_path, pairs)
    with (tmp_path / "objects.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(r["frame"]), int(r["id"])) for r in rows] == [
        (frame.index, i) for frame, result in pairs for i in sorted(result.objects)
    ]
    first = pairs[0][1].objects[1]
    assert rows[0] | {"score": "0.8750", "time": "0.120000", "state": "present"} == rows[0]
    assert tuple(int(rows[0][c]) for c in ("x0", "y0", "x1", "y1")) == first.box
    assert int(rows[0]["area"]) == first.area
    middle = np.argwhere(pairs[0][1].labels == 1).mean(0)[::-1] + 0.5
    assert [float(rows[0][c]) for c in "xy"] == pytest.approx(middle, abs=0.0051)
    lost = [r for r in rows if r["id"] == "9"]
    assert all(r["state"] == "lost" and r["x0"] == r["y1"] == r["x"] == r["y"] == "" for r in lost)


def test_table_without_frames_is_a_header(tmp_path):
    write("csv", tmp_path, [])
    header = "frame,time,id,score,area,x0,y0,x1,y1,state,x,y\n"
    assert (tmp_path / "objects.csv").read_text() == header


def test_overlay_tints_objects_and_nothing_else(tmp_path, clip):
    write("overlay", tmp_path, results(clip))
    with av.open(str(tmp_path / "overlay.mp4")) as container:
        decoded = [f.to_ndarray(format="rgb24").astype(int) for f in container.decode(video=0)]
    assert len(decoded) == 12
    change = np.abs(decoded[0] - clip.images[0]).mean(axis=-1)
    assert change[clip.labels[0] == 0].mean() < 5 < 20 < change[clip.labels[0] > 0].mean()


@pytest.mark.parametrize("name", ["csv", "overlay"])
def test_nothing_has_its_final_name_before_close(tmp_path, clip, name):
    write(name, tmp_path, results(clip), end="abort")
    assert not list(tmp_path.rglob("*.*"))
    (writer,) = make_writers(name, tmp_path)
    writer.close()  # never opened: nothing to complete
    writer.abort()
    writer.open(INFO)
    writer.write(*results(clip)[0])
    assert not (tmp_path / "objects.csv").exists() and not (tmp_path / "overlay.mp4").exists()
    writer.close()
    assert len([path for path in tmp_path.iterdir() if not path.name.startswith(".")]) == 1


def test_full_disk_is_said_and_drops_the_table(tmp_path, clip, monkeypatch):
    (writer,) = make_writers("csv", tmp_path)
    writer.open(INFO)

    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match="disk is full"):
        writer.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["davis", "csv"])
def test_a_file_in_place_of_the_folder_is_said(tmp_path, name):
    (tmp_path / "out").write_text("")
    (writer,) = make_writers(name, tmp_path / "out")
    with pytest.raises(InputError, match="could not be written"):
        writer.open(INFO)


def test_writers_by_name(tmp_path):
    assert [type(w) for w in make_writers(" csv,davis ,CSV", tmp_path)] == [
        WRITERS["csv"],
        WRITERS["davis"],
    ]
    for names in ("pdf", "csv,pdf", "", ","):
        with pytest.raises(InputError, match="davis, csv, overlay"):
            make_writers(names, tmp_path)
