"""The same videos stored in the ways in which users bring them: every command sees the same."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from masktrail.data.check import check_data
from masktrail.data.davis import find_sequences
from masktrail.data.pack import open_pack
from masktrail.data.prepare import prepare
from masktrail.data.rules import ERROR, NOTE
from masktrail.data.synth import ClipSettings
from masktrail.errors import InputError
from masktrail.evaluate.run import evaluate
from masktrail.finetune import fine_tune
from masktrail.finetune.own_data import MOTION_FRAMES, own_data_of
from masktrail.recipe import Stage
from masktrail.video import open_video
from own_sets import (
    FRAMES,
    NAMES,
    SIZE,
    SOUND,
    UNSOUND,
    as_pairs,
    empty_all,
    paint_set,
    shrink_to_specks,
)
from own_sets import stored_as as stored

STAGE = Stage(batch=1, real=1.0, clips=ClipSettings(size=48, frames=2, max_gap=1, tiny=True))
SETTINGS: dict[str, Any] = {"stages": (STAGE,), "seed": 1}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return paint_set(tmp_path_factory.mktemp("clean") / "set")


def figures(root: Path) -> dict[str, Any]:
    (found,) = evaluate(["copy"], root)
    return found


@pytest.mark.parametrize("kind", SOUND)
def test_frames_and_masks_are_those_of_the_plain_set(
    clean: Path, tmp_path: Path, kind: str
) -> None:
    root = stored(kind, tmp_path / "set")
    table = np.array([0, SOUND[kind][1][1], SOUND[kind][1][2]])
    for found, expected in zip(find_sequences(root), find_sequences(clean), strict=True):
        assert found.name == expected.name and len(found) == FRAMES
        with open_video(found.frames[0].parent) as video:
            tracked = [frame.image for frame in video]
        for t in range(FRAMES):
            np.testing.assert_array_equal(found.image(t), tracked[t], "as `track` shows it")
            np.testing.assert_array_equal(found.truth(t), table[expected.truth(t)])
            if kind != "sixteen-bit":
                np.testing.assert_array_equal(found.image(t), expected.image(t))


@pytest.mark.parametrize("kind", SOUND)
def test_every_command_takes_it(clean: Path, tmp_path: Path, small_memory: Path, kind: str) -> None:
    root = stored(kind, tmp_path / "set")
    ids = SOUND[kind][1]
    assert not [finding for finding in check_data(root) if finding.severity == ERROR]
    prepare("davis", root, tmp_path / "pack", "60x96")
    prepare("davis", clean, tmp_path / "clean", "60x96")
    pack, plain = open_pack(tmp_path / "pack"), open_pack(tmp_path / "clean")
    table = torch.tensor([0, ids[1], ids[2]], dtype=torch.uint8)
    assert torch.equal(pack.labels, table[plain.labels.long()])
    found, expected = figures(root)["sequences"], figures(clean)["sequences"]
    for name in NAMES:
        for old, new in ids.items():
            if new:
                mine, theirs = found[name][str(new)]["J"], expected[name][str(old)]["J"]
                assert mine["mean"] == pytest.approx(theirs["mean"])
    trained = fine_tune(small_memory, root, 0.005, tmp_path / "out", device="cpu", **SETTINGS)
    assert sorted((*trained.trained, *trained.held_out)) == sorted(NAMES)


@pytest.mark.parametrize("kind", UNSOUND)
def test_every_command_says_the_same_of_what_is_wrong(
    tmp_path: Path, small_memory: Path, kind: str
) -> None:
    root, words = stored(kind, tmp_path / "set"), UNSOUND[kind][1]
    assert [finding for finding in check_data(root) if finding.severity == ERROR]
    for use in (
        lambda: prepare("davis", root, tmp_path / "pack"),
        lambda: prepare("mose", root, tmp_path / "pack"),
        lambda: evaluate(["copy"], root, masks=tmp_path / "masks"),
        lambda: fine_tune(small_memory, root, 0.005, tmp_path / "out", device="cpu", **SETTINGS),
    ):
        with pytest.raises(InputError, match=words):
            use()
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_specks_are_learned_from_in_crops(tmp_path: Path, small_memory: Path) -> None:
    root = paint_set(tmp_path / "set")
    shrink_to_specks(root)
    found = {finding.what: finding for finding in check_data(root)}
    (specks,) = (f for what, f in found.items() if what.startswith("objects smaller than 0.2%"))
    assert specks.count == 2 * len(NAMES) and "learns from them in crops" in specks.advice
    fine_tune(small_memory, root, 0.005, tmp_path / "out", device="cpu", **SETTINGS)
    large = {"stages": (replace(STAGE, clips=replace(STAGE.clips, tiny=False)),)}
    with pytest.raises(InputError, match=r"shows an object of 0\.002 of its area"):
        fine_tune(small_memory, root, 0.005, tmp_path / "other", device="cpu", **large)


def test_masks_that_are_all_empty_teach_nothing(tmp_path: Path, small_memory: Path) -> None:
    root = paint_set(tmp_path / "set")
    empty_all(root)
    with pytest.raises(InputError, match=r"No mask of .* shows an object"):
        fine_tune(small_memory, root, 0.005, tmp_path / "out", device="cpu", **SETTINGS)


ALONE = {"sixteen-bit", "tiff", "turned", "capitals"}
"""Ways of storing a set that say the same of pictures that stand alone."""


@pytest.mark.parametrize("kind", sorted(ALONE))
def test_pairs_are_packed_as_the_frames_they_were(clean: Path, tmp_path: Path, kind: str) -> None:
    root = as_pairs(stored(kind, tmp_path / "set"))
    assert not [finding for finding in check_data(root) if finding.severity == ERROR]
    prepare("stills", root, tmp_path / "pack", "60x96")
    prepare("davis", stored(kind, tmp_path / "videos"), tmp_path / "frames", "60x96")
    pack, frames = open_pack(tmp_path / "pack"), open_pack(tmp_path / "frames")
    assert [s.name for s in pack.sequences] == [
        f"set/{name}_{t:05}" for name in NAMES for t in range(FRAMES)
    ]
    assert torch.equal(pack.labels, frames.labels)
    if kind != "sixteen-bit":
        assert torch.equal(pack.images, frames.images)
    else:
        assert pack.images.float().std() > 20, "each picture by its own range"


def test_pairs_are_learned_from_and_measured_in_motion(tmp_path: Path, small_memory: Path) -> None:
    root = as_pairs(paint_set(tmp_path / "set"))
    said = {finding.what: finding for finding in check_data(root)}
    (inventory,) = (f for what, f in said.items() if "each stands alone" in what)
    assert inventory.count == 36 and inventory.severity == NOTE
    assert not any("sequences" in what for what in said)
    found = fine_tune(small_memory, root, 0.005, tmp_path / "out", device="cpu", **SETTINGS)
    assert (len(found.trained), len(found.held_out)) == (32, 4)
    packed = {s.name for s in open_pack(tmp_path / "out" / "pack").sequences}
    assert packed == set(found.trained) and not packed & set(found.held_out)
    assert 0 <= found.before <= 1 and 0 <= found.after <= 1
    again = {"resume": True, "device": "cpu", **SETTINGS}
    assert fine_tune(small_memory, root, 0.008, tmp_path / "out", **again).before == found.before
    next((root / "masks").glob("*.png")).unlink()
    with pytest.raises(InputError, match="was begun with other data"):
        fine_tune(small_memory, root, 0.009, tmp_path / "out", **again)


def test_specks_that_stand_alone_are_learned_from_in_crops(
    tmp_path: Path, small_memory: Path
) -> None:
    root = paint_set(tmp_path / "set")
    shrink_to_specks(root)
    fine_tune(small_memory, as_pairs(root), 0.005, tmp_path / "out", device="cpu", **SETTINGS)
    large = {"stages": (replace(STAGE, clips=replace(STAGE.clips, tiny=False)),)}
    with pytest.raises(InputError, match=r"No picture of .* shows an object of 0\.002 of its area"):
        fine_tune(small_memory, root, 0.005, tmp_path / "other", device="cpu", **large)


def test_pictures_in_motion_can_be_tracked(tmp_path: Path) -> None:
    own = own_data_of(as_pairs(paint_set(tmp_path / "set")))
    with own.videos() as (root, names):
        (found,) = evaluate(["copy"], root, names)
        sequences = find_sequences(root)
        assert [s.name for s in sequences] == names and len(names) == 4
        for sequence in sequences:
            assert len(sequence) == MOTION_FRAMES and sequence.truth(0).any()
            first, last = sequence.image(0), sequence.image(MOTION_FRAMES - 1)
            assert np.abs(first.astype(int) - last).mean() > 1, "something moves"
    assert 0.1 < found["J&F"] < 0.95
    assert not root.exists()


def test_pairs_hold_nothing_to_be_tracked(tmp_path: Path) -> None:
    root = as_pairs(paint_set(tmp_path / "set"))
    for use in (
        lambda: prepare("davis", root, tmp_path / "pack"),
        lambda: prepare("mose", root, tmp_path / "pack"),
        lambda: evaluate(["copy"], root),
    ):
        with pytest.raises(InputError, match=r"holds pictures that stand alone .* no videos"):
            use()
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def other_size(root: Path) -> None:
    path = root / "masks" / "bees_00003_mask.png"
    Image.fromarray(np.ones(SIZE, np.uint8)).save(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda root: (root / "images/ants_00001.png").unlink(), "masks without a picture: set/"),
        (
            lambda root: (root / "images/ants_00001.jpg").write_bytes(
                (root / "images/ants_00001.png").read_bytes()
            ),
            "pictures that share their name with another",
        ),
        (
            lambda root: (root / "masks/ants_00002.png").write_bytes(b""),
            "files among the masks that are not read|masks damaged or cut off",
        ),
        (lambda root: (root / "images/wasps_00001.png").write_bytes(b"x"), "pictures damaged"),
        (other_size, "masks of another size than their picture"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_pairs_is_said(
    tmp_path: Path, small_memory: Path, change: Callable[[Path], object], words: str
) -> None:
    root = as_pairs(paint_set(tmp_path / "set"))
    change(root)
    assert [finding for finding in check_data(root) if finding.severity == ERROR]
    for use in (
        lambda: prepare("stills", root, tmp_path / "pack"),
        lambda: fine_tune(small_memory, root, 0.005, tmp_path / "out", device="cpu", **SETTINGS),
    ):
        with pytest.raises(InputError, match=words):
            use()
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
