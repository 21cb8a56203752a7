"""Names of files that are taken for videos or pictures, the same everywhere."""

from pathlib import Path

PAGED = {".apng", ".avif", ".png", ".tif", ".tiff", ".webp"}
"""Pictures of which one file may hold many, so that it is a video."""

PICTURES = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
"""Files of a folder that are its frames."""

VIDEOS = PAGED | {
    ".3g2", ".3gp", ".asf", ".avi", ".f4v", ".flv", ".gif", ".m2ts", ".m2v", ".m4v", ".mkv",
    ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m",
}  # fmt: skip
"""Files that are taken for videos where nobody names them; `track` takes any."""


def is_picture(path: Path) -> bool:
    """Whether a file is named as a frame of a folder is."""
    return path.suffix.lower() in PICTURES and not path.name.startswith(".")
