"""Videos of several objects as single-object sequences: tracks, split, storage, figures."""

import json
import logging
import os
import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from masktrail.data import packing
from masktrail.data.davis import find_sequences
from masktrail.data.pack import FILES, Pack, PackedTrack, open_pack
from masktrail.data.packing import write_pack
from masktrail.data.single_object import Part, find_tracks, pack_single_objects
from masktrail.data.sizes import MIN_AREA
from masktrail.data.split import SplitSettings, split_videos
from masktrail.errors import InputError
from painted_sets import pack_videos, save

WIDTH, HEIGHT = 80, 60
FRAMES = 20
LATE_AND_GONE = {1: range(20), 4: range(6, 20), 9: range(8)}
"""Ids with gaps between them: always there, from frame 6 on, until frame 7."""

Labels = NDArray[np.uint8]


def save_palette(labels: Labels, path: Path) -> None:
    """A palette PNG in which all objects have one colour, so that only the index tells them."""
    picture = Image.fromarray(labels)
    picture.putpalette([0, 0, 0, *[200, 30, 30] * 255])
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


def draw(shown: dict[int, range], frame: int, side: int = 12) -> Labels:
    """Squares that move to the right, one a row; id 9 is the last to be drawn."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for place, (object_id, frames) in enumerate(shown.items()):
        if frame in frames:
            x, y = 2 + 2 * frame, 2 + 18 * place
            labels[y : y + side, x : x + side] = object_id
    return labels


def paint_mose(
    root: Path, videos: dict[str, dict[int, range]], frames: int = FRAMES, side: int = 12
) -> Path:
    """`root/JPEGImages/VIDEO/00000.jpg` beside palette masks; grey = frame number times ten."""
    for name, shown in videos.items():
        for t in range(frames):
            picture = np.full((HEIGHT, WIDTH, 3), 10 * t, np.uint8)
            save(picture, root / "JPEGImages" / name / f"{t:05}.jpg")
            save_palette(draw(shown, t, side), root / "Annotations" / name / f"{t:05}.png")
    return root


def prepare(root: Path, out: Path, **settings: float) -> list[Part]:
    return pack_single_objects(root, out, 30, 40, SplitSettings(**settings))  # type: ignore[arg-type]


def one_video(tmp_path: Path, shown: dict[int, range] = LATE_AND_GONE, **settings: float) -> Pack:
    prepare(paint_mose(tmp_path / "set", {"a": shown}), tmp_path / "out", held_out=0, **settings)
    return open_pack(tmp_path / "out" / "train")


def track(pack: Pack, object_id: int) -> PackedTrack:
    (found,) = [track for track in pack.tracks if track.id == object_id]
    return found


def names(folder: Path) -> set[str]:
    return {sequence.name for sequence in open_pack(folder).sequences}


def test_objects_of_all_frames_are_found_by_index(tmp_path: Path) -> None:
    pack = one_video(tmp_path, negatives=0)
    assert [(track.video, track.id) for track in pack.tracks] == [("a", 1), ("a", 4), ("a", 9)]
    for found in pack.tracks:
        assert found.rows == found.starts == tuple(LATE_AND_GONE[found.id])


def test_pixels_are_stored_once_and_masks_are_the_sources(tmp_path: Path) -> None:
    pack = one_video(tmp_path)
    assert pack.images.shape == (FRAMES, 30, 40, 3)
    rows = (torch.arange(30) * 2 + 1).numpy()  # nearest to the middle of a pixel twice as large
    columns = (torch.arange(40) * 2 + 1).numpy()
    for found in pack.tracks:
        images, masks = pack.clip(found, found.rows)
        assert images.dtype == torch.uint8 and masks.dtype == torch.bool
        assert images.shape == (len(found.rows), 30, 40, 3)
        for row, image, mask in zip(found.rows, images, masks, strict=True):
            assert abs(int(image.float().mean()) - 10 * row) <= 2
            truth = draw(LATE_AND_GONE, row)[np.ix_(rows, columns)] == found.id
            assert np.array_equal(mask, truth)


def test_frames_without_the_object_are_kept_nearest_first(tmp_path: Path) -> None:
    pack = one_video(tmp_path, negatives=0.25)
    assert track(pack, 1).rows == tuple(range(20))
    assert track(pack, 4).rows == tuple(range(3, 20)), "three to fourteen, those just before it"
    assert track(pack, 4).starts == tuple(range(6, 20)), "nothing is marked before it appears"
    assert track(pack, 9).rows == tuple(range(10)), "two to eight, those just after it"
    assert track(pack, 9).starts == tuple(range(8))


@pytest.mark.parametrize(("ratio", "kept"), [(0, 0), (0.1, 1), (0.3, 4), (0.5, 6), (9, 6)])
def test_the_ratio_bounds_frames_without_the_object(
    tmp_path: Path, ratio: float, kept: int
) -> None:
    pack = one_video(tmp_path, negatives=ratio)
    assert len(track(pack, 4).rows) == 14 + kept


def test_frames_equally_far_are_chosen_by_the_seed(tmp_path: Path) -> None:
    pack = one_video(tmp_path, {k: range(8, 12) for k in (1, 2, 3)})
    chosen = {seed: find_tracks(pack, 0.25, seed) for seed in range(12)}
    assert all(find_tracks(pack, 0.25, seed) == chosen[seed] for seed in chosen)
    for tracks in chosen.values():
        for found in tracks:
            assert len(found.rows) == 5 and found.rows[0] in (7, 8)
            assert list(found.rows) == list(range(found.rows[0], found.rows[0] + 5))
    assert {found.rows[0] for tracks in chosen.values() for found in tracks} == {7, 8}
    assert any(len({found.rows for found in tracks}) > 1 for tracks in chosen.values())


def test_small_objects_begin_no_clip(tmp_path: Path) -> None:
    """One pixel of 30x40 is 0.08 %; on 60x80 it is 0.02 %, below the bound."""
    root = paint_mose(tmp_path / "set", {"a": {1: range(20)}})
    for t in (0, 5):
        small = np.zeros((HEIGHT, WIDTH), np.uint8)
        small[30, 40] = 1
        small[50:, 70:] = 2 * (t == 0)  # in this frame only
        save_palette(small, root / "Annotations" / "a" / f"{t:05}.png")
    tiny = np.asarray(Image.open(root / "Annotations" / "a" / "00019.png")).copy()
    tiny[0, 0] = 7  # never large enough, and in the last frame only
    save_palette(tiny, root / "Annotations" / "a" / "00019.png")
    assert 1 / (HEIGHT * WIDTH) < MIN_AREA
    settings = SplitSettings(held_out=0)
    (part,) = pack_single_objects(root, tmp_path / "out", HEIGHT, WIDTH, settings)
    pack = open_pack(tmp_path / "out" / "train")
    assert [found.id for found in pack.tracks] == [1]
    assert track(pack, 1).rows == tuple(range(20)), "a small object is still a target"
    assert track(pack, 1).starts == (*range(1, 5), *range(6, 20))
    assert (part.objects, part.objects_dropped) == (1, 2)


def test_clips_keep_their_stride_and_to_their_track() -> None:
    found = PackedTrack("a", 1, rows=(3, 4, 5, 6, 9, 10), starts=(3, 4, 9, 10))
    assert found.clips(2) == [(3, 4), (4, 5), (9, 10)]
    assert found.clips(2, stride=2) == [(3, 5), (4, 6)]
    assert found.clips(3) == [(3, 4, 5), (4, 5, 6)]
    assert found.clips(2, stride=5) == [(4, 9)]
    assert found.clips(2, stride=8) == []


def test_all_objects_of_a_video_are_in_one_part(tmp_path: Path) -> None:
    videos = {f"v{k}": {1: range(4), 2: range(4)} for k in range(10)}
    root = paint_mose(tmp_path / "set", videos, frames=4)
    parts = prepare(root, tmp_path / "out", held_out=0.3, seed=5)
    train, held_out = (names(tmp_path / "out" / part.name) for part in parts)
    assert [part.name for part in parts] == ["train", "held-out"]
    assert len(train) == 7 and len(held_out) == 3 and train | held_out == set(videos)
    for part in parts:
        pack = open_pack(tmp_path / "out" / part.name)
        assert len(pack.tracks) == 2 * len(pack.sequences)
        assert {found.video for found in pack.tracks} == {s.name for s in pack.sequences}
        rows = [row for found in pack.tracks if found.id == 1 for row in found.rows]
        assert rows == list(range(len(pack.images))), "rows of each part count from its own first"
    assert held_out == split_videos(videos, SplitSettings(seed=5, held_out=0.3))


def test_without_any_held_out_there_is_one_part(tmp_path: Path) -> None:
    root = paint_mose(tmp_path / "set", {"a": {1: range(3)}, "b": {1: range(3)}}, frames=3)
    assert [part.name for part in prepare(root, tmp_path / "out", held_out=0)] == ["train"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["train"]


def test_the_figures_add_up(tmp_path: Path) -> None:
    root = paint_mose(tmp_path / "set", {"a": LATE_AND_GONE, "b": {3: range(20)}})
    calls: list[tuple[int, int]] = []
    parts = pack_single_objects(
        root, tmp_path / "out", 30, 40, SplitSettings(held_out=0.5), lambda *how: calls.append(how)
    )
    assert calls == [(done, 40) for done in range(1, 41)]
    by_video = {next(iter(names(tmp_path / "out" / part.name))): part for part in parts}
    a, b = by_video["a"], by_video["b"]
    assert (a.videos, a.frames, a.objects, a.objects_dropped) == (1, 20, 3, 0)
    assert (a.visible, a.negatives, a.negatives_dropped) == (20 + 14 + 8, 0 + 3 + 2, 0 + 3 + 10)
    assert (b.visible, b.negatives, b.negatives_dropped) == (20, 0, 0)
    folder = tmp_path / "out" / a.name
    assert a.size == sum(path.stat().st_size for path in folder.iterdir())
    assert 20 * 30 * 40 * 4 < a.size < 20 * 30 * 40 * 4 + 20000


def test_frames_between_annotated_ones_are_left_out(tmp_path: Path) -> None:
    root = paint_mose(tmp_path / "set", {"a": {2: range(20)}})
    for t in range(20):
        if t % 5:
            (root / "Annotations" / "a" / f"{t:05}.png").unlink()
    prepare(root, tmp_path / "out", held_out=0)
    pack = open_pack(tmp_path / "out" / "train")
    assert track(pack, 2).rows == (0, 1, 2, 3)
    assert [round(float(image.float().mean()) / 10) for image in pack.images] == [0, 5, 10, 15]


def test_the_folder_train_is_found(tmp_path: Path) -> None:
    paint_mose(tmp_path / "set" / "train", {"a": {2: range(4)}}, frames=4)
    paint_mose(tmp_path / "set" / "valid", {"b": {2: range(4)}}, frames=4)
    prepare(tmp_path / "set", tmp_path / "out", held_out=0)
    assert names(tmp_path / "out" / "train") == {"a"}


def test_what_is_measured_on_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, logger: logging.Logger
) -> None:
    logger.setLevel(logging.WARNING)
    videos = {name: {1: range(3)} for name in ("bear", "dog", "cows", "fox")}
    root = paint_mose(tmp_path / "set", videos, frames=3)
    prepare(root, tmp_path / "out", held_out=0.5)
    assert names(tmp_path / "out/train") | names(tmp_path / "out/held-out") == {"bear", "fox"}
    (record,) = caplog.records
    assert record.getMessage().startswith("Left out are cows, dog: DAVIS-2016 seq")
    for name in ("bear", "fox"):
        shutil.rmtree(root / "JPEGImages" / name)
    with pytest.raises(InputError, match="holds cows, dog: DAVIS-2016 sequences"):
        prepare(root, tmp_path / "out")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_packing_again_gives_the_same_and_replaces_all(tmp_path: Path) -> None:
    videos = {name: LATE_AND_GONE for name in "abc"}
    root = paint_mose(tmp_path / "set", videos, frames=10)
    prepare(root, tmp_path / "out")
    first = contents(tmp_path / "out")
    assert {Path(name).name for name in first} == FILES
    prepare(root, tmp_path / "out")
    assert contents(tmp_path / "out") == first
    prepare(root, tmp_path / "out", held_out=0)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["train"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "set"]


def test_what_fails_leaves_the_old_pack_and_nothing_else(tmp_path: Path) -> None:
    root = paint_mose(tmp_path / "set", {name: {1: range(4)} for name in "abc"}, frames=4)
    prepare(root, tmp_path / "out")
    first = contents(tmp_path / "out")
    held_out = next(iter(names(tmp_path / "out/held-out")))  # packed last
    (root / "JPEGImages" / held_out / "00003.jpg").write_bytes(b"damaged")
    with pytest.raises(InputError, match=r"damaged or cut off: .*00003\.jpg\."):
        prepare(root, tmp_path / "out")
    assert contents(tmp_path / "out") == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "set"]


@pytest.mark.parametrize("inside", ["", "train"])
def test_a_folder_that_holds_other_things_is_not_replaced(tmp_path: Path, inside: str) -> None:
    root = paint_mose(tmp_path / "set" / inside, {"a": {1: range(3)}}, frames=3)
    before = contents(root)
    with pytest.raises(InputError, match="which is no part of a pack, and would be replaced"):
        prepare(tmp_path / "set", tmp_path / "set")
    with pytest.raises(InputError, match="no part of a pack"):
        write_pack(find_sequences(root), tmp_path / "set", 8, 8)
    assert contents(root) == before
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="is a file; name a folder"):
        prepare(root, tmp_path / "file")
    with pytest.raises(InputError, match="could not be written"):
        prepare(root, tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_disk_without_room_is_told_before_it_is_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = paint_mose(tmp_path / "set", {"a": {1: range(3)}}, frames=3)
    usage = namedtuple("usage", "free")
    needed = 3 * 4 * 30 * 40
    monkeypatch.setattr(packing.shutil, "disk_usage", lambda folder: usage(needed - 1))
    with pytest.raises(InputError, match=r"3 frames of 30x40 take .* GB left; free some space"):
        prepare(root, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set"]
    monkeypatch.setattr(packing.shutil, "disk_usage", lambda folder: usage(needed))
    prepare(root, tmp_path / "out")


def test_a_white_mask_among_others_is_of_their_object(tmp_path: Path) -> None:
    root = paint_mose(tmp_path / "set", {"a": {1: range(3)}}, frames=3)
    mask = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    mask[10:30, 10:30] = 255
    save(mask, root / "Annotations" / "a" / "00001.png")
    prepare(root, tmp_path / "out", held_out=0)
    assert track(open_pack(tmp_path / "out" / "train"), 1).rows == (0, 1, 2)


def test_masks_in_colours_are_packed_by_colour(tmp_path: Path) -> None:
    root = paint_mose(tmp_path / "set", {"a": {1: range(3)}}, frames=3)
    for t, colours in enumerate([("red", "blue"), ("blue",), ("red", "blue")]):
        picture = Image.new("RGB", (WIDTH, HEIGHT))
        for colour in colours:
            left = 10 if colour == "red" else 50
            picture.paste(colour, (left, 10, left + 20, 30))
        picture.save(root / "Annotations" / "a" / f"{t:05}.png")
    prepare(root, tmp_path / "out", held_out=0)
    pack = open_pack(tmp_path / "out" / "train")
    assert (track(pack, 1).rows, track(pack, 2).rows) == ((0, 1, 2), (0, 2)), "blue comes first"


def test_a_set_with_nothing_to_follow_is_refused(tmp_path: Path) -> None:
    root = paint_mose(tmp_path / "set", {"a": {1: range(4)}, "b": {1: range(4)}}, frames=4)
    for path in (root / "Annotations").rglob("*.png"):
        if path.stem != "00000":
            path.unlink()
    with pytest.raises(InputError, match=r"No object of .* can be followed: each is marked in one"):
        prepare(root, tmp_path / "out")
    for path in (root / "Annotations").rglob("*.png"):
        path.unlink()
    with pytest.raises(InputError, match=r"None of the 2 sequences of .* has a mask"):
        prepare(root, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"held_out": 1.0}, "held_out=1 is no share"),
        ({"held_out": -0.1}, "held_out=-0.1 is no share"),
        ({"held_out": float("nan")}, "held_out=nan is no share"),
        ({"negatives": -1.0}, "negatives=-1 is no ratio"),
        ({"negatives": float("inf")}, "negatives=inf is no ratio"),
        ({"negatives": float("nan")}, "negatives=nan is no ratio"),
    ],
)
def test_settings_out_of_range_are_refused(
    tmp_path: Path, settings: dict[str, float], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        prepare(tmp_path / "nowhere", tmp_path / "out", **settings)


def test_packs_without_tracks_open_as_before(tmp_path: Path) -> None:
    folder = pack_videos(tmp_path, frames=2)
    assert not (folder / "tracks.json").exists()
    assert open_pack(folder).tracks == []
    (folder / "tracks.json").write_text("[{")
    with pytest.raises(InputError, match="not a complete packed data set"):
        open_pack(folder)


def test_tracks_move_with_their_pack(tmp_path: Path) -> None:
    pack = one_video(tmp_path)
    assert pack.tracks and pack.to(torch.device("meta")).tracks == pack.tracks


@pytest.mark.data
def test_real_samples_of_several_objects(tmp_path: Path) -> None:
    repository = Path(__file__).parents[2]
    clips = repository / os.environ.get("MASKTRAIL_DATA", "../shared/data") / "clips"
    if not clips.is_dir():
        pytest.skip(f"needs the data set {clips}; set MASKTRAIL_DATA")
    for kind in ("JPEGImages", "Annotations"):
        (tmp_path / "set" / kind).mkdir(parents=True)
        for name in ("003234408d", "schoolgirls"):
            (tmp_path / "set" / kind / name).symlink_to((clips / kind / name).resolve())
    prepare(tmp_path / "set", tmp_path / "out", held_out=0)
    pack = open_pack(tmp_path / "out" / "train")
    assert json.loads((tmp_path / "out/train/tracks.json").read_text())[0]["video"] == "003234408d"
    found = {s.name: [t.id for t in pack.tracks if t.video == s.name] for s in pack.sequences}
    assert found == {"003234408d": [1, 2, 3, 4, 5], "schoolgirls": [1, 2, 3, 4, 5, 6, 7]}
    assert len(pack.images) == 15 + 40
    for sequence in find_sequences(tmp_path / "set"):
        start = next(s.start for s in pack.sequences if s.name == sequence.name)
        for index in (0, len(sequence) - 1):
            truth = sequence.truth(index)
            assert truth is not None
            height, width = truth.shape
            rows = ((np.arange(30) + 0.5) * height / 30).astype(int)
            columns = ((np.arange(40) + 0.5) * width / 40).astype(int)
            expected = truth[np.ix_(rows, columns)]
            for found_track in (t for t in pack.tracks if t.video == sequence.name):
                mask = pack.clip(found_track, [start + index])[1][0]
                assert np.array_equal(mask, expected == found_track.id)
