"""`masktrail dream`: what it writes, that training can read it, and what it refuses."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from masktrail.data.davis import find_sequences
from masktrail.dreaming import dream
from masktrail.flow.files import read_flow
from masktrail.masks import read_labels, write_labels
from painted_sets import COLOURS, HEIGHT, WIDTH, paint, save
from said import Said

Run = Callable[..., Said]


@pytest.fixture
def painted(tmp_path: Path) -> tuple[Path, Path]:
    """A picture of two discs and its mask, ids 3 and 200."""
    image, labels = paint([(30, 30, 18), (70, 34, 14)], COLOURS)
    save(image, tmp_path / "picture.png")
    ids = np.array([0, 3, 200], np.uint8)[labels]
    write_labels(tmp_path / "mask.png", ids)
    return tmp_path / "picture.png", tmp_path / "mask.png"


def test_dreams_are_a_data_set_and_a_sheet(
    command: Run, painted: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    said = command("dream", *painted, "--count", "3", "--frames", "3", "--out", out)
    assert said.code == 0 and said.err == ""
    assert said.out == f"Dreams: {out}, to be looked at in {out / 'sheet.png'}\n"
    sequences = find_sequences(out)
    assert [s.name for s in sequences] == ["dream-00000", "dream-00001", "dream-00002"]
    assert [len(s) for s in sequences] == [3, 3, 3]
    assert set().union(*(s.ids for s in sequences)) == {3, 200}
    shown = [len(np.unique(sequence.truth(0))) > 1 for sequence in sequences]
    assert any(shown)
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.height == 20 + 3 * 240
    for sequence in sequences:
        flow = out / "Flow" / sequence.name
        names = [path.name for path in sorted(flow.iterdir())]
        assert names == [
            *("00000-forward.flo", "00001-backward.flo"),
            *("00001-forward.flo", "00002-backward.flo"),
        ]
        vectors, valid = read_flow(flow / "00001-backward.flo")
        assert vectors.shape == (HEIGHT, WIDTH, 2) and 0.5 < valid.mean() < 1
        spoilt, _ = read_labels(out / "Previous" / sequence.name / "00001.png")
        assert spoilt.shape == (HEIGHT, WIDTH)
    assert command("check-data", out).code == 0


def test_the_same_seed_dreams_the_same(
    command: Run, painted: tuple[Path, Path], tmp_path: Path
) -> None:
    for out, seed in (("one", "1"), ("again", "1"), ("other", "2")):
        said = command(
            "dream", *painted, "--count", "1", "--seed", seed, "-o", tmp_path / out, "-q"
        )
        assert said == (0, "", "")
    one, again, other = (
        (tmp_path / out / "JPEGImages" / "dream-00000" / "00001.png").read_bytes()
        for out in ("one", "again", "other")
    )
    assert one == again != other


def test_dreams_are_as_large_as_asked_for(
    command: Run, painted: tuple[Path, Path], tmp_path: Path
) -> None:
    command("dream", *painted, "--count", "1", "--size", "30", "-o", tmp_path / "out")
    with Image.open(tmp_path / "out/JPEGImages/dream-00000/00000.png") as frame:
        assert frame.size == (48, 30)


def test_of_a_video_the_first_frame_is_dreamed_of(
    command: Run, painted: tuple[Path, Path], tmp_path: Path
) -> None:
    video = tmp_path / "video"
    for name in ("1.png", "2.png"):
        save(np.zeros((HEIGHT, WIDTH, 3), np.uint8), video / name)
    painted[0].replace(video / "1.png")
    options = "--count", "1", "-q", "--out", tmp_path / "out"
    assert command("dream", video, painted[1], *options) == (0, "", "")
    with Image.open(tmp_path / "out/JPEGImages/dream-00000/00000.png") as frame:
        assert np.asarray(frame).max() > 200


def test_pictures_are_turned_as_they_say(command: Run, tmp_path: Path) -> None:
    image, labels = paint([(30, 30, 18)], COLOURS)
    turned = Image.fromarray(image)
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "picture.jpg", exif=exif)
    write_labels(tmp_path / "mask.png", np.ascontiguousarray(np.rot90(labels, -1)))
    said = command(
        *("dream", tmp_path / "picture.jpg", tmp_path / "mask.png"),
        *("--count", "1", "-o", tmp_path / "out", "-q"),
    )
    assert said == (0, "", "")
    with Image.open(tmp_path / "out/JPEGImages/dream-00000/00000.png") as frame:
        assert frame.size == (HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing.png", "mask.png"], "There is no picture file nothing.png."),
        (["picture.png", "nothing.png"], "There is no mask file nothing.png."),
        (["text.png", "mask.png"], "it is not a picture"),
        (["nothing.mp4", "mask.png"], "nothing.mp4"),
        (["picture.png", "small.png"], "small.png is 4x4 but picture.png is 96x60"),
        (["picture.png", "mask.png", "--count", "0"], "--count 0 is not possible; use 1 or more."),
        (
            ["picture.png", "mask.png", "--frames", "1"],
            "--frames 1 is not possible; use 2 or more.",
        ),
        (["picture.png", "mask.png", "--size", "8"], "--size 8 is not possible; use 16 or more."),
        (["picture.png", "mask.png", "--frames", "999"], "use 100 or less."),
        (["picture.png", "mask.png", "--seed", "-1"], "--seed -1 is not possible; use 0 or more."),
        (["picture.png", "mask.png", "--seed", f"{2**64}"], f"use {2**63 - 1} or less."),
        (["picture.png", "mask.png", "-o", "full"], "full is there already; choose a folder that"),
        (["picture.png", "mask.png", "-o", "text.png"], "text.png is there already"),
    ],
)
def test_what_cannot_be_dreamed_of_is_one_sentence(
    command: Run,
    painted: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.png").write_text("no picture")
    save(np.ones((4, 4), np.uint8), tmp_path / "small.png")
    save(np.ones((4, 4), np.uint8), tmp_path / "full" / "mine.png")
    before = sorted(tmp_path.rglob("*"))
    out = [] if "-o" in arguments else ["-o", "out"]
    said = command("dream", *arguments, *out)
    assert said.code == 2 and said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith("Error: ") and told in line
    assert sorted(tmp_path.rglob("*")) == before


def test_what_fails_on_the_way_leaves_nothing(painted: tuple[Path, Path], tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dream(*painted, 3, tmp_path / "out", progress=stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mask.png", "picture.png"]
    (tmp_path / "out").mkdir()
    dream(*painted, 1, tmp_path / "out")
    assert (tmp_path / "out" / "sheet.png").is_file(), "an empty folder may be there"


def test_objects_that_are_too_small_are_named(
    command: Run, painted: tuple[Path, Path], tmp_path: Path
) -> None:
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[20:40, 20:40], labels[3, 3] = 1, 7
    write_labels(tmp_path / "mask.png", labels)
    said = command("dream", *painted, "--count", "1", "--size", "16", "-o", tmp_path / "out")
    assert said.code == 0 and "left out: objects [7]" in said.err


def test_a_picture_of_a_line_has_a_sheet(command: Run, tmp_path: Path) -> None:
    save(np.zeros((400, 1, 3), np.uint8), tmp_path / "picture.png")
    write_labels(tmp_path / "mask.png", np.ones((400, 1), np.uint8))
    files = tmp_path / "picture.png", tmp_path / "mask.png"
    assert command("dream", *files, "--count", "1", "-o", tmp_path / "out").code == 0
