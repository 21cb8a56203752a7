"""Outlines that labelme opens and edits."""

import json
from pathlib import Path
from typing import Any, ClassVar

from masktrail.export.base import each_object, named
from masktrail.export.polygons import Polygon, outlines
from masktrail.files import make_folder, replacing
from masktrail.libraries import library
from masktrail.results import Result
from masktrail.types import Frame, VideoInfo

VERSION = "5.5.0"
"""Of labelme, whose files these are like."""


class LabelmeWriter:
    """`labelme/00000.json ...`: a polygon per piece of an object, `group_id` = object id.

    Args:
        out: folder under which `labelme` is made; the frames are expected in it, `00000.jpg ...`.
    """

    about: ClassVar[str] = "labelme polygons (JSON), one file per frame"
    files: ClassVar[tuple[str, ...]] = ("labelme/{frame}.json",)
    needs_soft: ClassVar[bool] = False

    def __init__(self, out: Path) -> None:
        library("cv2", "OpenCV", "The export labelme")  # before anything is replaced
        self.folder = Path(out) / "labelme"
        self._cv2: Any = None

    def open(self, info: VideoInfo) -> None:
        self._cv2 = library("cv2", "OpenCV", "The export labelme")
        make_folder(self.folder)

    def write(self, frame: Frame, result: Result) -> None:
        height, width = result.labels.shape
        content = {
            "version": VERSION,
            "flags": {},
            "shapes": [
                _shape(object_id, polygon)
                for object_id, mask in each_object(result.labels)
                for polygon in outlines(mask, self._cv2)
            ],
            "imagePath": f"{frame.index:05d}.jpg",
            "imageData": None,
            "imageHeight": height,
            "imageWidth": width,
        }
        with replacing(self.folder / f"{frame.index:05d}.json") as part:
            part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    def close(self, whole: bool = True) -> None:
        """Nothing to complete."""

    def abort(self) -> None:
        """Nothing to drop: files that are there are valid."""


def _shape(object_id: int, polygon: Polygon) -> dict[str, Any]:
    return {
        "label": named(object_id),
        "points": polygon.tolist(),
        "group_id": object_id,
        "description": "",
        "shape_type": "polygon",
        "flags": {},
        "mask": None,
    }
