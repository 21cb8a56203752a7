"""Folders of photographs with masks."""

from pathlib import Path

import pytest

from masktrail.data.stills import find_stills
from masktrail.errors import InputError
from painted_sets import paint_stills


def test_finds_pairs_below_the_root_by_name(tmp_path: Path) -> None:
    paint_stills(tmp_path, count=3)
    paint_stills(tmp_path / "deeper", count=2)
    found = find_stills(tmp_path)
    assert [still.name for still in found] == [f"set/{k}" for k in (0, 1, 0, 1, 2)]
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
        with pytest.raises(InputError, match="no Images and Masks folders"):
            find_stills(root)
