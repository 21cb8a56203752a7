"""Photographs with masks: `<set>/Images/<name>.jpg` beside `<set>/Masks/<name>.png`."""

from pathlib import Path

from masktrail.data.sequence import Sequence
from masktrail.errors import InputError
from masktrail.pictures.kinds import is_picture


def find_stills(root: Path | str) -> list[Sequence]:
    """Lists every photograph below `root` that has a mask, each as a sequence of one frame.

    Raises:
        InputError: no `Images` / `Masks` pair with a picture in common at or below `root`.
    """
    sequences = [
        Sequence(f"{masks.parent.name}/{image.stem}", (image,), (mask,))
        for masks in sorted(Path(root).rglob("Masks"))
        for image in sorted((masks.parent / "Images").glob("*"))
        if is_picture(image) and (mask := _mask_of(masks, image.stem))
    ]
    if not sequences:
        raise InputError(f"{root} has no Images and Masks folders with a picture in common.")
    return sequences


def _mask_of(folder: Path, stem: str) -> Path | None:
    paths = (folder / f"{stem}{suffix}" for suffix in (".png", ".PNG"))
    return next((path for path in paths if path.is_file()), None)
