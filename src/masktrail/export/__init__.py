"""Writers of results: `WRITERS` by name, `make_writers` for a comma-separated list of names."""

from pathlib import Path

from masktrail.errors import InputError
from masktrail.export.base import Writer
from masktrail.export.overlay import OverlayWriter
from masktrail.export.pictures import DavisWriter
from masktrail.export.review import ReviewWriter
from masktrail.export.table import CsvWriter

__all__ = [
    "WRITERS",
    "CsvWriter",
    "DavisWriter",
    "OverlayWriter",
    "ReviewWriter",
    "Writer",
    "make_writers",
]

WRITERS: dict[str, type[Writer]] = {
    "davis": DavisWriter,
    "csv": CsvWriter,
    "overlay": OverlayWriter,
    "review": ReviewWriter,
}


def make_writers(names: str, out: Path | str) -> list[Writer]:
    """Writers for `names`, such as "davis,csv", each once; nothing is opened yet.

    Raises:
        InputError: an unknown name, or none.
    """
    wanted = list(dict.fromkeys(name.strip().lower() for name in names.split(",") if name.strip()))
    unknown = [name for name in wanted if name not in WRITERS]
    if unknown or not wanted:
        found = f"No export {', '.join(unknown)}" if unknown else "No export named"
        raise InputError(f"{found}; there are {', '.join(WRITERS)} (several with commas).")
    return [WRITERS[name](Path(out)) for name in wanted]
