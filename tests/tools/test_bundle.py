"""Bundles: what is packed, made small enough, and unpacked elsewhere as packs."""

import json
import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bundle
import travel
from bundles.file import INDEX, MEMBER, unpack_bundle
from bundles.plan import Source, choose
from bundles.shrink import shrink
from masktrail.data.pack import Pack, open_pack
from masktrail.data.prepare import prepare
from masktrail.errors import InputError
from masktrail.families import create
from masktrail.masks import read_labels, write_labels
from masktrail.zoo.weights import load_network, save_network
from painted_sets import COLOURS, paint, paint_stills, paint_videos, save

MIB = 2**20


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 photographs, and two videos of 6 frames beside one that is held out."""
    root = tmp_path_factory.mktemp("data")
    for part in range(2):
        paint_stills(root / "stills" / str(part))
    paint_videos(root / "davis2016-train", ("left", "right", "dance-jump"), 6)
    return root


def sources(data: Path, frames: int = 12, stills: int = 12) -> list[Source]:
    return [
        Source("davis2016-train", "davis", data / "davis2016-train", frames, (60, 30)),
        Source("stills", "stills", data / "stills", stills, (60, 45, 30)),
    ]


def packed_as_it_is(source: Source, folder: Path, canvas: str) -> Pack:
    prepare(source.kind, source.root, folder, canvas)
    return open_pack(folder)


def test_what_fits_comes_out_as_it_went_in(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "bundle.zip"
    packed = bundle.write_bundle(file, sources(data), MIB, 60)
    assert [(p.pictures, p.share.side, p.share.stride) for p in packed] == [(12, 60, 1)] * 2
    made = list(unpack_bundle(file, tmp_path / "packs").packs.values())
    assert [path.name for path in made] == ["davis2016-train", "stills"]
    assert sorted(path.name for path in (tmp_path / "packs").iterdir()) == sorted(
        path.name for path in made
    )
    for source, path, canvas in zip(sources(data), made, ("60x107", "60x75"), strict=True):
        pack, expected = open_pack(path), packed_as_it_is(source, tmp_path / "own", canvas)
        assert pack.sequences == expected.sequences and pack.objects == expected.objects
        assert np.array_equal(pack.labels, expected.labels), "masks are without loss"
        difference = np.abs(pack.images.numpy().astype(int) - expected.images.numpy())
        assert 0 < difference.mean() < 8
    assert {s.name for s in open_pack(made[0]).sequences} == {"left", "right"}


def test_a_limit_is_kept_by_fewer_photographs(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "bundle.zip"
    whole = bundle.write_bundle(file, sources(data), MIB, 40)
    limit = file.stat().st_size - 2 * whole[1].size // 3
    few = [replace(source, sides=(60,)) for source in sources(data, stills=2)]
    videos, stills = bundle.write_bundle(file, few, limit, 40)
    assert videos.pictures == 12 and 2 <= stills.pictures < 12
    assert limit - whole[1].size / 12 * 1.5 < file.stat().st_size <= limit
    with zipfile.ZipFile(file) as archive:
        sets = {name.split("/")[1] for name in archive.namelist() if name.startswith("stills")}
    assert len(sets) == 2 or stills.pictures < 4, "of every set some"


def test_pictures_are_made_small_and_masks_with_them(data: Path, tmp_path: Path) -> None:
    small = [replace(source, sides=(30,)) for source in sources(data, frames=4)]
    packed = bundle.write_bundle(tmp_path / "bundle.zip", small, MIB, 80)
    assert [(p.pictures, p.share.stride) for p in packed] == [(4, 3), (12, 1)]
    videos, stills = unpack_bundle(tmp_path / "bundle.zip", tmp_path / "packs").packs.values()
    assert [s.count for s in open_pack(videos).sequences] == [2, 2]
    assert open_pack(stills).images.shape == (12, 30, 38, 3)
    for pack in map(open_pack, (videos, stills)):
        ground = pack.images[..., 0].float().numpy() < 120
        known = (pack.labels == 0).numpy()
        assert (ground == known).mean() > 0.9, "colours lie where their masks do"


def test_videos_are_split_where_they_are_unpacked(tmp_path: Path) -> None:
    videos = ("hall-1", "hall-2", "hall-3", "birds", "jump")
    root = paint_videos(tmp_path / "set", videos, 2)
    split = {"held_out": 0.4, "recording": "[a-z]+"}
    source = Source("some", "mose", root, 10, (60,), split)
    bundle.write_bundle(tmp_path / "bundle.zip", [source], MIB, 40)
    made = unpack_bundle(tmp_path / "bundle.zip", tmp_path / "packs").packs
    names = {name: {s.name for s in open_pack(path).sequences} for name, path in made.items()}
    assert names == {"some/train": set(videos[:3]), "some/held-out": {"birds", "jump"}}
    assert [made[name] for name in names] == [tmp_path / "packs" / name for name in names]


def test_of_what_is_split_a_video_keeps_two_frames(tmp_path: Path) -> None:
    root = paint_videos(tmp_path / "set", ("a", "b"), 4)
    source = Source("some", "mose", root, 2, (60,), {"held_out": 0.5})
    with pytest.raises(InputError, match="2 frames of some leave one of a video; ask for more"):
        bundle.write_bundle(tmp_path / "bundle.zip", [source], MIB, 40)
    assert bundle.write_bundle(tmp_path / "bundle.zip", [replace(source, wanted=4)], MIB, 40)


def test_objects_keep_their_numbers(tmp_path: Path) -> None:
    image, labels = paint([(20, 20, 12), (50, 30, 10)], COLOURS)
    for t, ids in enumerate(([0, 1, 2], [0, 0, 3], [0, 0, 0], [0, 200, 2])):
        save(image, tmp_path / "set" / "JPEGImages" / "video" / f"{t:05}.png")
        found = tmp_path / "set" / "Annotations" / "video" / f"{t:05}.png"
        found.parent.mkdir(parents=True, exist_ok=True)
        write_labels(found, np.array(ids, np.uint8)[labels])
    source = Source("some", "davis", tmp_path / "set", 4, (60,))
    bundle.write_bundle(tmp_path / "bundle.zip", [source], MIB, 40)
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        archive.extractall(tmp_path / "out")
    for t in range(4):
        name = f"Annotations/video/{t:05}.png"
        before, after = (
            read_labels(root / name)[0] for root in (source.root, tmp_path / "out/some")
        )
        assert np.array_equal(before, after)
    (pack,) = unpack_bundle(tmp_path / "bundle.zip", tmp_path / "packs").packs.values()
    assert open_pack(pack).sequences[0].ids == (1, 2, 3, 200)


def test_the_same_pictures_make_the_same_bundle(data: Path, tmp_path: Path) -> None:
    for name in "ab":
        bundle.write_bundle(tmp_path / name, sources(data), MIB, 40)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_sides_are_the_largest_with_which_all_that_is_wanted_fits() -> None:
    means = {"videos": {480: 40.0, 320: 20.0}, "stills": {256: 10.0, 224: 8.0, 192: 5.0}}
    wanted = {"videos": 100, "stills": 300}
    assert choose(means, wanted, 7000) == ({"videos": 480, "stills": 256}, 1.0)
    assert choose(means, wanted, 6999) == ({"videos": 480, "stills": 224}, 1.0)
    assert choose(means, wanted, 5500) == ({"videos": 480, "stills": 192}, 1.0)
    assert choose(means, wanted, 5000) == ({"videos": 320, "stills": 256}, 1.0)
    assert choose(means, wanted, 3500) == ({"videos": 320, "stills": 192}, 1.0)
    assert choose(means, wanted, 1750) == ({"videos": 320, "stills": 192}, 0.5)


def test_small_limits_are_met_by_fewer_frames_or_refused(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "bundle.zip"
    bundle.write_bundle(file, [replace(s, sides=(30,)) for s in sources(data)], MIB, 40)
    limit = file.stat().st_size * 4 // 10
    packed = bundle.write_bundle(file, sources(data), limit, 40)
    assert [p.share.side for p in packed] == [30, 30] and packed[0].share.stride == 3
    assert packed[0].pictures == 4 and 1 <= packed[1].pictures < 12
    assert file.stat().st_size <= limit
    before = file.read_bytes()
    with pytest.raises(InputError, match="of the pictures that are wanted; allow more"):
        bundle.write_bundle(file, sources(data), 500, 40)
    assert file.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_bad_quality_and_missing_sets_are_refused(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "bundle.zip"
    for quality in (39, 101):
        with pytest.raises(InputError, match="expected 40 to 100"):
            bundle.write_bundle(file, sources(data), MIB, quality)
    with pytest.raises(InputError, match="no JPEGImages and Annotations"):
        bundle.write_bundle(file, sources(tmp_path), MIB, 40)
    paint_videos(tmp_path / "bare", ("one",), 2)
    for mask in (tmp_path / "bare" / "Annotations").rglob("*.png"):
        mask.unlink()
    with pytest.raises(InputError, match="has a mask"):
        bundle.write_bundle(file, [Source("x", "davis", tmp_path / "bare", 1, (60,))], MIB, 40)
    assert not file.exists()


def test_what_is_no_bundle_is_not_replaced(data: Path, tmp_path: Path) -> None:
    mine = tmp_path / "film.zip"
    mine.write_text("mine")
    with pytest.raises(InputError, match="not a whole bundle"):
        bundle.write_bundle(mine, sources(data), MIB, 40)
    assert mine.read_text() == "mine"


def test_bad_pictures_are_refused(data: Path, tmp_path: Path) -> None:
    (picture, *_), bad = sources(data)[0].pictures(), tmp_path / "bad.png"
    video = replace(picture.video, frames=(bad,) * len(picture.video))
    bad.write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"bad\.png cannot be read as a picture"):
        shrink(video, picture.frame, 60, 40)
    save(paint([], COLOURS, (50, 40))[0], bad)
    with pytest.raises(InputError, match="is 50x40 and its mask 96x60; expected one size"):
        shrink(video, picture.frame, 60, 40)


def test_sets_of_which_nothing_is_wanted_are_left_out(data: Path, tmp_path: Path) -> None:
    assert [s.name for s in bundle.sources(data, 0, 5, 0)] == ["davis2016-train"]
    with pytest.raises(InputError, match="No picture is wanted"):
        bundle.write_bundle(tmp_path / "bundle.zip", bundle.sources(data, 0, 0, 0), MIB, 40)


def test_what_is_no_whole_bundle_is_refused(data: Path, tmp_path: Path) -> None:
    whole, file = tmp_path / "whole.zip", tmp_path / "bundle.zip"
    bundle.write_bundle(whole, sources(data), MIB, 40)
    for content in (b"", b"abc", whole.read_bytes()[:-400]):
        file.write_bytes(content)
        with pytest.raises(InputError, match="not a whole bundle"):
            unpack_bundle(file, tmp_path / "packs")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "no bundle")
    with pytest.raises(InputError, match="not a whole bundle"):
        unpack_bundle(file, tmp_path / "packs")
    with pytest.raises(InputError, match="not a whole bundle"):
        unpack_bundle(tmp_path / "missing.zip", tmp_path / "packs")
    for split in ({"foo": 1}, 7):
        found = {"stills": {"kind": "stills", "canvas": "9x9", "split": split}}
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(INDEX, json.dumps({"packs": found, "starts": []}))
        with pytest.raises(InputError, match="not a whole bundle"):
            unpack_bundle(file, tmp_path / "packs")
    of = {"kind": "stills", "canvas": "9x9"}
    strange = [{"packs": {name: of}, "starts": []} for name in ("..", "", "a/b")]
    for index in [*strange, {"packs": {}, "starts": [".."]}]:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(INDEX, json.dumps(index))
        with pytest.raises(InputError, match="expected the name of a folder"):
            unpack_bundle(file, tmp_path / "packs")
    spoilt = bytearray(whole.read_bytes())
    with zipfile.ZipFile(whole) as archive:
        picture = archive.infolist()[1]
    spoilt[picture.header_offset + MEMBER + len(picture.filename)] ^= 255
    file.write_bytes(spoilt)
    with pytest.raises(InputError, match="not a whole bundle"):
        unpack_bundle(file, tmp_path / "packs")
    assert not any((tmp_path / "packs").iterdir()), "nothing is left half unpacked"
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="could not be written"):
        unpack_bundle(whole, tmp_path / "file")


def test_what_lies_where_a_pack_is_to_be_is_not_deleted(data: Path, tmp_path: Path) -> None:
    file, mine = tmp_path / "bundle.zip", tmp_path / "packs" / "stills" / "mine.txt"
    bundle.write_bundle(file, sources(data), MIB, 40)
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(InputError, match=r"holds mine\.txt"):
        unpack_bundle(file, tmp_path / "packs")
    assert mine.read_text() == "mine"


def test_the_command_packs_prints_and_unpacks(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    shutil.copytree(data, root)
    paint_videos(root / "clips", ("one", "two"), 3)
    monkeypatch.setattr(bundle, "DATA", root)
    file = tmp_path / "bundle.zip"
    monkeypatch.setattr(sys, "argv", ["bundle.py", str(file), "--limit", "1", "--frames", "6"])
    bundle.main()
    header, *lines, total = capsys.readouterr().out.splitlines()
    assert header.split() == ["pack", "pictures", "side", "stride", "MiB"]
    counts = {line.split()[0]: int(line.split()[1]) for line in lines}
    assert counts == {"clips-apart": 6, "davis2016-train": 6, "stills": 12}
    assert f"{file.stat().st_size / MIB:.2f} MiB" in total
    argv = ["bundle.py", str(file), "--unpack", "--out", str(tmp_path / "packs")]
    monkeypatch.setattr(sys, "argv", argv)
    bundle.main()
    unpacked = {line: len(open_pack(line).images) for line in capsys.readouterr().out.splitlines()}
    assert unpacked == {
        str(tmp_path / "packs" / "clips-apart" / "train"): 3,
        str(tmp_path / "packs" / "clips-apart" / "held-out"): 3,
        str(tmp_path / "packs" / "davis2016-train"): 6,
        str(tmp_path / "packs" / "stills"): 12,
    }
    monkeypatch.setattr(sys, "argv", ["bundle.py", str(tmp_path / "none.zip"), "--unpack"])
    with pytest.raises(SystemExit, match="not a whole bundle"):
        bundle.main()


def test_weights_travel_too(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As int8, compressed, within the limit that the source tree leaves."""
    model = {"width": 4}
    network = create("unet", **model)
    save_network(tmp_path / "start.safetensors", network, "unet", model)
    begin = f'init = "{tmp_path / "start.safetensors"}"'
    (tmp_path / "small.toml").write_text(f'family = "unet"\nmodel = {{ width = 4 }}\n{begin}\n')
    (tmp_path / "fresh.toml").write_text('family = "unet"\n')
    tree, file = MIB // 2, tmp_path / "bundle.zip"
    monkeypatch.setattr(travel, "TAKES", tree + travel.SPARE + MIB // 5)
    monkeypatch.setattr(travel, "tree_bytes", lambda root, bundle: tree)
    monkeypatch.setattr(bundle, "DATA", data)
    monkeypatch.setattr(bundle, "sources", lambda *wanted: sources(data))
    recipes = [str(tmp_path / f"{name}.toml") for name in ("small", "fresh")]
    monkeypatch.setattr(sys, "argv", ["bundle.py", str(file), "--recipes", *recipes])
    bundle.main()
    said = capsys.readouterr().out
    assert said.startswith("The source tree takes 0.50 MiB without its weights")
    assert "0.20 of" in said.splitlines()[0] and "\nweights " in said
    assert file.stat().st_size <= MIB // 5
    unpacked = unpack_bundle(file, tmp_path / "packs")
    assert list(unpacked.packs) == ["davis2016-train", "stills"]
    assert unpacked.starts == {"small": tmp_path / "packs" / "starts" / "small.safetensors"}
    back, family = load_network(unpacked.starts["small"])
    assert family == "unet"
    for (name, weight), there in zip(network.named_parameters(), back.parameters(), strict=True):
        step = weight.detach().abs().max() / 127
        assert (there - weight).abs().max() <= 0.51 * step + 1e-3, name


def test_damaged_or_missing_weights_are_refused(data: Path, tmp_path: Path) -> None:
    save_network(tmp_path / "start.safetensors", create("unet", width=4), "unet", {"width": 4})
    file, packs = tmp_path / "bundle.zip", tmp_path / "packs"
    starts = {"small": tmp_path / "start.safetensors"}
    bundle.write_bundle(file, sources(data), MIB, 40, starts)
    whole = bytearray(file.read_bytes())
    whole[1000:1100] = bytes(100)
    file.write_bytes(whole)
    with pytest.raises(InputError, match="not a whole bundle"):
        unpack_bundle(file, packs)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(INDEX, json.dumps({"packs": {}, "starts": ["small"]}))
    with pytest.raises(InputError, match="not a whole bundle"):
        unpack_bundle(file, packs)
    assert not any(packs.iterdir())


def test_weights_that_leave_no_room_are_refused(data: Path, tmp_path: Path) -> None:
    save_network(tmp_path / "start.safetensors", create("unet", width=4), "unet", {"width": 4})
    starts, file = {"small": tmp_path / "start.safetensors"}, tmp_path / "bundle.zip"
    with pytest.raises(InputError, match=r"weights alone are larger than 0\.10 MiB"):
        bundle.write_bundle(file, sources(data), MIB // 10, 40, starts)
    with pytest.raises(InputError, match="no weights file"):
        bundle.write_bundle(file, sources(data), MIB, 40, {"small": tmp_path / "gone.safetensors"})
    assert not file.exists()
