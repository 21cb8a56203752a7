"""Packs: what goes in comes out, and only whole ones are opened."""

import json
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from masktrail.data.davis import find_sequences
from masktrail.data.pack import open_pack
from masktrail.data.packing import write_pack
from masktrail.data.sequence import Sequence
from masktrail.data.stills import find_stills
from masktrail.errors import InputError
from masktrail.masks import write_labels
from painted_sets import HEIGHT, WIDTH, pack_videos, paint, paint_stills, paint_videos, save


def test_round_trip_without_resizing_is_exact(tmp_path: Path) -> None:
    videos = find_sequences(paint_videos(tmp_path / "set", frames=4))
    calls: list[tuple[int, int]] = []
    write_pack(videos, tmp_path / "pack", HEIGHT, WIDTH, lambda *how: calls.append(how))
    pack = open_pack(tmp_path / "pack")
    assert pack.images.shape == (8, HEIGHT, WIDTH, 3)
    assert calls == [(done, 8) for done in range(1, 9)]
    for row, (video, index) in enumerate((v, i) for v in videos for i in range(4)):
        truth = video.truth(index)
        assert truth is not None
        assert np.array_equal(pack.images[row], np.asarray(Image.open(video.frames[index])))
        assert np.array_equal(pack.labels[row], truth)


def test_sequences_know_rows_ids_and_aspect(tmp_path: Path) -> None:
    videos = find_sequences(paint_videos(tmp_path / "set", frames=4))
    write_pack([*videos, *videos[:1]], tmp_path / "pack", 32, 32)
    sequences = open_pack(tmp_path / "pack").sequences
    assert [(s.name, s.start, s.count) for s in sequences] == [
        ("left", 0, 4),
        ("right", 4, 4),
        ("left", 8, 4),
    ]
    assert all(s.aspect == WIDTH / HEIGHT and s.ids == (1, 2) for s in sequences)


def test_objects_list_boxes_as_shares_of_the_canvas(tmp_path: Path) -> None:
    labels = np.zeros((40, 80), np.uint8)
    labels[10:20, 8:40] = 3
    labels[30:40, 60:80] = 200
    save(np.zeros((40, 80, 3), np.uint8), tmp_path / "JPEGImages" / "a" / "0.png")
    (tmp_path / "Annotations" / "a").mkdir(parents=True)
    write_labels(tmp_path / "Annotations" / "a" / "0.png", labels)
    write_pack(find_sequences(tmp_path), tmp_path / "pack", 40, 80)
    pack = open_pack(tmp_path / "pack")
    first, second = pack.objects[0]
    assert astuple(first) == pytest.approx((3, 0.3, 0.375, 0.4, 0.25, 320 / 3200))
    assert astuple(second) == pytest.approx((200, 0.875, 0.875, 0.25, 0.25, 200 / 3200))
    assert pack.sequences[0].ids == (3, 200)


def test_frames_without_a_mask_are_left_out_and_void_is_background(tmp_path: Path) -> None:
    paint_videos(tmp_path, ("a",), frames=3, level=".")
    (tmp_path / "Annotations" / "a" / "00001.png").unlink()
    labels = np.asarray(Image.open(tmp_path / "Annotations" / "a" / "00000.png")).copy()
    labels[0, 0] = 255
    save(labels, tmp_path / "Annotations" / "a" / "00000.png")
    write_pack(find_sequences(tmp_path), tmp_path / "pack", HEIGHT, WIDTH)
    pack = open_pack(tmp_path / "pack")
    assert pack.sequences[0].count == len(pack.labels) == 2
    assert pack.labels[0].unique().tolist() == [0, 1, 2]


def test_the_folder_appears_only_when_complete(tmp_path: Path) -> None:
    stills = find_stills(paint_stills(tmp_path / "set", count=3))
    stills[2].frames[0].write_bytes(b"damaged")
    with pytest.raises(InputError, match=r"2\.png cannot be read as a picture"):
        write_pack(stills, tmp_path / "pack", 32, 32)
    assert not (tmp_path / "pack").exists()
    write_pack(stills[:2], tmp_path / "pack", 32, 32)
    assert len(open_pack(tmp_path / "pack").images) == 2
    with pytest.raises(InputError):
        write_pack(stills, tmp_path / "pack", 32, 32)
    assert len(open_pack(tmp_path / "pack").images) == 2, "the old pack stays until there is a new"
    write_pack(stills[:1], tmp_path / "pack", 32, 32)
    assert len(open_pack(tmp_path / "pack").images) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["pack", "set"]


def test_masks_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    stills = find_stills(paint_stills(tmp_path, count=1))
    save(paint([(5, 5, 3)], np.array([[9, 9, 9]], np.uint8), (30, 20))[0], stills[0].frames[0])
    with pytest.raises(InputError, match="is 30x20 and its mask 96x60"):
        write_pack(stills, tmp_path / "pack", 32, 32)


def test_a_set_without_masks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="None of the 1 sequences"):
        write_pack([Sequence("a", (Path("a.jpg"),), (None,))], tmp_path / "pack", 8, 8)
    assert not (tmp_path / "pack").exists()


def test_what_is_no_whole_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not a complete packed data set .*masktrail prepare"):
        open_pack(tmp_path / "nowhere")
    for name in ("images.npy", "labels.npy", "index.json"):
        folder = pack_videos(tmp_path / name, frames=2)
        open_pack(folder)
        whole = (folder / name).read_bytes()
        for part in (whole[: len(whole) // 2], b""):
            (folder / name).write_bytes(part)
            with pytest.raises(InputError, match="not a complete packed data set"):
                open_pack(folder)
        (folder / name).unlink()
        with pytest.raises(InputError, match="not a complete packed data set"):
            open_pack(folder)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda index: index["objects"].pop(), "5 of 6 frames have objects listed"),
        (lambda index: index["objects"][0][0].pop(), "lists are not those of a pack"),
        (lambda index: index["objects"][0][0].__setitem__(0, None), "ids are none"),
        (lambda index: index["objects"][0][0].__setitem__(0, 2**70), "ids are none"),
        (lambda index: index["sequences"][0].update(ids=["x"]), "ids are none"),
        (lambda index: index["objects"][0][0].__setitem__(1, 7.0), "objects lie beyond"),
        (lambda index: index["objects"][0][0].__setitem__(1, None), "objects lie beyond"),
        (lambda index: index["sequences"][0].update(count=99), "do not make up its 6 frames"),
        (lambda index: index["sequences"][0].update(count=6.0), "do not make up its 6 frames"),
        (lambda index: index["sequences"][0].update(start=1), "do not make up its 6 frames"),
        (lambda index: index["sequences"].clear(), "do not make up its 6 frames"),
        (lambda index: index["sequences"][0].update(aspect=0), "sequences of no aspect ratio"),
        (lambda index: index["sequences"][0].update(aspect=1e300), "sequences of no aspect ratio"),
        (lambda index: index["sequences"][0].pop("ids"), "lists are not those of a pack"),
        (lambda index: index.pop("sequences"), "lists are not"),
    ],
)
def test_a_pack_whose_index_is_not_of_it_is_refused(tmp_path: Path, harm: Any, said: str) -> None:
    path = pack_videos(tmp_path, ("a",), frames=6) / "index.json"
    index = json.loads(path.read_text())
    harm(index)
    path.write_text(json.dumps(index))
    with pytest.raises(InputError, match=f"not a complete packed data set .*{said}"):
        open_pack(path.parent)


def test_pictures_and_masks_of_a_pack_are_of_one_size(tmp_path: Path) -> None:
    folder, other = pack_videos(tmp_path / "a", frames=2), pack_videos(tmp_path / "b", frames=3)
    (folder / "labels.npy").write_bytes((other / "labels.npy").read_bytes())
    with pytest.raises(InputError, match="pictures and masks are not of one size"):
        open_pack(folder)
    np.save(folder / "images.npy", np.uint8(0))
    with pytest.raises(InputError, match="not a complete packed data set"):
        open_pack(folder)
    header = b"\x93NUMPY\x01\x00v\x00{'descr': '|u1', 'shape': ("
    (folder / "labels.npy").write_bytes(header.ljust(200))
    with pytest.raises(InputError, match="not a complete packed data set"):
        open_pack(folder)


def test_reading_never_writes_to_the_files(tmp_path: Path) -> None:
    folder = pack_videos(tmp_path, frames=2)
    before = (folder / "images.npy").read_bytes()
    pack = open_pack(folder)
    pack.images.zero_()
    assert (folder / "images.npy").read_bytes() == before


def test_to_moves_pictures_and_labels(tmp_path: Path) -> None:
    pack = open_pack(pack_videos(tmp_path, frames=2))
    moved = pack.to(torch.device("meta"))
    assert moved.images.device.type == moved.labels.device.type == "meta"
    assert moved.objects is pack.objects
