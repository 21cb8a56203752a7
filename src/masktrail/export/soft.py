"""One soft mask per object and frame."""

from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.files import make_folder, replacing
from masktrail.results import NOT_KEPT, Result
from masktrail.types import Frame, VideoInfo


class SoftWriter:
    """`soft/<id>/00000.png ...`: 16-bit grey PNG, 0 to 65535 for a probability of 0 to 1.

    Every picture is complete as soon as it has its name; nothing is left to close.

    Args:
        out: folder under which `soft` is made.
    """

    about: ClassVar[str] = "soft masks as 16-bit PNG"
    files: ClassVar[tuple[str, ...]] = ("soft/{id}/{frame}.png",)
    needs_soft: ClassVar[bool] = True

    def __init__(self, out: Path) -> None:
        self.folder = Path(out) / "soft"

    def open(self, info: VideoInfo) -> None:
        make_folder(self.folder)

    def write(self, frame: Frame, result: Result) -> None:
        """Writes a picture per object.

        Raises:
            InputError: nobody kept soft masks.
        """
        if result.soft is NOT_KEPT:
            raise InputError(
                "The export soft needs soft masks, and this finished run keeps none; track again "
                "with soft among the exports."
            )
        for object_id, mask in result.soft.items():
            make_folder(self.folder / str(object_id))
            _write_soft(self.folder / str(object_id) / f"{frame.index:05d}.png", mask)

    def close(self, whole: bool = True) -> None:
        """Nothing to complete."""

    def abort(self) -> None:
        """Nothing to drop: pictures that are there are valid."""


def _write_soft(path: Path, mask: NDArray[np.float32]) -> None:
    from PIL import Image

    steps = np.round(mask.clip(0, 1) * 65535).astype(np.uint16)
    with replacing(path) as part:
        Image.fromarray(steps).save(part, "PNG", compress_level=1)
