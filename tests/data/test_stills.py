"""Folders of photographs with masks."""

from pathlib import Path

import pytest

from masktrail.data.stills import find_stills, list_stills
from masktrail.errors import InputError
from painted_sets import paint_stills


def test_finds_pairs_below_the_root_by_name(tmp_path: Path) -> None:
    paint_stills(tmp_path, count=3)
    paint_stills(tmp_path / "deeper", count=2)
    found = find_stills(tmp_path)
    assert [still.name for still in found] == [
        "deeper-set/0", "deeper-set/1", "set/0", "set/1", "set/2",
    ]  # fmt: skip
    assert all(len(still) == 1 and still.ids == (1,) for still in found)


def test_one_set_may_be_the_root_itself(tmp_path: Path) -> None:
    paint_stills(tmp_path, count=2)
    assert [still.name for still in find_stills(tmp_path / "set")] == ["set/0", "set/1"]


def test_skips_what_has_no_mask_is_hidden_or_no_picture(tmp_path: Path) -> None:
    paint_stills(tmp_path, count=4)
    (tmp_path / "set" / "Masks" / "2.png").unlink()
    (tmp_path / "set" / "Images" / "1.txt").write_text("no picture")
    for kind in ("Images", "Masks"):
        (tmp_path / "set" / kind / "._0.png").write_bytes(b"no picture")
    assert [still.name for still in find_stills(tmp_path)] == ["set/0", "set/1", "set/3"]


def test_nothing_found_is_refused(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match="no images and masks folders"):
            find_stills(root)


def test_names_of_folders_and_masks_may_differ(tmp_path: Path) -> None:
    paint_stills(tmp_path, count=12)
    root = tmp_path / "set"
    (root / "Images").rename(root / "images")
    (root / "Masks").rename(root / "MASKS")
    for k, ending in enumerate(("_mask", "-Mask", "_gt", "_masks", ".label")):
        (root / "MASKS" / f"{k}.png").rename(root / "MASKS" / f"{k}{ending}.PNG")
    for kind in ("images", "MASKS"):
        (root / kind / "inner").mkdir()
        for path in (root / kind).glob("11*"):
            path.rename(root / kind / "inner" / path.name)
    found = find_stills(root)
    assert [still.name for still in found] == [f"set/{k}" for k in ("inner/11", *range(11))]
    assert all(still.ids == (1,) for still in found)


def test_what_lacks_the_other_is_listed(tmp_path: Path) -> None:
    paint_stills(tmp_path, count=4)
    images, masks = tmp_path / "set" / "Images", tmp_path / "set" / "Masks"
    (masks / "0.png").unlink()
    next(images.glob("1.*")).unlink()
    (masks / "2_mask.png").write_bytes((masks / "2.png").read_bytes())
    (masks / "3.jpg").write_bytes(b"no mask")
    without, stray, twice, odd = list_stills(tmp_path)
    assert without.annotations == (None,) and len(without) == 1
    assert not stray.frames and [path.name for path in stray.strays] == ["1.png"]
    assert [path and path.name for path in twice.annotations] == ["2.png"]
    assert [path.name for path in (*twice.unread, *odd.unread)] == ["2_mask.png", "3.jpg"]
