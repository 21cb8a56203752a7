"""Where weights files lie: in the package, in a folder of weights, in a cache, or at an address."""

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

from masktrail.errors import InputError
from masktrail.files import cannot_write

log = logging.getLogger(__name__)

VARIABLE = "MASKTRAIL_WEIGHTS"
"""Environment variable that names a folder of weights, or an http(s) address that has them."""

TIMEOUT = 30.0
"""Seconds without a byte after which a download is given up."""

CHUNK = 1 << 22
"""Bytes between two lines of a download's log."""


def find(files: Mapping[str, str], shipped: Path, url: str = "") -> Path:
    """The first of the files of a model, all of them in one folder and as published.

    Looked for in the package, in `MASKTRAIL_WEIGHTS`, in `weights/` of the source tree and in the
    cache; downloaded into the cache where they are in none.

    Args:
        files: SHA-256 by name, in order; at least one.
        shipped: the package's weights folder.
        url: address of the folder they are published in, "" where there is none;
            `MASKTRAIL_WEIGHTS` goes before it.

    Raises:
        InputError: a file is nowhere, is not as published, or cannot be fetched or written.
    """
    there = lying(files, shipped)
    folder = there.parent if there else _fetch(files, shipped, url)
    for name, digest in files.items():
        if sha256(folder / name) != digest:
            raise InputError(
                f"{folder / name} is damaged or not the file published (its SHA-256 differs); "
                "delete it and fetch it again, or reinstall masktrail."
            )
    return folder / next(iter(files))


def lying(files: Mapping[str, str], shipped: Path) -> Path | None:
    """The first of the files of a model where all lie in one folder already, unchecked."""
    folder = next((f for f in _folders(shipped) if not _missing(files, f)), None)
    return folder / next(iter(files)) if folder else None


def sha256(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"The weights file {path} cannot be read: {error.strerror}.") from error


def cache() -> Path:
    """The folder that downloads are kept in."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "masktrail"


def _folders(shipped: Path) -> Iterator[Path]:
    yield shipped
    location = os.environ.get(VARIABLE, "")
    if location and not _is_address(location):
        yield Path(location).expanduser()
    source_tree = shipped.parents[2]
    if (source_tree / "pyproject.toml").is_file():
        yield source_tree / "weights"
    yield cache()


def _is_address(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _missing(files: Mapping[str, str], folder: Path) -> list[str]:
    return [name for name in files if not (folder / name).is_file()]


def _fetch(files: Mapping[str, str], shipped: Path, url: str) -> Path:
    """Downloads what the cache lacks of the files; returns the cache."""
    location = os.environ.get(VARIABLE, "")
    base = location if _is_address(location) else url
    if not base:
        folders = list(_folders(shipped))
        missing = min((_missing(files, folder) for folder in folders), key=len)
        raise InputError(
            f"The weights {', '.join(missing)} are missing; looked in "
            f"{', '.join(map(str, folders))}. Copy them into one of these folders, or set "
            f"{VARIABLE} to the folder or the http(s) address that has them."
        )
    for name in _missing(files, cache()):
        _download(f"{base.rstrip('/')}/{quote(name)}", cache() / name, files[name])
    return cache()


def _download(url: str, path: Path, digest: str) -> None:
    """Fetches a file; it appears under its name only when it is whole and as published."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".part-", dir=path.parent) as scratch:
            part = Path(scratch) / path.name  # several processes may be at it at once
            _copy(url, part)
            if sha256(part) != digest:
                raise InputError(f"What {url} sent is not the file published; try again later.")
            part.replace(path)
    except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
        raise InputError(
            f"{url} could not be fetched ({error}); try again, or copy {path.name} into a folder "
            f"and set {VARIABLE} to it."
        ) from error
    except OSError as error:
        raise cannot_write(path, error) from error


def _copy(url: str, path: Path) -> None:
    with urlopen(url, timeout=TIMEOUT) as answer, path.open("wb") as file:
        total = int(answer.headers.get("Content-Length") or 0)
        while chunk := answer.read(CHUNK):
            file.write(chunk)
            log.info("Fetching %s: %.1f of %.1f MB", url, file.tell() / 1e6, total / 1e6)
