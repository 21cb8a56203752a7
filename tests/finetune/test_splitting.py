"""What is learned from and what is measured on."""

from pathlib import Path

import pytest

from masktrail.data.davis import find_sequences
from masktrail.data.sequence import Sequence
from masktrail.errors import InputError
from masktrail.finetune.own_data import own_data_of
from masktrail.finetune.splitting import parts_of, tenth
from own_sets import as_pairs, paint_set
from painted_sets import paint_videos

MASK = Path("mask.png")


def made(*frames: int) -> list[Sequence]:
    """Sequences of so many frames."""
    return [Sequence(f"v{k}", (MASK,) * n, (MASK,) * n) for k, n in enumerate(frames)]


def names(sequences: list[Sequence]) -> list[str]:
    return [sequence.name for sequence in sequences]


@pytest.mark.parametrize(("count", "kept"), [(2, 1), (9, 1), (10, 1), (24, 3), (40, 4)])
def test_a_tenth_is_kept_whatever_the_order(count: int, kept: int) -> None:
    sequences = made(*[5] * count)
    trained, held_out = tenth(sequences)
    assert len(held_out) == kept
    assert sorted(names([*trained, *held_out])) == sorted(names(sequences))
    assert set(names(tenth(sequences[::-1]).held_out)) == set(names(held_out))


def test_of_one_sequence_nothing_is_kept() -> None:
    assert tenth(made(5)) == (made(5), [])


@pytest.mark.parametrize("frames", [(100, 1, 1), (1, 100, 1), (1, 1, 100), (3, 100, 40, 2, 1)])
def test_it_is_a_tenth_of_the_frames_and_not_the_most_of_them(frames: tuple[int, ...]) -> None:
    _, held_out = tenth(made(*frames))
    assert held_out and sum(map(len, held_out)) <= sum(frames) / 2
    many = made(*range(1, 60))
    assert sum(map(len, tenth(many).held_out)) >= 0.1 * sum(range(1, 60))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return paint_videos(tmp_path / "mine", ("a", "b", "c", "d"), frames=3)


def lists(root: Path, folder: str, **parts: str) -> None:
    (root / folder).mkdir(parents=True)
    for part, text in parts.items():
        (root / folder / f"{part}.txt").write_text(text)


def test_lists_of_the_data_set_are_honoured(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    lists(root, "ImageSets/2016", train="d\n", val="a\n")
    lists(root, "ImageSets/2017", train="a\nb\nnowhere\n", val="c\n")
    parts = parts_of(root, find_sequences(root), None)
    assert (names(parts.trained), names(parts.held_out)) == (["a", "b"], ["c"])
    assert "ImageSets/train.txt names what is not there or shows no object: nowhere" in caplog.text
    assert "no list of ImageSets names them, are d" in caplog.text


@pytest.mark.parametrize(
    ("parts", "trained", "held_out"),
    [
        ({"val": "b\n"}, ["a", "c", "d"], ["b"]),
        ({"train": "a\nb\nc\n", "val": "c\n"}, ["a", "b"], ["c"]),
        ({"val": "/JPEGImages/480p/b/00000.jpg /Annotations/480p/b/00000.png\n"}, "acd", ["b"]),
    ],
)
def test_lists_may_name_one_part(
    root: Path, parts: dict[str, str], trained: list[str], held_out: list[str]
) -> None:
    lists(root, "ImageSets", **parts)
    found = parts_of(root, find_sequences(root), None)
    assert (names(found.trained), names(found.held_out)) == (list(trained), held_out)


def test_a_list_of_what_is_learned_leaves_a_tenth_of_it(root: Path) -> None:
    lists(root, "ImageSets", train="a\nb\n", val="nowhere\n")
    found = parts_of(root, find_sequences(root), None)
    assert sorted(names([*found.trained, *found.held_out])) == ["a", "b"]
    assert len(found.held_out) == 1
    (root / "ImageSets/train.txt").write_text("nowhere\n")
    with pytest.raises(InputError, match=r"train\.txt names no sequence that there is"):
        parts_of(root, find_sequences(root), None)


def test_what_is_told_comes_first(root: Path, tmp_path: Path) -> None:
    lists(root, "ImageSets", val="b\n")
    (tmp_path / "val.txt").write_text("c\nd\n\n")
    for val in (["c", "d"], tmp_path / "val.txt"):
        found = parts_of(root, find_sequences(root), val)
        assert (names(found.trained), names(found.held_out)) == (["a", "b"], ["c", "d"])
    for val, words in (
        (["c", "x", "y"], r"has no x, y to measure on that shows an object; it has a, b, c, d\."),
        ([*"abcd"], "none is left to learn"),
        (tmp_path / "none.txt", "cannot be read as a list of names"),
    ):
        with pytest.raises(InputError, match=words):
            parts_of(root, find_sequences(root), val)


def test_sets_and_pictures_can_be_told(tmp_path: Path) -> None:
    for part in ("train", "val"):
        as_pairs(paint_set(tmp_path / "mine" / part))
    own = own_data_of(tmp_path / "mine", ["val"])
    assert {name.split("/")[0] for name in names(own.held_out)} == {"val"}
    assert {name.split("/")[0] for name in names(own.trained)} == {"train"}
    picture = own_data_of(tmp_path / "mine", ["val/ants_00003", "bees_00001"])
    assert names(picture.held_out) == ["train/bees_00001", "val/ants_00003", "val/bees_00001"]


def test_one_alone_is_said(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    own = own_data_of(root)
    assert len(own.held_out) == 1
    assert f"One sequence alone is measured on, {own.held_out[0].name}" in caplog.text


def test_what_is_kept_out_of_training_counts_where_it_is_used(tmp_path: Path) -> None:
    root = paint_videos(tmp_path / "mine", ("a", "b", "dog"), frames=3)
    with pytest.raises(InputError, match="holds dog: DAVIS-2016 sequences"):
        own_data_of(root, ["a"])
    lists(root, "ImageSets", train="a\n", val="b\n")
    assert names(own_data_of(root).trained) == ["a"]
