"""What values of masks mean: the same in all masks of a sequence, whoever has left."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from masktrail import masks
from masktrail.errors import InputError
from masktrail.masks.legend import decide
from masktrail.masks.values import stored

SIZE = (24, 40)
PLACES = {1: np.s_[2:8, 2:10], 2: np.s_[10:16, 12:22], 3: np.s_[17:23, 25:38]}
"""Where objects are."""

TABLE = np.array([(0, 0, 0), (230, 25, 75), (60, 180, 75), (255, 225, 25)], np.uint8)
"""Colours of objects, none of them DAVIS'; ascending they are 2, 1, 3."""


def labels(*ids: int) -> np.ndarray:
    painted = np.zeros(SIZE, np.uint8)
    for object_id in ids:
        painted[PLACES[object_id]] = object_id
    return painted


def in_palette(indices: np.ndarray, colours: np.ndarray) -> Image.Image:
    picture = Image.fromarray(indices)
    picture.putpalette(np.ascontiguousarray(colours, np.uint8).tobytes())
    return picture


def packed(painted: np.ndarray) -> Image.Image:
    """A palette of the colours that occur, in their order, as tools make one of a coloured mask."""
    there = np.unique(painted)
    return in_palette(np.searchsorted(there, painted).astype(np.uint8), TABLE[there])


def sorted_anew(painted: np.ndarray) -> Image.Image:
    """Such a palette, black last."""
    there = np.unique(painted)[::-1]
    return in_palette((len(there) - 1 - np.searchsorted(there[::-1], painted)).astype(np.uint8),
                      TABLE[there])  # fmt: skip


GREYS = np.array([0, 3, 40, 200], np.uint8)
SHADES = np.array([0, 85, 170, 255], np.uint8)

WRITTEN: dict[str, tuple[Callable[[np.ndarray], Image.Image], list[int]]] = {
    "colours": (lambda m: Image.fromarray(TABLE[m]), [2, 1, 3]),
    "colours with transparency": (lambda m: Image.fromarray(TABLE[m]).convert("RGBA"), [2, 1, 3]),
    "grey values": (lambda m: Image.fromarray(GREYS[m]), [3, 40, 200]),
    "shades": (lambda m: Image.fromarray(SHADES[m]), [1, 2, 3]),
    "palette": (lambda m: in_palette(m, TABLE), [1, 2, 3]),
    "palettes of what there is": (packed, [2, 1, 3]),
    "palettes sorted anew": (sorted_anew, [2, 1, 3]),
    "16 bits": (lambda m: Image.fromarray(GREYS[m].astype(np.uint16) * 300), [900, 12000, 60000]),
    "DAVIS' colours": (lambda m: Image.fromarray(masks.palette()[m]), [1, 2, 3]),
}
"""How a label map of 1, 2, 3 is written, and the ids that are read of it."""


def written(folder: Path, pictures: list[Image.Image]) -> list[Path]:
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{t:05}.png" for t in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        picture.save(path)
    return paths


@pytest.mark.parametrize("how", WRITTEN)
def test_an_object_keeps_its_id_where_others_have_left(tmp_path: Path, how: str) -> None:
    write, ids = WRITTEN[how]
    sequence = [labels(1, 2, 3), labels(2, 3), labels(1, 3), labels(3), labels(2), labels()]
    paths = written(tmp_path / "masks", [write(painted) for painted in sequence])
    legend = masks.read_legend(paths)
    table = np.array([0, *ids], np.uint16)
    for path, painted in zip(paths, sequence, strict=True):
        np.testing.assert_array_equal(masks.read_labels(path, legend)[0], table[painted])


@given(
    how=st.sampled_from(sorted(WRITTEN)),
    present=st.lists(st.sets(st.sampled_from((1, 2, 3))), min_size=1, max_size=6),
)
def test_the_order_of_masks_does_not_matter(how: str, present: list[set[int]]) -> None:
    write, _ = WRITTEN[how]
    pictures = [write(labels(*ids)) for ids in [{1, 2, 3}, *present]]
    by_colour = how.startswith("palettes")
    values = [stored(picture, by_colour).values for picture in pictures]
    there, back = decide(values), decide(values[::-1])
    assert there.ids == back.ids and there.note == back.note


def test_ids_are_kept_where_palettes_differ_and_share_no_colour(tmp_path: Path) -> None:
    other = np.array([(0, 0, 0), (1, 2, 3), (4, 5, 6), (7, 8, 9)], np.uint8)
    pictures = [in_palette(labels(1, 2, 3), TABLE), in_palette(labels(1, 3), other)]
    paths = written(tmp_path / "masks", pictures)
    legend = masks.read_legend(paths)
    for path, painted in zip(paths, (labels(1, 2, 3), labels(1, 3)), strict=True):
        np.testing.assert_array_equal(masks.read_labels(path, legend)[0], painted)


def test_a_black_mask_among_transparent_ones_is_empty(tmp_path: Path) -> None:
    coloured = Image.fromarray(TABLE[labels(1, 2)])
    coloured.putalpha(Image.fromarray((labels(1, 2) > 0).astype(np.uint8) * 255))
    paths = written(tmp_path / "masks", [coloured, Image.new("RGB", SIZE[::-1])])
    legend = masks.read_legend(paths)
    ids = np.array([0, 2, 1], np.uint8)
    np.testing.assert_array_equal(masks.read_labels(paths[0], legend)[0], ids[labels(1, 2)])
    assert not masks.read_labels(paths[1], legend)[0].any()


def test_void_of_davis_is_void_as_a_colour_too(tmp_path: Path) -> None:
    index = np.array([0, 1, 2, 255], np.uint8)[labels(1, 2, 3)]
    (path,) = written(tmp_path / "masks", [in_palette(index, masks.palette()).convert("RGB")])
    found, note = masks.read_labels(path)
    np.testing.assert_array_equal(found, labels(1, 2))
    assert note and "is void" in note


@pytest.mark.parametrize("empty", ["1", "P", "L"])
def test_a_mask_with_nothing_in_it_changes_nothing(tmp_path: Path, empty: str) -> None:
    shades = Image.fromarray(SHADES[labels(1, 2, 3)])
    paths = written(tmp_path / "masks", [shades, Image.new(empty, SIZE[::-1])])
    legend = masks.read_legend(paths)
    np.testing.assert_array_equal(masks.read_labels(paths[0], legend)[0], labels(1, 2, 3))
    assert not masks.read_labels(paths[1], legend)[0].any()


def test_255_is_void_in_all_masks_or_in_none(tmp_path: Path) -> None:
    def frames(*values: int) -> list[Image.Image]:
        one, two = np.array([0, 1, 255, 0], np.uint8), np.array([0, *values, 0], np.uint8)
        return [in_palette(one[labels(1, 2)], masks.palette()), Image.fromarray(two[labels(2)])]

    paths = written(tmp_path / "void", frames(1, 255))
    legend = masks.read_legend(paths)
    assert legend.void
    np.testing.assert_array_equal(masks.read_labels(paths[0], legend)[0], labels(1))
    assert not masks.read_labels(paths[1], legend)[0].any(), "though alone it would be an object"
    assert masks.read_labels(paths[1])[0].any()
    white = [Image.fromarray(labels(1) * 255), Image.fromarray(labels(2) > 0)]
    paths = written(tmp_path / "white", white)
    legend = masks.read_legend(paths)
    assert not legend.void
    for path, place in zip(paths, (1, 2), strict=True):
        np.testing.assert_array_equal(masks.read_labels(path, legend)[0], labels(place) > 0)


def test_our_own_masks_are_read_as_they_were_written_beside_others(tmp_path: Path) -> None:
    paths = written(tmp_path / "masks", [in_palette(labels(1, 2) // 2 * 255, masks.palette())])
    ours = tmp_path / "masks" / "00001.png"
    masks.write_labels(ours, labels(1, 2) * 85)
    legend = masks.read_legend([*paths, ours])
    np.testing.assert_array_equal(masks.read_labels(ours, legend)[0], labels(1, 2) * 85)
    np.testing.assert_array_equal(masks.read_labels(paths[0], legend)[0], labels(2) > 0)


@pytest.mark.parametrize("side", [3, 5, 12])
def test_a_map_of_fifty_small_objects_is_no_photograph(tmp_path: Path, side: int) -> None:
    rows, columns = np.mgrid[: 8 * side, : 12 * side] // side
    ids = np.where((rows * 12 + columns) % 2, rows * 6 + columns // 2 + 1, 0).astype(np.uint8)
    assert len(np.unique(ids)) == 49
    noisy = np.random.default_rng(0).integers(1, 255, (256, 3), np.uint8)
    noisy[0] = 0
    paths = written(tmp_path / "masks", [Image.fromarray(ids), in_palette(ids, noisy)])
    for path in paths:
        np.testing.assert_array_equal(masks.read_labels(path)[0], ids)


def test_a_picture_in_few_colours_is_no_map_of_many_objects(tmp_path: Path) -> None:
    y, x = np.mgrid[:80, :120]
    grain = np.random.default_rng(0).normal(0, 6, (80, 120))
    shaded = (100 + 60 * np.sin(x / 15) + 40 * np.cos(y / 9) + grain).clip(0, 255)
    grey = Image.fromarray(shaded.astype(np.uint8))
    for picture in (grey, grey.convert("RGB").quantize(128)):
        (path,) = written(tmp_path / "masks", [picture])
        with pytest.raises(InputError, match="looks like a photograph"):
            masks.read_labels(path)


def test_more_colours_than_objects_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = []
    for _ in range(12):
        table = np.concatenate([[[0, 0, 0]], rng.integers(1, 255, (3, 3))]).astype(np.uint8)
        pictures.append(Image.fromarray(table[labels(1, 2, 3)]))
    with pytest.raises(InputError, match=r"37 colours in all .*one for each object"):
        masks.read_legend(written(tmp_path / "masks", pictures))


def test_a_value_that_the_others_do_not_have_is_told(tmp_path: Path) -> None:
    legend = masks.read_legend(written(tmp_path / "a", [Image.fromarray(TABLE[labels(1)])]))
    (path,) = written(tmp_path / "b", [Image.fromarray(TABLE[labels(2)])])
    with pytest.raises(InputError, match=r"00000\.png: has rgb\(60, 180, 75\), which none"):
        masks.read_labels(path, legend)
