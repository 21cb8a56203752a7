"""Every finding of check-data, one thing broken at a time in a set that is sound."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from masktrail.data.check import check_data
from masktrail.data.davis import find_sequences
from masktrail.data.rules import NOTE, RULES, SEVERITIES, Finding
from masktrail.errors import InputError
from masktrail.masks import write_labels
from painted_sets import save

FRAMES = 7
WIDTH, HEIGHT = 64, 48


def labels(*ids: int) -> np.ndarray:
    """A label map (H, W) with a square for each id."""
    painted = np.zeros((HEIGHT, WIDTH), np.uint16 if max(ids, default=0) > 255 else np.uint8)
    for place, object_id in enumerate(ids):
        painted[8:24, 4 + 20 * place : 18 + 20 * place] = object_id
    return painted


def foreign_all(root: Path, name: str, ids: tuple[int, ...]) -> None:
    for t in range(FRAMES):
        foreign(labels(*ids), mask(root, name, t))


def foreign(painted: np.ndarray, path: Path) -> None:
    """A palette PNG as other tools write it: 255 is void in it."""
    picture = Image.fromarray(painted.astype(np.uint8))
    picture.putpalette([0, 0, 0, *[9, 99, 199] * 255])
    picture.save(path)


def paint_in(path: Path, colour: tuple[int, int, int]) -> None:
    """A mask whose one object has a colour."""
    save((labels(1)[..., None] * np.array(colour)).astype(np.uint8), path)


def speck() -> np.ndarray:
    """A label map of object 1, and of object 2 in two pixels."""
    painted = labels(1)
    painted[40, 4:6] = 2
    return painted


def lengthen(root: Path, name: str, frames: int) -> None:
    for t in range(FRAMES, frames):
        save(noise(), picture(root, name, t))


def smooth(path: Path) -> None:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    save((255 / (1 + np.exp((np.hypot(x - 32, y - 24) - 12) / 2))).astype(np.uint8), path)


def noise(size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), np.uint8)


def picture(root: Path, name: str, frame: int = 0) -> Path:
    return root / "JPEGImages" / name / f"{frame:05}.jpg"


def mask(root: Path, name: str, frame: int = 0) -> Path:
    return root / "Annotations" / name / f"{frame:05}.png"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two sequences, `bear` and `fox`, of seven frames with objects 1 and 2."""
    for name in ("bear", "fox"):
        for t in range(FRAMES):
            save(noise(), picture(tmp_path, name, t))
            mask(tmp_path, name, t).parent.mkdir(parents=True, exist_ok=True)
            write_labels(mask(tmp_path, name, t), labels(1, 2))
    return tmp_path


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def several(*actions: Callable[[], object]) -> None:
    for action in actions:
        action()


def rename_all(folder: Path, name: Callable[[int, str], str]) -> None:
    for t, path in enumerate(sorted(folder.iterdir())):
        path.rename(folder / name(t, path.suffix))


def keep_masks(root: Path, name: str, *frames: int) -> None:
    for t in set(range(FRAMES)) - set(frames):
        mask(root, name, t).unlink()


def rename_sequence(root: Path, old: str, new: str) -> None:
    for kind in ("JPEGImages", "Annotations"):
        (root / kind / old).rename(root / kind / new)


def mark_all(root: Path, name: str, *ids: int, first: int = 0) -> None:
    for t in range(first, FRAMES):
        write_labels(mask(root, name, t), labels(*ids))


CASES: dict[str, tuple[Callable[[Path], object], str, int, tuple[str, ...]]] = {
    "a picture cut off": (lambda r: cut(picture(r, "fox", 3)), "picture", 1, ("fox/00003.jpg",)),
    "an empty file": (
        lambda r: picture(r, "fox", 3).write_bytes(b""),
        "picture",
        1,
        ("fox/00003.jpg",),
    ),
    "text for a picture": (
        lambda r: picture(r, "fox", 3).write_text("<html>not found</html>"),
        "picture",
        1,
        ("fox/00003.jpg",),
    ),
    "a PNG cut off": (
        lambda r: several(
            lambda: save(noise(), picture(r, "fox", 3).with_suffix(".png")),
            lambda: cut(picture(r, "fox", 3).with_suffix(".png")),
            lambda: picture(r, "fox", 3).unlink(),
        ),
        "picture",
        1,
        ("fox/00003.png",),
    ),
    "masks cut off": (
        lambda r: [cut(mask(r, "bear", t)) for t in (1, 2, 3)],
        "mask",
        3,
        ("bear/00001.png", "bear/00002.png"),
    ),
    "text for a mask": (
        lambda r: mask(r, "fox", 2).write_text("<html>"),
        "mask",
        1,
        ("fox/00002.png",),
    ),
    "an anti-aliased mask": (lambda r: smooth(mask(r, "fox", 1)), "smooth", 1, ("fox/00001.png",)),
    "a photograph for a mask": (
        lambda r: save(noise(), mask(r, "fox", 1)),
        "smooth",
        1,
        ("fox/00001.png",),
    ),
    "a mask of another size": (
        lambda r: write_labels(mask(r, "fox", 1), labels(1, 2)[:-1]),
        "size",
        1,
        ("fox/00001.png",),
    ),
    "two pictures of one name": (
        lambda r: save(noise(), picture(r, "fox", 3).with_suffix(".png")),
        "double",
        1,
        ("fox/00003",),
    ),
    "a mask without picture": (
        lambda r: picture(r, "fox", 6).unlink(),
        "stray",
        1,
        ("fox/00006.png",),
    ),
    "masks named otherwise": (
        lambda r: rename_all(r / "Annotations" / "fox", lambda t, suffix: f"{t}{suffix}"),
        "stray",
        7,
        ("fox/0.png", "fox/1.png"),
    ),
    "masks of a folder without pictures": (
        lambda r: shutil.rmtree(r / "JPEGImages" / "fox"),
        "stray",
        7,
        ("fox/00000.png", "fox/00001.png"),
    ),
    "an id of 16 bits": (
        lambda r: mark_all(r, "fox", 1, 2, 300),
        "ids",
        7,
        ("fox/00000.png", "fox/00001.png"),
    ),
    "no masks": (
        lambda r: [keep_masks(r, name) for name in ("bear", "fox")],
        "no masks",
        2,
        ("bear", "fox"),
    ),
    "no masks of one": (lambda r: keep_masks(r, "fox"), "unmarked", 1, ("fox",)),
    "no folder of masks": (
        lambda r: shutil.rmtree(r / "Annotations" / "fox"),
        "unmarked",
        1,
        ("fox",),
    ),
    "an empty folder": (lambda r: (r / "JPEGImages" / "owl").mkdir(), "bare", 1, ("owl",)),
    "a single picture": (
        lambda r: [
            path.unlink()
            for t in range(1, FRAMES)
            for path in (picture(r, "fox", t), mask(r, "fox", t))
        ],
        "short",
        1,
        ("fox",),
    ),
    "a first mask alone": (lambda r: keep_masks(r, "fox", 0), "prompt", 1, ("fox",)),
    "frames without a mask": (
        lambda r: keep_masks(r, "fox", 0, 1, 4, 6),
        "holes",
        3,
        ("fox/00002", "fox/00003"),
    ),
    "an object gone at once": (
        lambda r: write_labels(mask(r, "fox"), labels(1, 2, 7)),
        "gone",
        1,
        ("fox id 7",),
    ),
    "colours": (
        lambda r: [paint_in(mask(r, "fox", t), (9, 99, 199)) for t in range(FRAMES)],
        "colours",
        1,
        ("fox",),
    ),
    "other colours in every mask": (
        lambda r: several(
            lambda: lengthen(r, "fox", 40),
            lambda: [paint_in(mask(r, "fox", t), (9, 99, 3 * t)) for t in range(40)],
        ),
        "hues",
        1,
        ("fox",),
    ),
    "a tiny object": (
        lambda r: [write_labels(mask(r, "fox", t), speck()) for t in range(FRAMES)],
        "specks",
        1,
        ("fox id 2",),
    ),
    "every second frame": (lambda r: keep_masks(r, "fox", 0, 2, 4, 6), "sparse", 1, ("fox",)),
    "every fifth frame": (lambda r: keep_masks(r, "fox", 1, 6), "sparse", 1, ("fox",)),
    "an object that comes later": (
        lambda r: mark_all(r, "fox", 1, 2, 9, first=3),
        "late",
        1,
        ("fox id 9",),
    ),
    "a mask with nothing in it": (
        lambda r: write_labels(mask(r, "fox", 5), labels()),
        "blank",
        1,
        ("fox/00005.png",),
    ),
    "void": (
        lambda r: foreign(labels(1, 2, 255), mask(r, "fox", 5)),
        "void",
        1,
        ("fox/00005.png",),
    ),
    "a suffix in capitals": (
        lambda r: picture(r, "fox", 5).rename(picture(r, "fox", 5).with_suffix(".JPG")),
        "capitals",
        1,
        ("fox/00005.JPG",),
    ),
    "a space": (lambda r: rename_sequence(r, "fox", "red fox"), "spaces", 1, ("red fox",)),
    "a held-out name": (lambda r: rename_sequence(r, "fox", "dog"), "held out", 1, ("dog",)),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_broken_is_found_and_nothing_else(root: Path, case: str) -> None:
    breaks, key, count, examples = CASES[case]
    breaks(root)
    found = [finding for finding in check_data(root) if finding.advice]
    severity, what, advice = RULES[key]
    assert found == [Finding(severity, count, what, examples, advice)]


def test_all_rules_are_tried() -> None:
    together = {"sizes", "suffix", "empty", "two", "alone", "unnumbered", "pages"}  # below
    assert {key for _, key, _, _ in CASES.values()} | together == set(RULES)


def keys(root: Path) -> dict[str, int]:
    """What was found, by key of the rules."""
    by_text = {rule[1:]: key for key, rule in RULES.items()}
    found = [finding for finding in check_data(root) if finding.advice]
    return {by_text[finding.what, finding.advice]: finding.count for finding in found}


def test_a_sequence_that_changes_size(root: Path) -> None:
    save(noise((32, 48)), picture(root, "fox", 4))
    assert keys(root) == {"size": 1, "sizes": 1}


def test_masks_that_are_not_read(root: Path) -> None:
    mask(root, "fox", 4).rename(mask(root, "fox", 4).with_suffix(".jpg"))
    assert keys(root) == {"suffix": 1, "holes": 1}


def test_masks_may_be_named_in_capitals(root: Path) -> None:
    mask(root, "fox", 4).rename(mask(root, "fox", 4).with_suffix(".PNG"))
    assert keys(root) == {}


def test_numbers_need_no_zeros_before_them(root: Path) -> None:
    for kind in ("JPEGImages", "Annotations"):
        rename_all(root / kind / "fox", lambda t, suffix: f"im{t + 5}{suffix}")
    assert keys(root) == {}
    (fox,) = find_sequences(root, ["fox"])
    assert [path.stem for path in fox.frames] == [f"im{t + 5}" for t in range(FRAMES)]
    assert [path and path.stem for path in fox.annotations] == [path.stem for path in fox.frames]


def test_colours_beside_our_own_masks_are_other_objects(root: Path) -> None:
    paint_in(mask(root, "fox", 4), (9, 99, 199))
    assert keys(root) == {"colours": 1, "late": 1}
    assert find_sequences(root, ["fox"])[0].ids == (1, 2, 3)
    paint_in(mask(root, "fox", 4), (0, 128, 0))  # DAVIS' colour of 2
    assert find_sequences(root, ["fox"])[0].ids == (1, 2)


def test_pngs_of_one_name_in_small_letters_and_capitals(root: Path) -> None:
    mask(root, "fox", 4).with_suffix(".PNG").write_bytes(mask(root, "fox", 3).read_bytes())
    assert keys(root) == {"suffix": 1}


def test_void_that_stands_alone_is_told_of(root: Path) -> None:
    foreign_all(root, "fox", (1, 2, 255))
    foreign(labels(255), mask(root, "fox", 5))
    assert keys(root) == {"void": FRAMES - 1, "alone": 1, "blank": 1}


def test_a_cover_is_no_frame(root: Path) -> None:
    lengthen(root, "fox", 12)
    keep_masks(root, "fox", 0)
    save(noise(), picture(root, "fox").with_stem("cover"))
    assert keys(root) == {"unnumbered": 1, "prompt": 1}
    assert len(find_sequences(root, ["fox"])[0]) == 12


def test_a_picture_of_several_pages_is_no_frame(root: Path) -> None:
    path = picture(root, "fox", 2)
    with Image.open(path) as page:
        page.save(path.with_suffix(".tif"), save_all=True, append_images=[page.copy()])
    path.unlink()
    assert keys(root) == {"pages": 1}


def test_masks_that_are_all_empty(root: Path) -> None:
    mark_all(root, "fox")
    assert keys(root) == {"empty": 1, "blank": FRAMES}


def test_black_and_white_masks(root: Path) -> None:
    for t in range(FRAMES):
        save(labels(255), mask(root, "fox", t))
    Image.fromarray(labels(255) > 0).save(mask(root, "fox", 3))
    foreign(labels(255), mask(root, "fox", 4))
    assert keys(root) == {"two": FRAMES}


def test_a_sound_set_is_described(root: Path) -> None:
    calls: list[tuple[int, int]] = []
    found = check_data(root, lambda *how: calls.append(how))
    what = "sequences: 14 pictures of 64x48, 14 masks, 4 objects"
    assert found == [Finding(NOTE, 2, what, (), "")]
    assert calls == [(14, 28), (28, 28)]


def test_other_files_are_nobodys_business(root: Path) -> None:
    for folder in (root / "JPEGImages" / "fox", root / "Annotations" / "fox"):
        (folder / ".DS_Store").write_bytes(b"x")
        (folder / "._00000.png").write_bytes(b"x")
        (folder / "notes.txt").write_text("x")
    (root / "JPEGImages" / ".hidden").mkdir()
    (root / "JPEGImages" / "list.txt").write_text("x")
    assert keys(root) == {}


def test_pictures_with_bytes_after_their_end_are_whole(root: Path) -> None:
    path = picture(root, "fox", 3)
    path.write_bytes(path.read_bytes() + b"\0" * 500)
    assert keys(root) == {}


def test_the_worst_comes_first(root: Path) -> None:
    rename_sequence(root, "fox", "dog")
    keep_masks(root, "dog", 0)
    cut(picture(root, "bear", 3))
    (root / "JPEGImages" / "owl").mkdir()
    found = [finding.severity for finding in check_data(root)]
    assert found == ["error", "warning", "warning", "note", "note"]
    assert found == sorted(found, key=SEVERITIES.index)


def test_a_damaged_mask_hides_no_other(root: Path) -> None:
    cut(mask(root, "fox", 0))
    write_labels(mask(root, "fox", 1), labels(1, 2, 5))
    assert keys(root) == {"mask": 1, "gone": 1}


@pytest.mark.parametrize("level", ["480p", "Full-Resolution"])
def test_every_layout_is_read(root: Path, tmp_path: Path, level: str) -> None:
    for kind in ("JPEGImages", "Annotations"):
        (root / kind).rename(root / "held")
        (root / kind).mkdir()
        (root / "held").rename(root / kind / level)
    assert check_data(root)[0].count == 2
    inside = tmp_path / "train"
    inside.mkdir()
    for kind in ("JPEGImages", "Annotations"):
        (root / kind).rename(inside / kind)
    assert check_data(tmp_path)[0].count == 2


def test_other_layouts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no JPEGImages and Annotations folders"):
        check_data(tmp_path)
    for kind in ("JPEGImages", "Annotations"):
        (tmp_path / kind).mkdir()
    with pytest.raises(InputError, match="have no folders in them"):
        check_data(tmp_path)
