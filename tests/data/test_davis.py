"""Folders of videos: every layout, what is skipped, what is refused."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from masktrail.data.davis import find_level, find_sequences, find_training_sequences
from masktrail.data.held_out import DAVIS2016_VAL, HELD_OUT, TUNING, refuse_held_out
from masktrail.data.prepare import prepare
from masktrail.data.stills import find_stills
from masktrail.errors import InputError
from painted_sets import paint, paint_videos, save

REPOSITORY = Path(__file__).parents[2]


def data_root() -> Path:
    return REPOSITORY / Path(os.environ.get("MASKTRAIL_DATA", "../shared/data"))


def annotate(root: Path, level: str, name: str, frames: dict[int, int]) -> None:
    """Pictures 0 to 5 of a sequence, with masks of `frames` that hold one id each."""
    for t in range(6):
        image, labels = paint([(30, 30, 10)], np.array([[255, 0, 0]], np.uint8))
        save(image, root / "JPEGImages" / level / name / f"{t:05}.jpg")
        if t in frames:
            save(labels * frames[t], root / "Annotations" / level / name / f"{t:05}.png")


@pytest.mark.parametrize("level", ["480p", "1080p", "Full-Resolution", "."])
def test_finds_sequences_at_every_level(tmp_path: Path, level: str) -> None:
    paint_videos(tmp_path, ("b", "a"), frames=3, level=level)
    found = find_sequences(tmp_path)
    assert [sequence.name for sequence in found] == ["a", "b"]
    assert [path.name for path in found[0].frames] == ["00000.png", "00001.png", "00002.png"]
    assert all(path and path.parent.name == "a" for path in found[0].annotations)
    assert found[0].ids == (1, 2)


def test_a_level_can_be_chosen(tmp_path: Path) -> None:
    for level, names in (("1080p", ("a", "b")), ("480p", ("a",))):
        paint_videos(tmp_path, names, frames=2, level=level)
    assert (find_level(tmp_path), find_level(tmp_path, "1080p")) == ("480p", "1080p")
    assert [len(find_sequences(tmp_path, level=level)) for level in (None, "480p", "1080p")] == [
        *(1, 1, 2)
    ]
    (large,) = find_sequences(tmp_path, ["a"], "1080p")
    assert {path.parents[1].name for path in (*large.frames, *large.annotations) if path} == {
        "1080p"
    }


@pytest.mark.parametrize("level", ["Full-Resolution", "720p", ""])
def test_a_level_that_is_not_there_is_refused_with_those_that_are(
    tmp_path: Path, level: str
) -> None:
    paint_videos(tmp_path, ("a",), frames=2, level="1080p")
    with pytest.raises(InputError, match=f"no JPEGImages/{level} .*it has 1080p. Levels are 480p"):
        find_sequences(tmp_path, level=level)


def test_a_level_of_a_set_without_any_is_refused(tmp_path: Path) -> None:
    paint_videos(tmp_path, ("a",), frames=2, level=".")
    with pytest.raises(InputError, match="its sequences lie in no level's folder"):
        find_sequences(tmp_path, level="480p")


def test_davis_2016_masks_of_0_and_255_are_object_1(tmp_path: Path) -> None:
    annotate(tmp_path, "480p", "bear", dict.fromkeys(range(6), 255))
    sequence = find_sequences(tmp_path)[0]
    labels = sequence.truth(0)
    assert labels is not None
    assert np.unique(labels).tolist() == [0, 1]
    assert sequence.ids == (1,)


def test_frames_without_a_mask_are_none(tmp_path: Path) -> None:
    annotate(tmp_path, ".", "youtube", {0: 3, 5: 7})
    sequence = find_sequences(tmp_path)[0]
    assert [path is not None for path in sequence.annotations] == [True, *[False] * 4, True]
    assert len(sequence) == 6
    assert sequence.truth(1) is None
    assert sequence.ids == (3, 7)


def test_hidden_files_and_other_files_are_no_frames(tmp_path: Path) -> None:
    annotate(tmp_path, ".", "a", {0: 1})
    for name in ("._00000.jpg", ".DS_Store", "notes.txt"):
        (tmp_path / "JPEGImages" / "a" / name).write_bytes(b"no picture")
    (tmp_path / "Annotations" / "a" / "._00000.png").write_bytes(b"no picture")
    for kind in ("JPEGImages", "Annotations"):
        (tmp_path / kind / ".hidden").mkdir()
        (tmp_path / kind / "empty").mkdir()
    found = find_sequences(tmp_path)
    assert [sequence.name for sequence in found] == ["a"]
    assert [path.name for path in found[0].frames] == [f"{t:05}.jpg" for t in range(6)]


def test_names_choose_and_order(tmp_path: Path) -> None:
    paint_videos(tmp_path, ("a", "b", "c"), frames=1)
    chosen = find_sequences(tmp_path, (name for name in ("c", "a")))
    assert [sequence.name for sequence in chosen] == ["c", "a"]
    assert find_sequences(tmp_path, []) == []
    with pytest.raises(InputError, match=r"no sequence dog, zebra; it has a, b, c"):
        find_sequences(tmp_path, ["zebra", "a", "dog"])


def test_other_layouts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no JPEGImages and Annotations"):
        find_sequences(tmp_path / "nowhere")
    (tmp_path / "JPEGImages" / "a").mkdir(parents=True)
    (tmp_path / "Annotations" / "b").mkdir(parents=True)
    with pytest.raises(InputError, match="no sequence folder with pictures in common"):
        find_sequences(tmp_path)


def test_held_out_sequences_are_refused_by_name() -> None:
    assert len(DAVIS2016_VAL) == 20
    refuse_held_out(["bear", "coco/dog-and-cat", "camels"], "a pack")
    with pytest.raises(InputError, match=r"^packs/mine holds cows, drift-turn, set/dog: DAVIS-20"):
        refuse_held_out(["bear", "set/dog", "cows", "cows", "drift-turn"], "packs/mine")


@pytest.fixture
def data() -> Path:
    """Where the data sets lie."""
    root = data_root()
    if not root.is_dir():
        pytest.skip(f"needs the data sets under {root}; set MASKTRAIL_DATA")
    return root


@pytest.mark.data
def test_of_the_training_data_what_is_measured_on_is_left_out(data: Path) -> None:
    davis, clips = data / "davis2016-train", data / "clips"
    assert len(TUNING & {sequence.name for sequence in find_sequences(davis)}) == 3
    sequences = [*find_training_sequences(davis), *find_training_sequences(clips)]
    assert len(sequences) == 54
    refuse_held_out((s.name for s in [*sequences, *find_stills(data / "stills")]), data)


@pytest.mark.data
def test_packs_hold_nothing_that_is_measured_on(data: Path, tmp_path: Path) -> None:
    """One made of some of the real training set, and those that lie in this checkout."""
    for sequence in find_sequences(data / "davis2016-train", [*sorted(TUNING), "bear"]):
        for kind, files in (("JPEGImages", sequence.frames), ("Annotations", sequence.annotations)):
            (tmp_path / "set" / kind / sequence.name).mkdir(parents=True)
            for file in files[:3]:
                assert file is not None
                (tmp_path / "set" / kind / sequence.name / file.name).symlink_to(file.resolve())
    prepare("davis", tmp_path / "set", tmp_path / "packs", "48x80")
    assert names_in(tmp_path / "packs" / "index.json") == {"bear"}
    for index in sorted((REPOSITORY / "packs").rglob("index.json")):
        assert not names_in(index) & HELD_OUT, index


def names_in(index: Path) -> set[str]:
    """Of the sequences of a pack."""
    rows = json.loads(index.read_text())["sequences"]
    return {row["name"].rsplit("/", 1)[-1] for row in rows}
