"""Small data sets as users bring them, each the same videos stored in another way."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from painted_sets import COLOURS, paint, save

NAMES = ("ants", "bees", "wasps")
FRAMES = 12
IDS = (1, 2)
SIZE = (96, 60)


def paint_set(root: Path) -> Path:
    """Three videos of two discs that move; in the second half of each the first disc is gone."""
    for k, name in enumerate(NAMES):
        for t in range(FRAMES):
            discs = [(20 + 2 * t, 18, 9.0), (70 - 2 * t, 42, 11.0 + k)]
            image, labels = paint(discs, COLOURS)
            if t >= FRAMES // 2:
                image[labels == 1], labels[labels == 1] = image[0, 0], 0
            save(image, picture(root, name, t))
            save(labels, mask(root, name, t))
    return root


def picture(root: Path, name: str, frame: int) -> Path:
    return root / "JPEGImages" / name / f"{frame:05}.png"


def mask(root: Path, name: str, frame: int) -> Path:
    return root / "Annotations" / name / f"{frame:05}.png"


def pictures_of(root: Path) -> list[Path]:
    return sorted((root / "JPEGImages").rglob("*.png"))


def masks_of(root: Path) -> list[Path]:
    return sorted((root / "Annotations").rglob("*.png"))


def array(path: Path) -> np.ndarray:
    with Image.open(path) as opened:
        return np.array(opened)


def deepen(root: Path) -> None:
    """Pictures in grey of 16 bits."""
    for path in pictures_of(root):
        grey = np.asarray(Image.fromarray(array(path)).convert("L"))
        Image.fromarray(grey.astype(np.uint16) * 257).save(path)


def as_tiff(root: Path) -> None:
    for path in pictures_of(root):
        Image.fromarray(array(path)).save(path.with_suffix(".tif"))
        path.unlink()


def turn(root: Path) -> None:
    """Pictures that lie on their side and say so."""
    for path in pictures_of(root):
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(array(path)).rotate(90, expand=True).save(path, exif=exif)


def recolour(table: np.ndarray) -> Callable[[Path], None]:
    """Masks whose label k is stored as row k of `table`."""

    def change(root: Path) -> None:
        for path in masks_of(root):
            Image.fromarray(table[array(path)]).save(path)

    return change


def with_void(root: Path) -> None:
    """The second object is 255, which beside a first one is void, and so where that has left."""
    for path in masks_of(root):
        found = Image.fromarray(np.array([0, 1, 255], np.uint8)[array(path)])
        found.putpalette([0, 0, 0, *[9, 99, 199] * 255])
        found.save(path)


def unpad(root: Path) -> None:
    for path in [*pictures_of(root), *masks_of(root)]:
        path.rename(path.with_name(f"{int(path.stem) + 1}.png"))


def capitals(root: Path) -> None:
    for path in [*pictures_of(root), *masks_of(root)]:
        path.rename(path.with_suffix(".PNG"))


def into_train(root: Path) -> None:
    """As MOSE and YouTube-VOS come."""
    for folder in ("JPEGImages", "Annotations"):
        (root / "train").mkdir(exist_ok=True)
        (root / folder).rename(root / "train" / folder)


def as_pairs(root: Path) -> Path:
    """Pictures and masks that stand alone: `images/ants_0.png`, `masks/ants_0_mask.png`."""
    for folder, to, ending in (("JPEGImages", "images", ""), ("Annotations", "masks", "_mask")):
        (root / to).mkdir()
        for path in sorted((root / folder).rglob("*.*")):
            name = f"{path.parent.name}_{path.stem}{ending}{path.suffix}"
            path.rename(root / to / name)
        shutil.rmtree(root / folder)
    return root


def shrink_to_specks(root: Path) -> None:
    """Objects of 3 pixels by 3."""
    for path in masks_of(root):
        labels, specks = array(path), np.zeros(SIZE[::-1], np.uint8)
        for object_id in np.unique(labels)[1:]:
            y, x = np.argwhere(labels == object_id).mean(0).astype(int)
            specks[y - 1 : y + 2, x - 1 : x + 2] = object_id
        Image.fromarray(specks).save(path)


def empty_all(root: Path) -> None:
    for path in masks_of(root):
        Image.fromarray(np.zeros(SIZE[::-1], np.uint8)).save(path)


def double(root: Path) -> None:
    """Two files for one frame."""
    path = picture(root, NAMES[0], 2)
    Image.fromarray(array(path)).save(path.with_suffix(".jpg"))


def stray(root: Path) -> None:
    picture(root, NAMES[1], 4).unlink()


def resize_one(root: Path) -> None:
    for path in (picture(root, NAMES[2], 7), mask(root, NAMES[2], 7)):
        Image.fromarray(array(path)[::2, ::2]).save(path)


def cut_off(root: Path) -> None:
    path = mask(root, NAMES[0], 3)
    path.write_bytes(path.read_bytes()[:-30])


def misname(root: Path) -> None:
    """Masks of one video that none of its pictures goes with."""
    for t in range(FRAMES):
        path = mask(root, NAMES[1], t)
        path.rename(path.with_name(f"mask{t + 100}.png"))


def misname_folder(root: Path) -> None:
    (root / "Annotations" / NAMES[1]).rename(root / "Annotations" / "bee")


def add_page(root: Path) -> None:
    path = picture(root, NAMES[0], 1)
    with Image.open(path) as opened:
        opened.save(path.with_suffix(".tif"), save_all=True, append_images=[opened.copy()])
    path.unlink()


RED_AND_GREEN = np.array([(0, 0, 0), (230, 25, 75), (60, 180, 75)], np.uint8)

SOUND: dict[str, tuple[Callable[[Path], None], dict[int, int]]] = {
    "sixteen-bit": (deepen, {1: 1, 2: 2}),
    "tiff": (as_tiff, {1: 1, 2: 2}),
    "turned": (turn, {1: 1, 2: 2}),
    "colours": (recolour(RED_AND_GREEN), {1: 2, 2: 1}),
    "grey-ids": (recolour(np.array([0, 3, 40], np.uint8)), {1: 3, 2: 40}),
    "void": (with_void, {1: 1, 2: 0}),
    "unpadded": (unpad, {1: 1, 2: 2}),
    "capitals": (capitals, {1: 1, 2: 2}),
    "mose": (into_train, {1: 1, 2: 2}),
}
"""How a set is stored, and which id each object has then."""

UNSOUND: dict[str, tuple[Callable[[Path], None], str]] = {
    "twice": (double, r"pictures that share their name with another .*: ants/00002\."),
    "stray": (stray, r"masks without a picture: bees/00004\.png\."),
    "sizes": (resize_one, r"sequences whose pictures change size: wasps\."),
    "misnamed": (misname, r"masks without a picture: bees/mask100\.png, .* and 10 more\."),
    "misnamed folder": (misname_folder, r"masks without a picture: bee/00000\.png, .* 10 more\."),
    "pages": (add_page, r"pictures of several pages: ants/00001\.tif\."),
    "cut off": (cut_off, r"masks damaged or cut off: ants/00003\.png\."),
}
"""What is wrong with a set, and what every command says of it."""


def stored_as(kind: str, root: Path) -> Path:
    """The set stored in one of these ways."""
    if root.exists():
        shutil.rmtree(root)
    paint_set(root)
    {**SOUND, **UNSOUND}[kind][0](root)
    return root
