"""Photographs with masks: `<set>/Images/<name>.jpg` beside `<set>/Masks/<name>.png`."""

from pathlib import Path

from masktrail.data.davis import Sequence, is_picture
from masktrail.errors import InputError


def find_stills(root: Path | str) -> list[Sequence]:
    """Lists every photograph below `root` that has a mask, each as a sequence of one frame.

    Raises:
        InputError: no `Images` / `Masks` pair with a picture in common at or below `root`.
    """
    sequences = [
        Sequence(f"{masks.parent.name}/{image.stem}", (image,), (masks / f"{image.stem}.png",))
        for masks in sorted(Path(root).rglob("Masks"))
        for image in sorted((masks.parent / "Images").glob("*"))
        if is_picture(image) and (masks / f"{image.stem}.png").is_file()
    ]
    if not sequences:
        raise InputError(f"{root} has no Images and Masks folders with a picture in common.")
    return sequences
