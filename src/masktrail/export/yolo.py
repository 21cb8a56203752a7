"""Outlines for training YOLO on segmentation."""

from pathlib import Path
from typing import Any, ClassVar

from masktrail.export.base import each_object, named
from masktrail.export.polygons import Polygon, joined, outlines
from masktrail.files import make_folder, replacing
from masktrail.libraries import library
from masktrail.results import Result
from masktrail.types import Frame, VideoInfo


class YoloWriter:
    """`labels/00000.txt ...` and `data.yaml`, as Ultralytics reads them.

    A line per object: its class, which is its id less one, and the corners of one polygon,
    x and y over width and height. A line is an instance there, so the pieces of an object are
    joined by thin lines, as Ultralytics' own conversion from COCO joins them. A frame without
    objects is an empty file. `data.yaml` names a class for every id up to the greatest.

    Args:
        out: folder of both; the frames are expected beside them, `images/00000.jpg ...`.
    """

    about: ClassVar[str] = "YOLO segmentation labels (text)"
    files: ClassVar[tuple[str, ...]] = ("labels/{frame}.txt", "data.yaml")
    needs_soft: ClassVar[bool] = False

    def __init__(self, out: Path) -> None:
        library("cv2", "OpenCV", "The export yolo")  # before anything is replaced
        self.folder, self.path = Path(out) / "labels", Path(out) / "data.yaml"
        self._cv2: Any = None
        self._greatest = 0

    def open(self, info: VideoInfo) -> None:
        self._cv2 = library("cv2", "OpenCV", "The export yolo")
        make_folder(self.folder)

    def write(self, frame: Frame, result: Result) -> None:
        self._greatest = max(self._greatest, 0, *result.objects)
        lines = []
        for object_id, mask in each_object(result.labels):
            self._greatest = max(self._greatest, object_id)
            polygon = joined(outlines(mask, self._cv2))
            lines.append(_line(object_id - 1, polygon, mask.shape))
        with replacing(self.folder / f"{frame.index:05d}.txt") as part:
            part.write_text("".join(lines), encoding="utf-8")

    def close(self, whole: bool = True) -> None:
        """Writes `data.yaml`; the labels are complete already."""
        if self._cv2 is None:
            return
        self._cv2 = None
        names = [f"  {i}: {named(i + 1)}\n" for i in range(self._greatest)]
        with replacing(self.path) as part:
            text = "train: images\nval: images\nnames:\n" + "".join(names)
            part.write_text(text, encoding="utf-8")

    def abort(self) -> None:
        """Nothing to drop: labels that are there are valid."""
        self._cv2 = None


def _line(class_index: int, polygon: Polygon, shape: tuple[int, ...]) -> str:
    numbers = (polygon / (shape[1], shape[0])).reshape(-1)
    return " ".join([str(class_index), *(f"{number:.6f}" for number in numbers)]) + "\n"
