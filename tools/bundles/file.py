"""The file that a bundle is: a zip of data sets made small, weights to start from, and an index."""

import json
import multiprocessing
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from masktrail.data.prepare import prepare
from masktrail.data.split import SplitSettings
from masktrail.errors import InputError
from masktrail.files import cannot_write
from signals import held_back

INDEX = "bundle.json"
"""Member that says of which kind each data set is, and the canvas of its pack; and which weights
there are."""

STARTS = "starts"
"""Folder of the weights."""

NAME = re.compile(r"[\w-][\w.-]*")
"""Of a pack or of weights: a folder or file beside others, not one elsewhere."""

MEMBER, END = 30 + 46, 22
"""Bytes of a zip's own: of a member, beside its name twice, and at the end."""


class Entry(NamedTuple):
    """A data set in a bundle: name of its pack, its kind, the pack's canvas as HEIGHTxWIDTH, and
    how its videos are split into a training and a held-out pack, if at all."""

    name: str
    kind: str
    canvas: str
    split: Mapping[str, Any] = MappingProxyType({})


class Index(NamedTuple):
    """What there is in a bundle: data sets, and names of weights."""

    packs: Sequence[Entry]
    starts: Sequence[str]


class Unpacked(NamedTuple):
    """What was made of a bundle: packs and weights, by their names; those of a split data set are
    NAME/train and NAME/held-out."""

    packs: Mapping[str, Path] = MappingProxyType({})
    starts: Mapping[str, Path] = MappingProxyType({})


def add(archive: zipfile.ZipFile, name: str, data: bytes) -> int:
    """Adds a member as it is; the bytes that it takes."""
    archive.writestr(_member(name), data)
    return stored(name, len(data))


def add_smaller(archive: zipfile.ZipFile, name: str, data: bytes) -> int:
    """Adds a member compressed; the bytes that it takes."""
    archive.writestr(_member(name), data, zipfile.ZIP_DEFLATED, 9)
    return stored(name, archive.getinfo(name).compress_size)


def stored(name: str, size: int) -> int:
    """Bytes that a member of `size` bytes takes in a zip."""
    return size + MEMBER + 2 * len(name.encode())


def index_of(packs: Sequence[Entry], starts: Sequence[str]) -> bytes:
    """The member `INDEX`."""
    listed = {e.name: {"kind": e.kind, "canvas": e.canvas, "split": dict(e.split)} for e in packs}
    return json.dumps({"packs": listed, "starts": list(starts)}).encode()


def start_member(name: str) -> str:
    """The member that holds weights called `name`."""
    return f"{STARTS}/{name}.safetensors"


def read_index(file: Path) -> Index:
    """What there is in a bundle.

    Raises:
        InputError: it is none.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            index = json.loads(archive.read(INDEX))
        packs = [_entry(name, fields) for name, fields in index["packs"].items()]
        starts = [str(name) for name in index["starts"]]
    except (
        OSError,
        zipfile.BadZipFile,
        AttributeError,
        LookupError,
        ValueError,
        TypeError,
    ) as error:
        raise InputError(f"{file} is not a whole bundle: {error}.") from error
    for name in [*(entry.name for entry in packs), *starts]:
        if not NAME.fullmatch(name):
            raise InputError(f"{file} has a pack called {name!r}; expected the name of a folder.")
    return Index(packs, starts)


def _entry(name: str, fields: Mapping[str, Any]) -> Entry:
    """A data set by its part of the index."""
    split = dict(fields.get("split", {}))
    SplitSettings(**split)  # nothing else is to reach `prepare`
    return Entry(name, fields["kind"], fields["canvas"], split)


def unpack_bundle(file: Path, out: Path) -> Unpacked:
    """Makes packs of what a bundle holds, each in a process of its own.

    Args:
        file: as `bundle.write_bundle` made it.
        out: folder of the packs and of `starts/`; what is there of the same names is replaced, if
            it is a pack or weights.

    Raises:
        InputError: it is no bundle, or a pack cannot be written.
    """
    index = read_index(file)
    with _folder_in(out) as folder:
        try:
            with zipfile.ZipFile(file) as archive:
                archive.extractall(folder)
                for name in index.starts:
                    archive.getinfo(start_member(name))
        except (zipfile.BadZipFile, zlib.error, KeyError) as error:
            raise InputError(f"{file} is not a whole bundle: {error}.") from error
        # processes that are forked would share the threads of this one
        with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
            with held_back():
                jobs = [pool.submit(_pack, entry, folder, out) for entry in index.packs]
            try:
                names = [name for job in jobs for name in job.result()]
            except BrokenProcessPool as error:
                raise InputError(f"{file} was not unpacked, a process was ended.") from error
        starts = {name: out / start_member(name) for name in index.starts}
        for name, path in starts.items():
            path.parent.mkdir(exist_ok=True)
            (folder / start_member(name)).replace(path)
    return Unpacked({name: out / name for name in names}, starts)


def _pack(entry: Entry, folder: Path, out: Path) -> list[str]:
    """Makes the pack or the two of a data set in `folder`; their names."""
    name, kind, canvas, split = entry
    parts = prepare(kind, folder / name, out / name, canvas, **split)
    return [f"{name}/{part.name}" for part in parts] or [name]


@contextmanager
def _folder_in(out: Path) -> Iterator[Path]:
    """A folder inside `out` for what is unpacked, until it is packed."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=".bundle") as folder:
            yield Path(folder)
    except OSError as error:
        raise cannot_write(out, error) from error


def _member(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name)  # of no date: the same files, the same bundle
