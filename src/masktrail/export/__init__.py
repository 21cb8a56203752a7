"""Writers of results: `WRITERS` by name, `make_writers` for several with commas between."""

import os
from collections.abc import Iterable
from pathlib import Path

from masktrail.errors import InputError
from masktrail.export.alpha import AlphaWriter
from masktrail.export.base import Writer
from masktrail.export.coco import CocoWriter
from masktrail.export.cutout import CutoutWriter
from masktrail.export.cvat import CvatWriter
from masktrail.export.green import GreenWriter
from masktrail.export.labelme import LabelmeWriter
from masktrail.export.overlay import OverlayWriter
from masktrail.export.pictures import DavisWriter
from masktrail.export.records import JsonWriter
from masktrail.export.review import ReviewWriter
from masktrail.export.soft import SoftWriter
from masktrail.export.table import CsvWriter
from masktrail.export.yolo import YoloWriter
from masktrail.settings import check_text

__all__ = [
    "WRITERS",
    "AlphaWriter",
    "CocoWriter",
    "CsvWriter",
    "CutoutWriter",
    "CvatWriter",
    "DavisWriter",
    "GreenWriter",
    "JsonWriter",
    "LabelmeWriter",
    "OverlayWriter",
    "ReviewWriter",
    "SoftWriter",
    "Writer",
    "YoloWriter",
    "listed",
    "make_writers",
]

WRITERS: dict[str, type[Writer]] = {
    "davis": DavisWriter,
    "csv": CsvWriter,
    "overlay": OverlayWriter,
    "review": ReviewWriter,
    "coco": CocoWriter,
    "yolo": YoloWriter,
    "cvat": CvatWriter,
    "labelme": LabelmeWriter,
    "json": JsonWriter,
    "cutout": CutoutWriter,
    "alpha": AlphaWriter,
    "green": GreenWriter,
    "soft": SoftWriter,
}


def listed(names: str | Iterable[str]) -> str:
    """Names of writers, one by one or with commas between, as `make_writers` takes them.

    Raises:
        InputError: they are no names.
    """
    if isinstance(names, Iterable) and all(isinstance(name, str) for name in names):
        return names if isinstance(names, str) else ",".join(names)
    raise InputError(
        f"Exports are named, as 'davis,csv' or ['davis', 'csv'], not {names!r}; there are "
        f"{', '.join(WRITERS)}."
    )


def make_writers(names: str, out: Path | str) -> list[Writer]:
    """Writers for `names`, such as "davis,csv", each once; nothing is opened yet.

    Raises:
        InputError: an unknown name, or none; what is no text.
    """
    check_text(names, "export", "davis,csv")
    check_text(out, "out", "results", os.PathLike)
    formats = list(dict.fromkeys(name.strip().lower() for name in names.split(",") if name.strip()))
    unknown = [name for name in formats if name not in WRITERS]
    if unknown or not formats:
        problem = f"No export {', '.join(unknown)}" if unknown else "No export named"
        raise InputError(f"{problem}; there are {', '.join(WRITERS)} (several with commas).")
    return [WRITERS[name](Path(out)) for name in formats]
