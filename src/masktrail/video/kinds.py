"""Names of files that are taken for videos, the same everywhere."""

PAGED = {".apng", ".avif", ".png", ".tif", ".tiff", ".webp"}
"""Pictures of which one file may hold many, so that it is a video."""

VIDEOS = PAGED | {
    ".3g2", ".3gp", ".asf", ".avi", ".f4v", ".flv", ".gif", ".m2ts", ".m2v", ".m4v", ".mkv",
    ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m",
}  # fmt: skip
"""Files that are taken for videos where nobody names them; `track` takes any."""
