"""Sheets of single-object sequences: of each object its mask, where its track has one."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import draw_objects
from masktrail.data.pack import Pack, open_pack
from masktrail.data.single_object import pack_single_objects
from masktrail.data.split import SplitSettings
from painted_sets import COLOURS, paint, save

SIDE, FRAMES = 64, 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of two discs, the second from frame 2 on."""
    root = tmp_path_factory.mktemp("discs")
    for t in range(FRAMES):
        discs = [(14 + 4 * t, 14, 9), *([(40, 40, 9)] if t > 1 else [])]
        image, labels = paint(discs, COLOURS[: len(discs)])
        save(image, root / "JPEGImages" / "discs" / f"{t:05}.png")
        save(labels, root / "Annotations" / "discs" / f"{t:05}.png")
    pack_single_objects(root, root / "pack", SIDE, SIDE, SplitSettings(held_out=0.0, negatives=0.0))
    return root / "pack" / "train"


def tiles(picture: np.ndarray) -> np.ndarray:
    """Rows and columns of a sheet, (R, C, S, S, 3), without the gaps."""
    rows = picture.reshape(-1, SIDE + draw_objects.GAP, picture.shape[1], 3)[:, :SIDE]
    return rows.reshape(len(rows), SIDE, -1, SIDE, 3).swapaxes(1, 2)


def test_a_row_for_all_objects_and_one_for_each(folder: Path) -> None:
    pack: Pack = open_pack(folder)
    found = tiles(draw_objects.sheet(pack, "discs", FRAMES))
    assert found.shape[:2] == (1 + 2, FRAMES)
    labels = pack.labels.numpy()
    for track, row in zip(pack.tracks, found[1:], strict=True):
        shown = set(track.rows)
        for t, tile in enumerate(row):
            expected = labels[t] == track.id if t in shown else np.ones((SIDE, SIDE), bool)
            assert (tile == 255 * expected[..., None]).all()
    assert (found[0] != pack.images.numpy()).any((1, 2, 3)).all(), "objects are tinted"
    assert (found[2][0] == 255).all() and not (found[2][2] == 255).all()


def test_columns_are_taken_evenly(folder: Path) -> None:
    pack = open_pack(folder)
    found = tiles(draw_objects.sheet(pack, "discs", 2))
    assert (found[1] == 255 * (pack.labels.numpy()[[0, -1], ..., None] == 1)).all()
    assert tiles(draw_objects.sheet(pack, "discs", 9)).shape[1] == FRAMES


def test_the_command_writes_a_picture(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "sheet.jpg"
    monkeypatch.setattr(sys, "argv", ["", str(folder), "discs", str(out)])
    draw_objects.main()
    with Image.open(out) as picture:
        assert (picture.format, picture.width) == ("JPEG", FRAMES * SIDE)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["owl", "sheet.png"], "objects of discs"),
        (["discs", "sheet"], "expected a picture"),
        (["discs", "sheet.png", "--frames", "0"], "1 frame or more"),
        (["discs", "file/sheet.png"], "file"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    monkeypatch.setattr(sys, "argv", ["", str(folder), *arguments])
    with pytest.raises(SystemExit) as stop:
        draw_objects.main()
    assert said in f"{stop.value.code}{capsys.readouterr().err}"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
