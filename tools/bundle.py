"""Packs what is trained on into one file that travels, and makes packs of it where it arrives.

    python tools/bundle.py FILE [--limit 36] [--quality 40] [--stills 3000] [--frames 900]
        [--clips 250]
    python tools/bundle.py FILE --unpack [--out packs]

A bundle is a zip of data sets as `masktrail prepare` reads them, made small: pictures as WebP,
masks without loss. Their short sides are the largest with which as many pictures as are wanted fit
into the limit (MiB); photographs then fill what is left. Where not even the smallest fit there are
fewer pictures, never worse ones. Unpacked, every data set becomes a pack, in a process of its own.
"""

import argparse
import json
import logging
import multiprocessing
import re
import statistics
import tempfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bundle_plan import Picture, Share, Source, plan
from ingredients import DATA
from masktrail.data.prepare import prepare
from masktrail.errors import InputError
from masktrail.masks import cannot_write, replacing
from shrink import shrink

INDEX = "bundle.json"
"""Member that says of which kind each data set is, and the canvas of its pack."""

NAME = re.compile(r"[\w-][\w.-]*")
"""Of a pack: a folder beside others, not one elsewhere."""

LEAST_QUALITY = 40

AT_ONCE = 128
"""Pictures that are made small before the next ones are begun."""

MIB = 2**20

MEMBER, END = 30 + 46, 22
"""Bytes of a zip's own: of a member, beside its name twice, and at the end."""

HEADER = f"{'pack':<18} {'pictures':>8} {'side':>6} {'stride':>6} {'MiB':>7}"


class Packed(NamedTuple):
    """What a bundle holds of a data set."""

    share: Share
    pictures: int
    size: int

    def __str__(self) -> str:
        source, _, side, stride = self.share
        return f"{source.name:<18} {self.pictures:8} {side:6} {stride:6} {self.size / MIB:7.2f}"


def sources(data: Path, stills: int, frames: int, clips: int) -> list[Source]:
    """The project's data sets in the folder `data`, and how many pictures are wanted of each; those
    of which none is wanted are left out."""
    davis, sides = data / "davis2016-train", (480, 432, 400, 360, 320)
    every = [
        Source("clips", "davis", data / "clips", clips, (240, 224, 192)),
        Source("davis2016-train", "davis", davis, frames, sides),
        Source("stills", "stills", data / "stills", stills, (256, 240, 224, 208, 192, 176)),
    ]
    return [source for source in every if source.wanted > 0]


def write_bundle(file: Path, wanted: list[Source], limit: int, quality: int) -> list[Packed]:
    """Writes a bundle; one that is there is replaced.

    Args:
        file: to be written; only a bundle may lie there already.
        wanted: the data sets, photographs last, which fill what the others leave.
        limit: bytes that the file may have.
        quality: of WebP, 40 to 100.

    Returns:
        What it holds.

    Raises:
        InputError: the quality is too low, a data set cannot be read, nothing or next to nothing
            is wanted or fits, or `file` is something else.
    """
    if not wanted:
        raise InputError("No picture is wanted; ask for some by --stills, --frames or --clips.")
    if not LEAST_QUALITY <= quality <= 100:
        raise InputError(
            f"quality = {quality}; expected {LEAST_QUALITY} to 100: a small limit is met by fewer "
            "pictures, not by worse ones."
        )
    if file.exists():
        _read_index(file)
    with ThreadPoolExecutor() as pool:
        shares = plan(wanted, limit, partial(_mean_size, quality=quality, pool=pool))
        with replacing(file) as part, zipfile.ZipFile(part, "w") as archive:
            room = limit - END - _add(archive, INDEX, _index(shares))
            packed = []
            for share in shares:
                packed.append(_add_share(archive, share, room, quality, pool))
                room -= packed[-1].size
                if not packed[-1].pictures:
                    raise InputError(f"{share.source.name} has no room; allow more, or want less.")
    return packed


def unpack_bundle(file: Path, out: Path) -> list[Path]:
    """Makes packs of what a bundle holds.

    Args:
        file: as `write_bundle` made it.
        out: folder of the packs; of those that are there, packs of the same names are replaced.

    Returns:
        The packs.

    Raises:
        InputError: it is no bundle, or a pack cannot be written.
    """
    index = _read_index(file)
    with _folder_in(out) as folder:
        try:
            with zipfile.ZipFile(file) as archive:
                archive.extractall(folder)
        except zipfile.BadZipFile as error:
            raise InputError(f"{file} is not a whole bundle: {error}.") from error
        # processes that are forked would share the threads of this one
        with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
            jobs = [
                pool.submit(prepare, kind, Path(folder, name), out / name, canvas)
                for name, kind, canvas in index
            ]
            for job in jobs:
                job.result()
    return [out / name for name, *_ in index]


def _mean_size(pictures: list[Picture], side: int, quality: int, pool: Executor) -> float:
    """Bytes that pictures take in a bundle, with their masks."""
    return statistics.mean(size for size, _ in _shrunk(pictures, side, quality, pool))


def _add_share(
    archive: zipfile.ZipFile, share: Share, room: int, quality: int, pool: Executor
) -> Packed:
    """Adds the pictures of a data set, as long as there is room (bytes)."""
    count = taken = 0
    for size, members in _shrunk(share.pictures, share.side, quality, pool):
        if taken + size > room:
            break
        for name, data in members:
            _add(archive, name, data)
        count, taken = count + 1, taken + size
    return Packed(share, count, taken)


def _shrunk(
    pictures: list[Picture], side: int, quality: int, pool: Executor
) -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
    """Members of a bundle, two a picture, and the bytes these two take."""
    for start in range(0, len(pictures), AT_ONCE):
        some = pictures[start : start + AT_ONCE]
        made = pool.map(lambda p: shrink(p.image, p.mask, side, quality), some)
        for picture, data in zip(some, made, strict=True):
            members = list(zip((picture.image_name, picture.mask_name), data, strict=True))
            yield sum(_stored(*member) for member in members), members


def _index(shares: list[Share]) -> bytes:
    packs = {
        share.source.name: {"kind": share.source.kind, "canvas": share.source.canvas(share.side)}
        for share in shares
    }
    return json.dumps(packs).encode()


def _read_index(file: Path) -> list[tuple[str, str, str]]:
    """Name, kind and canvas of every pack in a bundle."""
    try:
        with zipfile.ZipFile(file) as archive:
            index = json.loads(archive.read(INDEX))
        found = [(name, index[name]["kind"], index[name]["canvas"]) for name in index]
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{file} is not a whole bundle: {error}.") from error
    for name, *_ in found:
        if not NAME.fullmatch(name):
            raise InputError(f"{file} has a pack called {name!r}; expected the name of a folder.")
    return found


@contextmanager
def _folder_in(out: Path) -> Iterator[Path]:
    """A folder inside `out` for what is unpacked, until it is packed."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=".bundle") as folder:
            yield Path(folder)
    except OSError as error:
        raise cannot_write(out, error) from error


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> int:
    archive.writestr(zipfile.ZipInfo(name), data)  # of no date: the same files, the same bundle
    return _stored(name, data)


def _stored(name: str, data: bytes) -> int:
    """Bytes that a member takes in a zip."""
    return len(data) + MEMBER + 2 * len(name.encode())


def main() -> None:
    """Parses the arguments, packs or unpacks, and prints what there is."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--limit", type=float, default=36, help="MiB")
    parser.add_argument("--quality", type=int, default=40, help="of WebP")
    parser.add_argument("--stills", type=int, default=3000, help="photographs wanted")
    parser.add_argument("--frames", type=int, default=900, help="frames of DAVIS wanted")
    parser.add_argument("--clips", type=int, default=250, help="frames of the clips wanted")
    parser.add_argument("--unpack", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("packs"), help="folder of the packs")
    given = parser.parse_args()
    try:
        if given.unpack:
            print(*unpack_bundle(given.file, given.out), sep="\n")
            return
        wanted = sources(DATA, given.stills, given.frames, given.clips)
        packed = write_bundle(given.file, wanted, int(given.limit * MIB), given.quality)
    except InputError as error:
        raise SystemExit(str(error)) from error
    print(HEADER, *packed, sep="\n")
    print(f"{given.file}: {given.file.stat().st_size / MIB:.2f} MiB, WebP quality {given.quality}")


if __name__ == "__main__":
    main()
