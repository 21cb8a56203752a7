"""J and F of label maps in memory: those of the same maps as files; what is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import masktrail
from masktrail.errors import InputError
from masktrail.evaluate.folders import measure_folder
from masktrail.masks import write_labels

SIZE = (48, 64)


def scene(seed: int, late: int = 3, gone: int = 5, frames: int = 9) -> np.ndarray:
    """Label maps (T, H, W) of squares that shake: 1 throughout, 2 until it is gone, 300 late."""
    rng = np.random.default_rng(seed)
    maps = np.zeros((frames, *SIZE), np.uint16)
    for t, labels in enumerate(maps):
        for object_id, x in ((1, 4), (2, 24), (300, 44)):
            there = {2: t < gone, 300: t >= late}.get(object_id, True)
            dx, dy = rng.integers(0, 6, 2)
            if there:
                labels[10 + dy : 30 + dy, x + dx : x + 14 + dx] = object_id
    return maps


def written(root: Path, truth: np.ndarray, mine: np.ndarray) -> tuple[Path, Path]:
    """The same as folders: of masks to judge, and of a data set."""
    images, masks = root / "data/JPEGImages/clip", root / "data/Annotations/clip"
    judged = root / "mine/clip"
    for folder in (images, masks, judged):
        folder.mkdir(parents=True)
    for t in range(len(truth)):
        Image.new("RGB", SIZE[::-1]).save(images / f"{t:05d}.jpg")
        write_labels(masks / f"{t:05d}.png", truth[t])
        write_labels(judged / f"{t:05d}.png", mine[t])
    return root / "mine", root / "data"


def check_equal(found: masktrail.Scores, figures: dict) -> None:
    assert (found.j, found.f) == (figures["J"]["mean"], figures["F"]["mean"])
    assert found.jf == figures["J&F"]
    objects = figures["sequences"]["clip"]
    assert {str(i): (o.j, o.f) for i, o in found.objects.items()} == {
        i: (entry["J"]["mean"], entry["F"]["mean"]) for i, entry in objects.items()
    }


@pytest.mark.parametrize("gone", [2, 5])
def test_they_are_those_of_the_same_maps_as_files(tmp_path, gone):
    """An object that vanishes, also in other frames of the one than of the other; one that is
    late, before it is there and after."""
    truth, mine = scene(1), scene(2, late=2, gone=gone)
    mine[4:, :, 44:] = 0  # object 300 is lost
    figures = measure_folder(*written(tmp_path, truth, mine))
    found = masktrail.jf(truth, mine)
    check_equal(found, figures)
    assert sorted(found.objects) == [1, 2, 300] and 0 < found.j < 1 and 0 < found.f < 1


def test_pixels_that_nobody_labelled_are_background(tmp_path):
    truth, mine = np.minimum(scene(1), 3), np.minimum(scene(2), 3)
    truth[:, :12] = 255
    check_equal(masktrail.jf(truth, mine), measure_folder(*written(tmp_path, truth, mine)))


def test_any_integers_and_sequences_of_maps_are_taken():
    truth, mine = scene(1), scene(2)
    expected = masktrail.jf(truth, mine)
    for kind in (np.int64, np.int32, np.uint64):
        assert masktrail.jf(list(truth.astype(kind)), mine.astype(kind)) == expected


def test_an_object_without_a_scored_frame_is_left_out(caplog):
    truth = scene(1, late=8)
    assert sorted(masktrail.jf(truth, truth).objects) == [1, 2]
    assert masktrail.jf(truth, truth).jf == 1 and "without a scored frame" in caplog.text


MAPS = scene(1)


@pytest.mark.parametrize(
    ("truth", "mine", "told"),
    [
        (MAPS, MAPS[1:], r"truth is \(9, 48, 64\) and mine \(8, 48, 64\); expected equal"),
        (MAPS, MAPS[:, :40], r"mine \(9, 40, 64\); expected equal shapes"),
        (MAPS[0], MAPS[0], r"truth has the shape \(48, 64\); expected \(T, H, W\); give truth\["),
        (MAPS, MAPS[..., None], r"mine has the shape \(9, 48, 64, 1\); expected \(T, H, W\)\."),
        ([MAPS[0], MAPS[1, 1:]], MAPS, "truth is no array; expected label maps of one size"),
        (MAPS / 2, MAPS, "truth holds float64; expected integers"),
        (MAPS, MAPS > 0, "mine holds bool; expected integers"),
        (MAPS, MAPS.astype(int) - 1, "mine holds -1; object ids are 1 to 65535"),
        (MAPS.astype(int) * 300, MAPS, "truth holds 90000; object ids"),
        (MAPS * 0, MAPS, "truth holds no object, only 0; expected object ids"),
        ((MAPS == 1) * np.uint8(255), MAPS, "truth holds no object, only 0, 255; .*Give a mask"),
        (MAPS[:0], MAPS[:0], "truth holds no object"),
        (np.minimum(MAPS, 2), MAPS, "mine has objects 300 that truth lacks; it has 1, 2"),
        (MAPS[:2], MAPS[:2], "Nothing to score"),
    ],
)
def test_what_cannot_be_judged_is_refused(truth, mine, told):
    with pytest.raises(InputError, match=told):
        masktrail.jf(truth, mine)
