"""Label maps: colours, reading by the rules, writing, one-hot, boxes."""

import errno
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageDraw, ImageOps

from masktrail import masks
from masktrail.errors import InputError
from masktrail.masks.values import MAX_VALUES

shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24)
maps8 = hnp.arrays(np.uint8, shapes)
maps16 = hnp.arrays(np.uint16, shapes)


def blocks(*values: int) -> np.ndarray:
    """Background with one 4x4 block per value, uint8 (16, 8 * n)."""
    picture = np.zeros((16, 8 * len(values)), np.uint8)
    for k, value in enumerate(values):
        picture[6:10, 8 * k + 2 : 8 * k + 6] = value
    return picture


def colour_blocks(*colours: tuple[int, int, int]) -> np.ndarray:
    index = blocks(*range(1, len(colours) + 1))
    return np.array([(0, 0, 0), *colours], np.uint8)[index]


def saved(path: Path, picture: Image.Image, **options: object) -> Path:
    picture.save(path, **options)
    return path


def paletted(index: np.ndarray, palette: np.ndarray) -> Image.Image:
    picture = Image.fromarray(index)
    picture.putpalette(palette.astype(np.uint8).tobytes())
    return picture


def test_palette_is_that_of_davis():
    colours = masks.palette()
    assert colours.shape == (256, 3) and colours.dtype == np.uint8
    assert len(np.unique(colours, axis=0)) == 256
    assert colours[[0, 1, 2, 3, 4, 21, 255]].tolist() == [
        [0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128], [128, 64, 128],
        [224, 224, 192],
    ]  # fmt: skip


@given(maps8)
@settings(max_examples=60)
def test_eight_bit_round_trip(tmp_path_factory, labels):
    path = tmp_path_factory.mktemp("m") / "00000.png"
    masks.write_labels(path, labels)
    with Image.open(path) as picture:
        assert picture.mode == "P"
        assert picture.getpalette() == masks.palette().reshape(-1).tolist()
    again, note = masks.read_labels(path)
    assert note is None and again.dtype == np.uint8
    np.testing.assert_array_equal(again, labels)


@given(maps16)
@settings(max_examples=60)
def test_sixteen_bit_round_trip(tmp_path_factory, labels):
    path = tmp_path_factory.mktemp("m") / "00000.png"
    masks.write_labels(path, labels)
    with Image.open(path) as picture:
        assert picture.mode == ("P" if labels.max() <= 255 else "I;16")
    again, note = masks.read_labels(path)
    assert note is None
    np.testing.assert_array_equal(again, labels)


@pytest.mark.parametrize(
    "picture",
    [
        Image.fromarray(blocks(255) > 0),
        Image.fromarray(blocks(255)),
        Image.fromarray(blocks(128)),
        Image.fromarray(blocks(1)),
        paletted(blocks(1), masks.palette()),
        paletted(blocks(255), masks.palette()),
        paletted(1 - blocks(1), np.array([[255, 255, 255], [0, 0, 0]])),
        Image.fromarray(colour_blocks((255, 255, 255))),
        Image.fromarray(colour_blocks((0, 128, 0))),
        Image.fromarray(colour_blocks((255, 255, 255))).convert("RGBA"),
        Image.fromarray(blocks(255)).convert("LA"),
        Image.fromarray(blocks(255).astype(np.uint16) * 257),
        Image.fromarray(np.stack([blocks(0)] * 3 + [blocks(255)], axis=-1)),
    ],
    ids=[
        *["1", "L 255", "L 128", "L 1", "P 1", "P 255", "P sorted anew", "RGB", "RGB green"],
        *["RGBA", "LA", "I;16", "RGBA black on transparent"],
    ],
)
def test_two_values_of_any_mode_are_object_1(tmp_path, picture):
    labels, _ = masks.read_labels(saved(tmp_path / "m.png", picture))
    np.testing.assert_array_equal(labels, blocks(1))
    assert labels.dtype == np.uint8


@pytest.mark.parametrize("values", [(2,), (1, 2, 3), (3, 5), tuple(range(1, 32))])
def test_small_grey_values_are_ids(tmp_path, values):
    path = saved(tmp_path / "m.png", Image.fromarray(blocks(*values)))
    labels, note = masks.read_labels(path)
    np.testing.assert_array_equal(labels, blocks(*values))
    assert note is None


def test_palette_index_is_the_id(tmp_path):
    path = saved(tmp_path / "m.png", paletted(blocks(7, 200), masks.palette()))
    np.testing.assert_array_equal(masks.read_labels(path)[0], blocks(7, 200))


def test_sixteen_bit_values_are_ids(tmp_path):
    values = blocks(1, 2, 3).astype(np.uint16) * 300
    labels, _ = masks.read_labels(saved(tmp_path / "m.png", Image.fromarray(values)))
    np.testing.assert_array_equal(labels, values)


@pytest.mark.parametrize("mode", ["P", "L"])
def test_void_becomes_background_and_is_said(tmp_path, mode, caplog):
    index = blocks(1, 2, 255)
    picture = paletted(index, masks.palette()) if mode == "P" else Image.fromarray(index)
    labels, note = masks.read_first_mask(saved(tmp_path / "m.png", picture))
    np.testing.assert_array_equal(labels, blocks(1, 2, 0))
    assert note and "void" in note and note in caplog.text


def test_one_object_per_colour_is_said(tmp_path, caplog):
    picture = Image.fromarray(colour_blocks((255, 0, 0), (0, 255, 0), (0, 0, 255)))
    labels, note = masks.read_first_mask(saved(tmp_path / "m.png", picture))
    np.testing.assert_array_equal(labels, blocks(3, 2, 1))
    assert note and "1 = rgb(0, 0, 255)" in note and note in caplog.text


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_grey_values_are_ids_however_large(tmp_path, mode):
    path = saved(tmp_path / "m.png", Image.fromarray(blocks(200, 90)).convert(mode))
    labels, note = masks.read_labels(path)
    np.testing.assert_array_equal(labels, blocks(200, 90))
    assert note is None


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_shades_up_to_white_are_one_object_each(tmp_path, mode):
    path = saved(tmp_path / "m.png", Image.fromarray(blocks(255, 90)).convert(mode))
    labels, note = masks.read_labels(path)
    np.testing.assert_array_equal(labels, blocks(2, 1))
    assert note and "1 = grey 90" in note


def test_davis_colours_keep_their_number(tmp_path):
    picture = paletted(blocks(5, 2), masks.palette()).convert("RGB")
    labels, _ = masks.read_labels(saved(tmp_path / "m.png", picture))
    np.testing.assert_array_equal(labels, blocks(5, 2))


def test_without_black_the_border_is_background(tmp_path):
    inverted = 255 - colour_blocks((0, 255, 255))  # red on white
    labels, note = masks.read_labels(saved(tmp_path / "m.png", Image.fromarray(inverted)))
    np.testing.assert_array_equal(labels, blocks(1))
    assert note and "background" in note


def test_one_value_fills_the_frame_or_nothing(tmp_path):
    for value in (0, 255):
        picture = Image.fromarray(np.full((4, 5), value, np.uint8))
        labels, _ = masks.read_labels(saved(tmp_path / "m.png", picture))
        assert (labels == value // 255).all()


def test_anti_aliased_and_photographic_masks_are_refused(tmp_path):
    smooth = Image.new("L", (400, 400))
    ImageDraw.Draw(smooth).ellipse((40, 40, 350, 310), fill=255)
    smooth = smooth.resize((101, 101), Image.Resampling.LANCZOS)
    count = len(np.unique(np.asarray(smooth)))
    assert count > MAX_VALUES
    for mode in ("L", "RGB", "P"):
        picture = smooth.convert(mode)
        with pytest.raises(InputError, match=f"has {count} .*values"):
            masks.read_labels(saved(tmp_path / "m.png", picture))
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    with pytest.raises(InputError, match=r"m\.png: has 1\d\d\d different values"):
        masks.read_labels(saved(tmp_path / "m.png", Image.fromarray(noise)))
    depth = np.arange(1600, dtype=np.uint16).reshape(40, 40) * 7
    with pytest.raises(InputError, match="1600"):
        masks.read_labels(saved(tmp_path / "m.png", Image.fromarray(depth)))


def test_few_grey_levels_along_edges_look_anti_aliased(tmp_path):
    picture = Image.fromarray(np.kron(blocks(255), np.ones((5, 5), np.uint8)))
    picture = picture.resize((19, 37), Image.Resampling.BOX)
    assert 2 < len(np.unique(np.asarray(picture))) <= MAX_VALUES
    with pytest.raises(InputError, match="anti-aliased"):
        masks.read_labels(saved(tmp_path / "m.png", picture))


def test_many_objects_in_sixteen_bit_are_no_photograph(tmp_path):
    values = np.kron(np.arange(100, dtype=np.uint16).reshape(10, 10), np.ones((3, 3), np.uint16))
    labels, _ = masks.read_labels(saved(tmp_path / "m.png", Image.fromarray(values * 5)))
    np.testing.assert_array_equal(labels, values * 5)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mask_is_turned_as_a_photograph_is(tmp_path, orientation):
    stored = np.arange(12, dtype=np.uint8).reshape(3, 4)
    picture = Image.fromarray(stored)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "m.png", picture, exif=exif)
    labels, _ = masks.read_labels(path)
    np.testing.assert_array_equal(labels, np.asarray(ImageOps.exif_transpose(Image.open(path))))


def test_many_objects_in_grey_are_no_photograph(tmp_path):
    values = np.kron(np.arange(36, dtype=np.uint8).reshape(6, 6), np.ones((20, 20), np.uint8))
    labels, _ = masks.read_labels(saved(tmp_path / "m.png", Image.fromarray(values)))
    np.testing.assert_array_equal(labels, values)
    shades = np.linspace(0, 200, 120).astype(np.uint8)[None].repeat(120, 0)
    with pytest.raises(InputError, match="looks like a photograph"):
        masks.read_labels(saved(tmp_path / "m.png", Image.fromarray(shades)))


def test_unreadable_files_get_a_sentence(tmp_path):
    with pytest.raises(InputError, match="no mask file"):
        masks.read_labels(tmp_path / "none.png")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(InputError, match="not a picture"):
        masks.read_labels(tmp_path / "text.png")
    with pytest.raises(InputError, match=r"cannot be read as a mask: Is a directory\.$"):
        masks.read_labels(tmp_path)
    noise = np.random.default_rng(0).integers(0, 3, (64, 64), np.uint8)
    masks.write_labels(tmp_path / "cut.png", noise)
    whole = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) - 400])
    with pytest.raises(InputError, match="damaged"):
        masks.read_labels(tmp_path / "cut.png")


def test_whatever_a_damaged_header_makes_of_itself_is_a_sentence(tmp_path):
    """Of a PNG whose checksums are right, so that it is read on."""
    path = tmp_path / "m.png"
    masks.write_labels(path, blocks(1, 2))
    whole = path.read_bytes()
    for header in (b"", whole[16:20], bytes(13), whole[16:24] + b"\x20\x09\0\0\0"):
        chunk = b"IHDR" + header
        sealed = len(header).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
        path.write_bytes(whole[:8] + sealed + whole[33:])
        with pytest.raises(InputError, match=r"m\.png .*cannot be read as a mask"):
            masks.read_labels(path)


def test_first_mask_must_fit_and_hold_an_object(tmp_path):
    path = tmp_path / "m.png"
    masks.write_labels(path, blocks(1, 2))
    assert masks.read_first_mask(path, (16, 16))[0].max() == 2
    with pytest.raises(InputError, match="16x16 but the video is 32x16"):
        masks.read_first_mask(path, (32, 16))
    masks.write_labels(path, blocks(0))
    with pytest.raises(InputError, match="empty"):
        masks.read_first_mask(path)


def test_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def full(*_args: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(InputError, match="disk is full"):
        masks.write_labels(tmp_path / "m.png", blocks(1))
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="could not be written"), masks.replacing(tmp_path / "a/b"):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="could not be written: Not a directory"):
        masks.write_labels(tmp_path / "file/m.png", blocks(1))


@given(maps16)
@settings(max_examples=60)
def test_areas_count_the_pixels_of_every_object(labels):
    ids = sorted(set(labels.reshape(-1).tolist()) - {0})
    assert masks.areas(labels) == {i: np.count_nonzero(labels == i) for i in ids}


@given(hnp.arrays(bool, shapes))
def test_tight_box_holds_every_pixel_and_touches_each_side(mask):
    box = masks.tight_box(mask)
    if box is None:
        assert not mask.any()
        return
    x0, y0, x1, y1 = box
    inside = mask[y0:y1, x0:x1]
    assert inside.sum() == mask.sum()
    assert inside[0].any() and inside[-1].any() and inside[:, 0].any() and inside[:, -1].any()


@given(st.integers(0, 65535), shapes)
def test_areas_of_a_flat_map(value, shape):
    expected = {value: shape[0] * shape[1]} if value else {}
    assert masks.areas(np.full(shape, value, np.uint16)) == expected
