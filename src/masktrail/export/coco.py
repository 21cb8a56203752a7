"""All masks in one file, as YouTube-VIS keeps them."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from masktrail.export.base import each_object
from masktrail.files import make_folder, replacing
from masktrail.libraries import library
from masktrail.masks import tight_box
from masktrail.results import Result
from masktrail.types import Frame, VideoInfo


class Seen(NamedTuple):
    """An object in a frame: COCO's run lengths, pixels, and (x, y, width, height)."""

    counts: bytes
    area: int
    box: tuple[int, int, int, int]


class CocoWriter:
    """`annotations.json`: COCO for videos, one annotation per object that is ever seen.

    Its `id` is the object's, its category always 1, "object". `segmentations` (compressed run
    lengths), `areas` and `bboxes` (x, y, width, height in pixels) have an entry per frame, null
    where the object is not there. `file_names` are the indices of the frames in the source.
    Memory holds the run lengths, some hundred bytes per object and frame it is seen in.

    Args:
        out: folder of the file.
    """

    about: ClassVar[str] = "COCO video JSON with run-length masks"
    files: ClassVar[tuple[str, ...]] = ("annotations.json",)
    needs_soft: ClassVar[bool] = False

    def __init__(self, out: Path) -> None:
        library("pycocotools.mask", "pycocotools", "The export coco")  # before anything is replaced
        self.path = Path(out) / "annotations.json"
        self._coco: Any = None
        self._size = (0, 0)
        self._names: list[str] = []
        self._seen: dict[int, dict[int, Seen]] = defaultdict(dict)

    def open(self, info: VideoInfo) -> None:
        self._coco = library("pycocotools.mask", "pycocotools", "The export coco")
        self._size = info.width, info.height
        make_folder(self.path.parent)

    def write(self, frame: Frame, result: Result) -> None:
        place = len(self._names)
        self._names.append(f"{frame.index:05d}.jpg")
        for object_id, mask in each_object(result.labels):
            x0, y0, x1, y1 = tight_box(mask) or (0, 0, 0, 0)
            counts = self._coco.encode(np.asfortranarray(mask, np.uint8))["counts"]
            entry = Seen(counts, int(mask.sum()), (x0, y0, x1 - x0, y1 - y0))
            self._seen[object_id][place] = entry

    def close(self, whole: bool = True) -> None:
        """Writes the file and gives it its name."""
        if self._coco is None:
            return
        self._coco = None
        begun = json.dumps(self._about()).removesuffix("}")
        with replacing(self.path) as part, part.open("w", encoding="utf-8") as file:
            file.write(f'{begun}, "annotations": [')
            for number, object_id in enumerate(sorted(self._seen)):
                file.write(",\n" if number else "\n")
                json.dump(self._annotation(object_id), file)
            file.write("\n]}\n")

    def abort(self) -> None:
        """Nothing to drop: the file is written at the end."""
        self._coco = None

    def _about(self) -> dict[str, Any]:
        width, height = self._size
        size = {"width": width, "height": height, "length": len(self._names)}
        return {
            "info": {"description": "Masks by MaskTrail"},
            "videos": [{"id": 1, **size, "file_names": self._names}],
            "categories": [{"id": 1, "name": "object", "supercategory": "object"}],
        }

    def _annotation(self, object_id: int) -> dict[str, Any]:
        width, height = self._size
        entries = [self._seen[object_id].get(place) for place in range(len(self._names))]
        return {
            "id": object_id,
            "video_id": 1,
            "category_id": 1,
            "iscrowd": 0,
            "width": width,
            "height": height,
            "length": len(entries),
            "segmentations": [
                entry and {"size": [height, width], "counts": entry.counts.decode("ascii")}
                for entry in entries
            ],
            "areas": [entry and entry.area for entry in entries],
            "bboxes": [entry and list(entry.box) for entry in entries],
        }
