"""What the name of a source or a target means: files come first, whatever their names look like."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname


def local(source: str | os.PathLike[str] | int) -> str:
    """A source's name, a URL of a file as its path.

    `file:///a/my%20clip.mp4` is how file managers give it, `file:///a/my clip.mp4` how people do.
    """
    name = os.fspath(source) if isinstance(source, os.PathLike) else str(source)
    if not name.lower().startswith("file://"):
        return name
    plain = name[len("file://") :]
    return plain if os.path.exists(plain) else url2pathname(urlsplit(name).path)


def is_url(name: str) -> bool:
    """Whether a name is a URL, and not that of a file such as `a://b.mp4`."""
    return "://" in name and not os.path.exists(name)


def for_ffmpeg(name: str | Path) -> str:
    """A name by which FFmpeg opens a file, though `10:22:33.mp4` might be a protocol."""
    text = str(name)
    return text if text == "-" or is_url(text) else f"file:{text}"
